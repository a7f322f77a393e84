//! Which images show which words: parameters and a data set's labels or captions in; the words, a split of the images, and the images
//! of each word on either side of it out.

use std::collections::{BTreeSet, HashMap};

use neuronotes_core::dataset::{Said, Sample};
use neuronotes_core::kind::labels::{GroupBy, LEAST, Params, Truth, no_texts};
use neuronotes_core::kind::mention::Mentions;

use crate::failure::Failure;
use crate::fit::formula::Shown;
use crate::fit::split::{self, Split};
use crate::table::matrix::Matrix;

/// The words, and what the images say.
pub(super) struct Words {
    /// The words, each once.
    pub texts: Vec<String>,
    /// Different labels or captions that each word is in.
    places: Vec<Vec<usize>>,
    /// The label or caption of each image, by its place among the different ones.
    said: Vec<Option<usize>>,
}

impl Words {
    /// The words of a request.
    ///
    /// # Errors
    /// If it lists none, and no image has a label or a caption.
    pub(super) fn of(params: &Params, matrix: &Matrix) -> Result<Self, Failure> {
        let by = params.truth();
        let said = |sample: &'_ Sample| match by {
            Truth::Label => sample.label.clone(),
            Truth::Caption => sample.caption.clone(),
        };
        let all: Vec<Option<String>> = matrix.samples.iter().map(said).collect();
        let different: BTreeSet<&str> = all.iter().flatten().map(String::as_str).collect();
        let different: Vec<&str> = different.into_iter().collect();
        let mut texts = params.texts.clone().unwrap_or_default();
        if params.texts.is_none() {
            texts = different.iter().map(|text| (*text).to_owned()).collect();
        }
        let mut known = BTreeSet::new();
        texts.retain(|text| known.insert(text.clone()));
        if texts.is_empty() {
            return Err(no_texts(by, &Said::of(&matrix.samples)).into());
        }
        let mentions = Mentions::of(by, different.iter().copied());
        let places = texts.iter().map(|text| mentions.places(text)).collect();
        let at: HashMap<&str, usize> = different.iter().copied().zip(0..).collect();
        let said = all.iter().map(|text| at.get(text.as_deref()?).copied()).collect();
        Ok(Self { texts, places, said })
    }

    /// How many words some image shows.
    pub(super) fn count_shown(&self) -> usize {
        self.places.iter().filter(|places| !places.is_empty()).count()
    }

    /// The rows of images that labels are chosen by, and those of images held out.
    ///
    /// # Errors
    /// If there are too few on a side.
    pub(super) fn split(
        &self,
        params: &Params,
        matrix: &Matrix,
    ) -> Result<[Vec<usize>; 2], Failure> {
        let (fraction, seed) = (params.held_out, params.seed);
        let mut counts: HashMap<usize, usize> = HashMap::new();
        for place in self.said.iter().flatten() {
            *counts.entry(*place).or_default() += 1;
        }
        // Images that say nothing are a class, together with those that say what no other does: of these some are held out, too.
        let several = |place: &usize| counts[place] > 1;
        let class = |said: &Option<usize>| said.filter(several).map_or(0, |place| place as u32 + 1);
        let classes: Vec<u32> = self.said.iter().map(class).collect();
        let Split { train, held_out } = match params.group_by {
            None => split::by_class(&classes, fraction, seed),
            Some(by) => split::by_group_and_class(&groups(by, matrix), &classes, fraction, seed),
        };
        match train.len().min(held_out.len()) {
            few if few < LEAST => Err(too_few(matrix.samples.len())),
            _ => Ok([train, held_out]),
        }
    }

    /// The words that these images show, as places among them.
    pub(super) fn shown(&self, rows: &[usize]) -> Shown {
        let mut by_said: HashMap<usize, Vec<u32>> = HashMap::new();
        for (place, row) in (0u32..).zip(rows) {
            if let Some(said) = self.said[*row] {
                by_said.entry(said).or_default().push(place);
            }
        }
        let images = self.places.iter().map(|places| {
            let all = places.iter().filter_map(|said| by_said.get(said)).flatten();
            let mut all: Vec<u32> = all.copied().collect();
            all.sort_unstable();
            all
        });
        Shown::of(images.collect(), rows.len())
    }
}

/// The failure that there are too few images on a side.
fn too_few(images: usize) -> Failure {
    let message =
        format!("{images} images are too few to choose labels by some and test them on others");
    Failure::new(message).hint(format!("either side of the split needs at least {LEAST} images"))
}

/// What images have in common that stay on one side; one without it is alone.
fn groups(by: GroupBy, matrix: &Matrix) -> Vec<String> {
    let group = |(row, sample): (usize, &Sample)| {
        let found = match by {
            GroupBy::Caption => sample.caption.clone(),
            GroupBy::Label => sample.label.clone(),
            GroupBy::Folder => sample.key.rsplit_once('/').map(|(folder, _)| folder.to_owned()),
        };
        found.unwrap_or_else(|| format!("{row}\n{}", sample.key))
    };
    matrix.samples.iter().enumerate().map(group).collect()
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::labels::KIND;
    use serde_json::{Value, json};
    use tch::{Device, Kind, Tensor};

    use super::*;

    fn params(fields: Value) -> Params {
        let mut all = json!({
            "layer": "visual.layer4.0", "pool": "mean", "method": "invert", "top": 3, "held_out": 0.5,
            "seed": 0,
        });
        let Value::Object(fields) = fields else { unreachable!() };
        fields.into_iter().for_each(|(name, value)| all[name] = value);
        let Value::Object(all) = all else { unreachable!() };
        KIND.params(&all).expect("parameters")
    }

    /// Twelve images: black cats, white cats, trees, and some that say nothing.
    fn matrix() -> Matrix {
        let sample = |at: usize| {
            let (label, caption) = match at % 4 {
                0 => (Some("animal"), Some("a black cat")),
                1 => (Some("animal"), Some("a white cat")),
                2 => (Some("plant"), Some("a tree")),
                _ => (None, None),
            };
            let [label, caption] = [label, caption].map(|text| text.map(str::to_owned));
            Sample { key: format!("{}/{at}", at / 6), label, caption }
        };
        let rows = Tensor::zeros([12, 1], (Kind::Float, Device::Cpu));
        Matrix {
            rows,
            samples: (0..12).map(sample).collect(),
            shards: vec![0; 12],
            spoiled: vec![],
        }
    }

    #[test]
    fn words_are_listed_or_what_the_data_set_says() {
        let texts = |fields: Value| Words::of(&params(fields), &matrix()).expect("words").texts;
        assert_eq!(texts(json!({})), ["animal", "plant"]);
        assert_eq!(texts(json!({ "truth": "caption" })), ["a black cat", "a tree", "a white cat"]);
        assert_eq!(texts(json!({ "texts": ["cat", "sun", "cat"] })), ["cat", "sun"]);
        let mut silent = matrix();
        silent.samples.iter_mut().for_each(|sample| sample.label = None);
        let error = Words::of(&params(json!({})), &silent).err().expect("no words").to_string();
        assert!(error.contains("no image of the data set has a label"), "{error}");
    }

    #[test]
    fn either_side_has_the_images_of_each_word() {
        let fields = params(json!({ "texts": ["cat", "sun", "white"] }));
        let words = Words::of(&fields, &matrix()).expect("words");
        assert_eq!(words.count_shown(), 2);
        let all: Vec<usize> = (0..12).collect();
        let shown = words.shown(&all);
        assert_eq!(shown.images(0), [0, 1, 4, 5, 8, 9]);
        assert_eq!((shown.images(1), shown.images(2)), ([].as_slice(), [1, 5, 9].as_slice()));
        let sides = words.split(&fields, &matrix()).expect("a split");
        assert_eq!(sides[0].len() + sides[1].len(), 12);
        let held_out = words.shown(&sides[1]);
        for place in held_out.images(2) {
            assert_eq!(sides[1][*place as usize] % 4, 1);
        }
        assert!(!held_out.images(2).is_empty(), "of each caption some are held out");
    }

    #[test]
    fn what_belongs_together_is_on_one_side() {
        let fields = params(json!({ "group_by": "folder" }));
        let words = Words::of(&fields, &matrix()).expect("words");
        let sides = words.split(&fields, &matrix()).expect("a split");
        for side in &sides {
            let folders: BTreeSet<usize> = side.iter().map(|row| row / 6).collect();
            assert_eq!(folders.len(), 1, "{sides:?}");
        }
        let mut unique = matrix();
        for (at, sample) in unique.samples.iter_mut().enumerate() {
            sample.caption = Some(format!("thing {at}"));
        }
        let fields = params(json!({ "truth": "caption" }));
        let words = Words::of(&fields, &unique).expect("words");
        let sides = words.split(&fields, &unique).expect("a split");
        assert_eq!(sides.each_ref().map(Vec::len), [6, 6], "each caption is of one image");
        let mut few = matrix();
        few.samples.truncate(5);
        let words = Words::of(&fields, &few).expect("words");
        assert!(words.split(&fields, &few).is_err());
    }
}
