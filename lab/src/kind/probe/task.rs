//! What a probe is to tell apart: a block's parameters and the data set's images in; the classes, and the images of each on
//! either side of the split, out.

use std::collections::{BTreeSet, HashMap};

use neuronotes_core::dataset::{Said, Sample};
use neuronotes_core::kind::probe::{GroupBy, Params, Truth, classes};

use crate::failure::Failure;
use crate::fit::split::{Split, by_class, by_group, by_group_and_class};

/// A classification.
#[derive(Debug)]
pub(in crate::kind) struct Task {
    /// The classes.
    pub labels: Vec<String>,
    /// Images without a class in the data set.
    pub unlabelled: u64,
    /// Images of other classes.
    pub outside: u64,
    /// Each image's row in the data set, and its class.
    rows: Vec<(usize, u32)>,
    /// Places in `rows`.
    split: Split,
}

impl Task {
    /// The task of a block over a data set's images.
    ///
    /// # Errors
    /// If there are fewer than two classes, a class has no image to learn from, or none is held out.
    pub(in crate::kind) fn of(params: &Params, samples: &[Sample]) -> Result<Self, Failure> {
        let labels = classes(params, &Said::of(samples)).map_err(|wrong| wrong.problem)?;
        let labels = labels.ok_or_else(|| Failure::new("the classes are not known"))?;
        let lower = labels.iter().map(|label| label.to_lowercase());
        let by_label: HashMap<String, u32> = lower.zip(0u32..).collect();
        let (mut rows, mut unlabelled, mut outside) = (Vec::new(), 0, 0);
        for (row, sample) in samples.iter().enumerate() {
            match written(params.truth, sample) {
                None => unlabelled += 1,
                Some(text) => match by_label.get(&text.to_lowercase()) {
                    None => outside += 1,
                    Some(class) => rows.push((row, *class)),
                },
            }
        }
        let classes: Vec<u32> = rows.iter().map(|(_, class)| *class).collect();
        let split = match params.group_by {
            None => by_class(&classes, params.held_out, params.seed),
            Some(by) => {
                let group = |(row, _): &(usize, u32)| group(by, &samples[*row]);
                let groups: Vec<String> = rows.iter().map(group).collect();
                match params.stratify {
                    Some(true) => {
                        by_group_and_class(&groups, &classes, params.held_out, params.seed)
                    }
                    _ => by_group(&groups, params.held_out, params.seed),
                }
            }
        };
        let task = Self { labels, unlabelled, outside, rows, split };
        task.check(params)?;
        Ok(task)
    }

    /// Checks that each class has an image to learn from, and that any image is held out.
    fn check(&self, params: &Params) -> Result<(), Failure> {
        let learnt: BTreeSet<u32> = self.train().1.into_iter().collect();
        let missing: Vec<&str> = (0u32..)
            .zip(&self.labels)
            .filter(|(class, _)| !learnt.contains(class))
            .map(|(_, label)| label.as_str())
            .collect();
        if let Some(first) = missing.first() {
            let message = format!(
                "the split leaves no image of the class `{first}`{} to learn from",
                match missing.len() {
                    1 => String::new(),
                    count => format!(" and of {} others", count - 1),
                }
            );
            let hint = "add `stratify: true`, or try another `seed` or a smaller `held_out`";
            return Err(Failure::new(message).hint(hint));
        }
        if self.split.held_out.is_empty() {
            let failure = Failure::new("no image can be held out");
            return Err(match (params.group_by, params.stratify) {
                (Some(by), Some(true)) => {
                    failure.hint(format!("no class has images of more than one {}", by.word()))
                }
                (Some(by), _) => failure.hint(format!("all images are of one {}", by.word())),
                (None, _) => failure.hint("at least one class needs two images"),
            });
        }
        Ok(())
    }

    /// How many images take part.
    pub(super) fn images(&self) -> usize {
        self.rows.len()
    }

    /// Rows and classes of the images that are learnt from.
    pub(in crate::kind) fn train(&self) -> (Vec<usize>, Vec<u32>) {
        self.split.train.iter().map(|at| self.rows[*at]).unzip()
    }

    /// Rows and classes of the held-out images.
    pub(in crate::kind) fn held_out(&self) -> (Vec<usize>, Vec<u32>) {
        self.split.held_out.iter().map(|at| self.rows[*at]).unzip()
    }
}

/// The class of an image, as its data set says.
fn written(truth: Truth, sample: &Sample) -> Option<&str> {
    match truth {
        Truth::Label => sample.label.as_deref(),
        Truth::Caption => sample.caption.as_deref(),
    }
}

/// The group of an image; without one, it is a group of its own.
fn group(by: GroupBy, sample: &Sample) -> String {
    let of = match by {
        GroupBy::Caption => sample.caption.as_deref(),
        GroupBy::Label => sample.label.as_deref(),
        GroupBy::Folder => sample.key.rsplit_once('/').map(|(folder, _)| folder),
    };
    of.map_or_else(|| format!("\0{}", sample.key), str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::probe::Penalty;
    use neuronotes_core::kind::scan::Pool;
    use neuronotes_core::model::Place;

    use super::*;

    fn params() -> Params {
        Params {
            layer: Place::Layer("a".into()),
            pool: Pool::Mean,
            truth: Truth::Label,
            classes: vec![],
            penalty: Penalty::L2,
            regularisation: None,
            terms: None,
            non_negative: false,
            held_out: 0.5,
            group_by: None,
            stratify: None,
            seed: 0,
        }
    }

    fn samples(of: &[(&str, Option<&str>)]) -> Vec<Sample> {
        let one = |(at, (caption, label)): (usize, &(&str, Option<&str>))| Sample {
            key: at.to_string(),
            caption: Some((*caption).to_owned()),
            label: label.map(str::to_owned),
        };
        of.iter().enumerate().map(one).collect()
    }

    const IMAGES: [(&str, Option<&str>); 8] = [
        ("wolf", Some("animal")),
        ("wolf", Some("Animal")),
        ("cat", Some("animal")),
        ("cat", Some("animal")),
        ("car", Some("thing")),
        ("car", Some("thing")),
        ("tea", Some("food")),
        ("tea", None),
    ];

    fn fails(params: &Params, of: &[(&str, Option<&str>)]) -> String {
        Task::of(params, &samples(of)).expect_err("a failure").to_string()
    }

    #[test]
    fn classes_are_labels_whatever_their_case_and_the_rest_is_counted() {
        let task = Task::of(&params(), &samples(&IMAGES)).expect("a task");
        assert_eq!((task.labels.len(), task.unlabelled, task.outside), (3, 1, 0));
        // Half of four, half of two, and none of the only one.
        assert_eq!((task.train().0.len(), task.held_out().0.len()), (4, 3));
        assert!(!task.held_out().0.contains(&6));
        let classes = vec!["THING".into(), "animal".into()];
        let task = Task::of(&Params { classes, ..params() }, &samples(&IMAGES)).expect("a task");
        assert_eq!((task.images(), task.outside), (6, 1));
    }

    #[test]
    fn images_of_a_caption_stay_together() {
        let by = Some(GroupBy::Caption);
        let classes = vec!["animal".into(), "thing".into()];
        let fits = (0..20).filter_map(|seed| {
            let params =
                Params { group_by: by, seed, held_out: 0.3, classes: classes.clone(), ..params() };
            Task::of(&params, &samples(&IMAGES)).ok()
        });
        let mut count = 0;
        for task in fits {
            let held = task.held_out().0;
            assert!(held == [0, 1] || held == [2, 3], "{held:?}");
            count += 1;
        }
        // A third of the seeds hold out the only thing, and say so.
        assert!((8..20).contains(&count), "{count}");
        let params = Params { group_by: by, held_out: 0.8, ..params() };
        assert!(fails(&params, &IMAGES).contains("leaves no image of the class"));
    }

    #[test]
    fn a_stratified_split_by_group_keeps_each_class_on_both_sides() {
        let classes = vec!["animal".into(), "thing".into()];
        for seed in 0..20 {
            let params = Params {
                group_by: Some(GroupBy::Caption),
                stratify: Some(true),
                seed,
                classes: classes.clone(),
                ..params()
            };
            let task = Task::of(&params, &samples(&IMAGES)).expect("a task");
            // The only thing is learnt from; of the two animals one is held out.
            let held = task.held_out().0;
            assert!(held == [0, 1] || held == [2, 3], "{seed}: {held:?}");
        }
        let by = GroupBy::Caption;
        let params = Params { group_by: Some(by), stratify: Some(true), ..params() };
        let Failure::Failed { message, hint, .. } =
            Task::of(&params, &samples(&IMAGES[2..7])).expect_err("a failure")
        else {
            panic!("a failure with a hint");
        };
        assert_eq!(message, "no image can be held out");
        assert_eq!(hint.as_deref(), Some("no class has images of more than one caption"));
    }

    #[test]
    fn what_cannot_be_told_apart_is_an_error_that_says_why() {
        assert!(
            fails(&params(), &[("a", None), ("b", None)])
                .contains("no image of the data set has a label")
        );
        assert!(
            fails(&params(), &[("a", Some("x")), ("b", Some("x"))]).contains("the same label, `x`")
        );
        let alone = [("a", Some("x")), ("b", Some("y"))];
        assert!(fails(&params(), &alone).contains("no image can be held out"));
        let classes = vec!["animal".into(), "ghost".into()];
        assert!(fails(&Params { classes, ..params() }, &IMAGES).contains("the label `ghost`"));
        let classes = vec!["animal".into(), "Animal".into()];
        assert!(fails(&Params { classes, ..params() }, &IMAGES).contains("more than once"));
        let by = Params { group_by: Some(GroupBy::Folder), ..params() };
        let mut all = samples(&IMAGES[..6]);
        all.iter_mut().for_each(|sample| sample.key = format!("one/{}", sample.key));
        let error = Task::of(&by, &all).expect_err("a failure").to_string();
        assert!(error.contains("held out"), "{error}");
    }
}
