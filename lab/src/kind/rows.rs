//! What a data set says of a unit's strongest images.

use crate::fit::column::Column;
use crate::table::matrix::Matrix;

/// The label of most of a unit's strongest images, and how many of them have it; of equally frequent ones that of the
/// strongest image. `None` if they have none.
pub(super) fn label<'m>(matrix: &'m Matrix, column: &Column) -> Option<(&'m str, u32)> {
    most(column.largest.iter().filter_map(|&row| matrix.samples[row].label.as_deref()))
}

/// The caption of an image, or its key if it has none.
pub(super) fn caption(matrix: &Matrix, row: usize) -> &str {
    let sample = &matrix.samples[row];
    sample.caption.as_deref().unwrap_or(&sample.key)
}

/// The shards and keys of some images.
pub(super) fn named<'m>(matrix: &'m Matrix, rows: &[usize]) -> Vec<(usize, &'m str)> {
    rows.iter().map(|&row| (matrix.shards[row], matrix.samples[row].key.as_str())).collect()
}

/// The most frequent text, and how often it is there; of equally frequent ones the first.
fn most<'a>(texts: impl Iterator<Item = &'a str>) -> Option<(&'a str, u32)> {
    let mut counts: Vec<(&str, u32)> = Vec::new();
    for text in texts {
        match counts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => counts.push((text, 1)),
        }
    }
    let best = counts.iter().map(|(_, count)| *count).max()?;
    counts.into_iter().find(|(_, count)| *count == best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equally_frequent_labels_the_strongest_images_decides() {
        let of = |texts: &[&'static str]| most(texts.iter().copied());
        assert_eq!(of(&["a", "b", "b", "a", "c"]), Some(("a", 2)));
        assert_eq!(of(&["a", "b", "b"]), Some(("b", 2)));
        assert_eq!(of(&[]), None);
    }
}
