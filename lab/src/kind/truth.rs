//! The true classes of a data set's images: labels or captions in; the class of each image, or all classes, out.

use std::collections::{BTreeSet, HashMap};

use neuronotes_core::dataset::Sample;
use neuronotes_core::kind::class::Class;
use neuronotes_core::kind::zero_shot::Truth;

use crate::failure::Failure;

/// The most labels of a data set that may be used as classes.
const MOST_LABELS: usize = 100;

/// The true class of an image, as its data set says.
pub(super) fn truth(sample: &Sample, truth: Truth) -> Option<&str> {
    match truth {
        Truth::Label => sample.label.as_deref(),
        Truth::Caption => sample.caption.as_deref(),
        Truth::None => None,
    }
}

/// The classes by their labels in lower case; of equal labels the first.
pub(super) fn by_label(classes: &[Class]) -> HashMap<String, u32> {
    let mut found = HashMap::new();
    for (class, index) in classes.iter().zip(0..) {
        found.entry(class.label.to_lowercase()).or_insert(index);
    }
    found
}

/// The data set's labels as classes, sorted.
///
/// # Errors
/// If no image has one, or there are too many.
pub(super) fn labels<'a>(
    samples: impl Iterator<Item = &'a Sample> + Clone,
    by: Truth,
) -> Result<Vec<Class>, Failure> {
    let found: BTreeSet<&str> = samples.clone().filter_map(|sample| truth(sample, by)).collect();
    let hint = "name the `classes`";
    if found.is_empty() {
        let folders = "`labels: folders` in neuronotes.yaml uses the names of folders as labels";
        let in_folders = |sample: &Sample| by == Truth::Label && sample.key.contains('/');
        let any = samples.clone().any(in_folders);
        let hint = if any { format!("{hint}; {folders}") } else { hint.to_owned() };
        return Err(Failure::new("no image in the data set has a label or caption").hint(hint));
    }
    if found.len() > MOST_LABELS {
        let message = format!(
            "the data set has {} different labels; at most {MOST_LABELS} can be used as classes",
            found.len()
        );
        return Err(Failure::new(message).hint(hint));
    }
    let class = |label: &str| Class { label: label.to_owned(), names: vec![label.to_owned()] };
    Ok(found.into_iter().map(class).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_labels_stand_in_for_classes_and_many_do_not() {
        let samples = |count: usize| -> Vec<Sample> {
            let label = |n: usize| Some(format!("l{}", n % 101));
            let one = |n| Sample { key: "a".into(), caption: None, label: label(n) };
            (0..count).map(one).collect()
        };
        let found = labels(samples(3).iter(), Truth::Label).expect("labels");
        assert_eq!(found.iter().map(|c| &*c.label).collect::<Vec<_>>(), ["l0", "l1", "l2"]);
        assert!(labels(samples(200).iter(), Truth::Label).is_err());
        assert!(labels(samples(3).iter(), Truth::Caption).is_err());
    }
}
