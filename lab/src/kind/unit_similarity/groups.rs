//! Names for the groups of a map: units with their groups, labels and strongest images in; each group's name and size out.

use std::cmp::Reverse;

use neuronotes_core::kind::unit_similarity::{Point, Sheet, Tally};

/// Puts each unit into its group, and names the groups by what most of their units have in common.
pub(super) fn named(
    found: &[usize],
    labels: &[Tally],
    sheet: &Sheet,
    points: &mut [Point],
) -> Vec<Tally> {
    for (point, group) in points.iter_mut().zip(found) {
        point.group = Some(*group as u32);
    }
    let count = found.iter().max().map_or(0, |last| last + 1);
    let group = |group: usize| {
        let own = || points.iter().filter(|point| point.group == Some(group as u32));
        let units = own().count();
        let mut tallies: Vec<(usize, &str)> = Vec::new();
        for (at, label) in labels.iter().enumerate() {
            let has = own().filter(|point| point.label == Some(at as u32)).count();
            tallies.push((has, &label.label));
        }
        tallies.sort_by_key(|(has, _)| Reverse(*has));
        let names: Vec<&str> = match tallies.first() {
            Some((most, label)) if 2 * most >= units => vec![label],
            _ => images(own().collect(), sheet),
        };
        Tally { label: names.join(", "), units: units as u64 }
    };
    (0..count).map(group).collect()
}

/// The captions that the strongest images of most units have, at most two; of captions that are equally frequent, the one whose units
/// have the strongest activation.
fn images<'a>(mut points: Vec<&Point>, sheet: &'a Sheet) -> Vec<&'a str> {
    points.sort_by(|a, b| b.deviations.total_cmp(&a.deviations));
    let mut names: Vec<(usize, &str)> = Vec::new();
    for point in points {
        let caption = sheet.tiles.get(point.tile as usize).map_or("", |tile| &tile.caption);
        match names.iter_mut().find(|(_, name)| *name == caption) {
            Some((count, _)) => *count += 1,
            None => names.push((1, caption)),
        }
    }
    names.sort_by_key(|(count, _)| Reverse(*count));
    names.into_iter().take(2).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::unit_similarity::sample;

    use super::*;

    #[test]
    fn a_group_has_the_name_of_most_of_its_units_or_of_its_strongest_images() {
        let chart = sample(true, 0.5).0.chart.expect("a map");
        let (mut points, sheet) = (chart.points, chart.sheet);
        let tally = |label: &str, units| Tally { label: label.to_owned(), units };
        // Three hands and a face.
        let found = named(&[0, 0, 0, 1], &chart.labels, &sheet, &mut points);
        assert_eq!(found, [tally("hand", 3), tally("face", 1)]);
        assert_eq!(points[3].group, Some(1));
        points[0].label = Some(1);
        points[1].label = None;
        let found = named(&[0, 0, 0, 1], &chart.labels, &sheet, &mut points);
        assert_eq!(
            found[0],
            tally("waving hand, raised hand", 3),
            "a hand, a face, one without a label"
        );
        points.iter_mut().for_each(|point| point.label = None);
        points[2].tile = 2;
        points[1].deviations = 9.0;
        let found = named(&[0, 0, 0, 1], &[], &sheet, &mut points);
        assert_eq!(
            found[0],
            tally("raised hand, waving hand", 3),
            "of three captions the strongest"
        );
        assert_eq!(found[1], tally("grinning face", 1));
    }
}
