//! `unit_quality`: how clear, how ambiguous and how singular the units of a layer are, without anybody naming them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::entry::{About, Data, Kind, Scan, form};
use super::field::{Field, Preset, Type};
use super::sample::{Painted, Sample};
use super::scan::{POOL, Pool};
use super::spoiled::{self, Spoiled};
use super::unit_similarity::{Sheet, Tally, Tile};
use super::value::{Values, counted, named, stored};
use crate::model::Place;

/// The words of the scores, in the order of the documentation.
pub const SCORES: &[&str] = &["clarity", "polysemanticity", "monosemanticity", "redundancy"];
/// What colours can mean: a score, or the label.
const COLOURS: &[&str] = &["label", "clarity", "polysemanticity", "monosemanticity", "redundancy"];

/// Parameters of the scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Whose units.
    pub layer: Place,
    /// The pooling of an activation map to one number.
    pub pool: Pool,
    /// Number of a unit's strongest images.
    pub strongest: u32,
    /// Random seed of the division into two groups.
    pub seed: u64,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images in the data set.
    pub count: u64,
    /// Number of units of the layer.
    pub units: u64,
    /// The mean cosine of all pairs of images: what clarity and monosemanticity are for a unit that prefers no image.
    pub baseline: f64,
    /// Units with the same activation for every image, which have no scores.
    pub left_out: Vec<u32>,
    /// Units that are left out, since an activation of theirs is NaN or infinite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spoiled: Vec<Spoiled>,
    /// The labels of units, the most frequent first; empty if the data set has no labels.
    pub labels: Vec<Tally>,
    /// The units.
    pub points: Vec<Point>,
    /// The units' strongest images, each once.
    pub sheet: Sheet,
}

/// The scores of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Channel, from 0.
    pub unit: u32,
    /// The mean cosine of pairs of its strongest images.
    pub clarity: f64,
    /// How far apart the two halves of these are: 1 less the cosine of their means.
    pub polysemanticity: f64,
    /// The mean cosine of all pairs of images, weighted by the unit's activations; `None` if a single image has all the weight.
    pub monosemanticity: Option<f64>,
    /// The largest cosine of the mean of its strongest images with that of another unit.
    pub redundancy: f64,
    /// That unit.
    pub twin: u32,
    /// Its label, an index of [`Outcome::labels`]: that of most of its strongest images.
    pub label: Option<u32>,
    /// How many of these have that label.
    pub votes: u32,
    /// Its strongest image, an index of the sheet.
    pub tile: u32,
}

impl Point {
    /// The score of that name, one of [`SCORES`].
    pub fn score(&self, name: &str) -> Option<f64> {
        match name {
            "clarity" => Some(self.clarity),
            "polysemanticity" => Some(self.polysemanticity),
            "monosemanticity" => self.monosemanticity,
            _ => Some(self.redundancy),
        }
    }
}

impl Outcome {
    /// The mean of a score over all units that have it; `None` if none has.
    pub fn mean(&self, name: &str) -> Option<f64> {
        let scores: Vec<f64> = self.points.iter().filter_map(|point| point.score(name)).collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    }
}

/// A made-up outcome in which the first unit has this clarity.
pub fn sample(clarity: f64) -> Outcome {
    let point = |unit, clarity, polysemanticity, label, tile| Point {
        unit,
        clarity,
        polysemanticity,
        monosemanticity: Some(0.375),
        redundancy: 0.75,
        twin: if unit == 3 { 0 } else { 3 },
        label: Some(label),
        votes: 4,
        tile,
    };
    let tally = |label: &str, units| Tally { label: label.to_owned(), units };
    let tile = |caption: &str| Tile { caption: caption.to_owned() };
    Outcome {
        count: 6,
        units: 6,
        baseline: 0.25,
        left_out: vec![2],
        spoiled: spoiled::sample(5),
        labels: vec![tally("hand", 3), tally("face", 1)],
        points: vec![
            point(0, clarity, 0.25, 0, 0),
            point(1, 0.5, 0.5, 0, 1),
            Point { monosemanticity: None, ..point(3, 0.375, 0.75, 0, 0) },
            point(4, 0.25, 0.125, 1, 2),
        ],
        sheet: Sheet {
            picture: "sheet.webp".to_owned(),
            side: 8,
            tile: 4,
            tiles: vec![tile("waving hand"), tile("raised hand"), tile("grinning face")],
        },
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "unit_quality",
    summary: "how clear, ambiguous and redundant the units of a layer are, as a plot of all of them",
    doc: "Which units of a layer are worth a look? Four scores say how alike the images are that activate a unit, by the cosines of the images' embeddings. Nobody has to name the unit for that.\n\n\
          - **clarity**: the mean cosine of all pairs of the unit's `strongest` images. High if they are alike.\n\
          - **polysemanticity**: these images are divided into two groups by k-means (the best of 10 starts), and the score is 1 less the cosine of the groups' means. High if the unit responds to two different things. If one group is a single image, it is 1 less the mean cosine of the ten strongest images with the mean of all.\n\
          - **monosemanticity**: the mean cosine of all pairs of images of the data set, weighted by the product of the unit's activations, which are scaled to the range from 0 to 1. High if everything that activates the unit is alike, not only its strongest images. Computed in closed form from sums over images, which equals the sum over all pairs.\n\
          - **redundancy**: the largest cosine of the mean of the unit's strongest images with that of another unit, its *twin*. High if another unit responds to the same.\n\n\
          The figure is a plot of two of the scores in which every unit is a point with its strongest image; it can be zoomed and searched, and leads to the units' pages. Embeddings of unrelated images have a cosine well above 0, so that clarity and monosemanticity are to be compared with the mean cosine of all pairs, which the figure says. The embeddings are the model's own: at its last layers the scores partly measure what the layer and the embedding have in common. Units with the same activation for every image have no scores and are left out.\n\n\
          Methods: Dreyer et al., *Mechanistic understanding and validation of large AI models with SemanticLens*, 2025; Pach et al., *Sparse Autoencoders Learn Monosemantic Features in Vision-Language Models*, 2025, with another encoder's embeddings in place of the model's own.",
    // 2: of images with equal activations, the one with the smallest digest of its key goes first.
    impl_version: 2,
    example: "id: quality\nkind: unit_quality\nlayer: image_block_4/0/Add_6\nstrongest: 5\n",
    fields: &[
        POOL,
        Field::compute(
            "strongest",
            Type::Integer { min: 2, max: 200 },
            "Number of a unit's strongest images that are compared.",
        )
        .or(Preset::Integer(20)),
        Field::compute("seed", Type::Seed, "Random seed of the division into two groups.")
            .or(Preset::Configured),
        Field::presentation("across", Type::Choice(SCORES), "The score from left to right.")
            .or(Preset::Text("clarity")),
        Field::presentation("up", Type::Choice(SCORES), "The score from bottom to top.")
            .or(Preset::Text("monosemanticity")),
        Field::presentation(
            "colour",
            Type::Choice(COLOURS),
            "What the colours mean: the `label` of most of a unit's strongest images, or a score, in fifths of the units.",
        )
        .or(Preset::Text("label")),
    ],
    about: About::Layer,
    data: Data::Always,
    scan: Scan::Layer,
    captions: true,
    values: Values {
        named: &[
            counted("images", "count", "images", "Number of images in the data set."),
            named("units", "units", "Number of units of the layer."),
            named("spoiled[n].unit", "", "The n-th unit that is left out because an activation of it is NaN or infinite; `spoiled.length` is their number."),
            named("spoiled[n].key", "", "The key of the first picture for which it is."),
            named("spoiled[n].is", "", "What the activation is: `NaN` or `infinite`."),
            named("baseline", "", "The mean cosine of all pairs of images."),
            named("means.clarity", "", "The mean clarity of the units."),
            named("means.polysemanticity", "", "Their mean polysemanticity."),
            named("means.monosemanticity", "", "Their mean monosemanticity."),
            named("means.redundancy", "", "Their mean redundancy."),
            named("points[n].unit", "", "The n-th unit that varies."),
            named("points[n].clarity", "", "Its clarity; also by the unit, `points[unit=42].clarity`."),
            named("points[n].polysemanticity", "", "Its polysemanticity."),
            named("points[n].monosemanticity", "", "Its monosemanticity."),
            named("points[n].redundancy", "", "Its redundancy."),
            named("points[n].twin", "", "The unit that responds to the most similar images."),
            named("points[n].label", "", "The label of most of its strongest images, if the data set has labels."),
            counted("points[n].images_with_label", "votes", "images", "How many of its strongest images have that label."),
            named("points[n].caption", "", "The caption of its strongest image, or its key."),
            named("labels[n].label", "", "The n-th label, the most frequent first."),
            named("labels[n].units", "units", "The number of units with that label."),
        ],
        of: |result| stored(result, derive),
    },
    form: form::<Params>,
    work: |_| 6.0,
    sample: |_, number| {
        let sheet = Painted { media_type: "image/webp", ..Painted::png("sheet.webp", 8, 8) };
        Sample::of(&sample(number), vec![sheet])
    },
    ..Kind::BASE
};

/// The means of the scores, and what each unit's label and strongest image are.
fn derive(outcome: Outcome, tree: &mut Value) {
    tree["spoiled"] = json!(outcome.spoiled);
    for name in SCORES {
        tree["means"][name] = json!(outcome.mean(name));
    }
    for (at, point) in outcome.points.iter().enumerate() {
        let label = point.label.and_then(|label| outcome.labels.get(label as usize));
        let tile = outcome.sheet.tiles.get(point.tile as usize);
        tree["points"][at]["label"] = json!(label.map(|tally| &tally.label));
        tree["points"][at]["caption"] = json!(tile.map(|tile| &tile.caption));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_found_by_its_word_and_means_leave_out_what_has_none() {
        let outcome = sample(1.0);
        let first = &outcome.points[0];
        let scores: Vec<Option<f64>> = SCORES.iter().map(|name| first.score(name)).collect();
        assert_eq!(scores, [Some(1.0), Some(0.25), Some(0.375), Some(0.75)]);
        assert_eq!(outcome.mean("monosemanticity"), Some(0.375));
        assert_eq!(outcome.mean("clarity"), Some(2.125 / 4.0));
        let none = Outcome { points: vec![], ..outcome };
        assert_eq!(none.mean("clarity"), None);
    }
}
