//! `unit_similarity`: the units nearest to a unit or a direction, or a map of all units of a layer.

mod outcome;

use serde_json::{Map, Value, json};

pub use outcome::{Chart, Method, Neighbour, Outcome, Point, Seen, Sheet, Tally, Tile, sample};

use super::about::about;
use super::entry::{About, Data, Fault, Kind, Scan, form};
use super::field::{Field, Preset, Type};
use super::noise::Noise;
use super::sample::Sample;
use super::scan::{POOL, Pool};
use super::target;
use super::value::{Values, counted, named, stored};
use super::words::words;

/// The least number of units that a map shows.
pub const FEWEST: usize = 3;
/// How many of a unit's nearest units are compared on a map and in the activations.
pub const NEAREST: usize = 10;
/// The least perplexity of t-SNE: the effective number of neighbours of a unit.
pub const LEAST_PERPLEXITY: f64 = 2.0;
/// The most groups of a map, each of which has a colour of its own.
pub const MOST_GROUPS: usize = 8;

about! {
    /// Parameters. With a `unit` or a `direction` the result is a list; without, it is a map of the whole layer.
    pub struct Params {
        /// The pooling of an activation map to one number.
        pub pool: Pool,
        /// What a list is ordered by.
        pub by: By,
        /// Which end of the list comes first.
        pub order: Order,
        /// Number of units in a list.
        pub top: u32,
        /// The method of a map.
        pub method: Method,
        /// The perplexity of t-SNE.
        pub perplexity: f64,
        /// The number of steps of t-SNE.
        pub steps: u32,
        /// How many of a unit's strongest images decide its label.
        pub strongest: u32,
        /// The number of groups into which the units of a map are divided; none if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub groups: Option<u32>,
    }
}

words! {
    /// What makes two units similar.
    pub enum By {
        /// The correlation of their activations over the images of the data set.
        Correlation = "correlation",
        /// The cosine of the weights by which each is computed.
        WeightsIn = "weights_in",
        /// The cosine of the weights by which each is read.
        WeightsOut = "weights_out",
    }
}

words! {
    /// Which end of a list comes first.
    pub enum Order {
        /// The most similar units.
        Nearest = "nearest",
        /// The most opposed units.
        Opposite = "opposite",
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "unit_similarity",
    summary: "the units nearest to a unit or a direction, or a map of all units of a layer",
    doc: "Two units are similar if their pooled activations over the images of the data set are correlated (Pearson's r). With `unit`, `units`, `direction` or `target`, the result is a list of the nearest units of the layer, each with its strongest image. Beside the correlation it has the cosines of the units' weights, where the layer has them: *in*, the weights by which a unit is computed, and *out*, those by which the next layers read it. At a ResNet's residual sum, weights in are those of the block's last convolution and of its shortcut, and what the stream carries past the block is not among them.\n\n\
          Without a target, the result is a map of all units of the layer. Each unit is a point, units with similar activations are close, and a unit shows its strongest image. `method: tsne` keeps neighbours together: distances are √(2 − 2r), and only the ranks of near units mean something; how far apart groups are and how large they are does not. `method: pca` shows the two directions in which the units' standardised activations differ most. The figure says how many of each unit's ten nearest units are still among the ten nearest on the map. A map has no random step: t-SNE starts from the principal components. Units with the same activation for every image have no correlation; they are left out and listed. With `groups`, the units of a map are also divided into groups by the same distances, in all dimensions and not only in the two that are drawn: hierarchical clustering, in which Ward's criterion decides what is merged. A group has the name of the label that at least half of its units have, or else of the two most frequent captions of its units' strongest images.\n\n\
          Methods: van der Maaten and Hinton, *Visualizing Data using t-SNE*, 2008, with van der Maaten's approximation by trees, 2014, and the start and the learning rate of Kobak and Berens, *The art of using t-SNE for single-cell transcriptomics*, 2019. Ward, *Hierarchical Grouping to Optimize an Objective Function*, 1963.",
    // 2: of images with equal activations, the one with the smallest digest of its key goes first.
    impl_version: 2,
    example: "id: near\nkind: unit_similarity\nlayer: image_block_4/0/Add_6\nunit: 42\n",
    fields: &[
        POOL,
        Field::compute(
            "by",
            Type::Choice(By::WORDS),
            "What a list is ordered by: `correlation` over the data set, or the cosine of the weights, `weights_in` or `weights_out`.",
        )
        .or(Preset::Text(By::Correlation.word())),
        Field::compute(
            "order",
            Type::Choice(Order::WORDS),
            "Which end of a list comes first: the `nearest` units, or those with the most `opposite` activations or weights.",
        )
        .or(Preset::Text(Order::Nearest.word())),
        Field::compute("top", Type::Integer { min: 1, max: 100 }, "Number of units in a list.")
            .or(Preset::Integer(12)),
        Field::compute(
            "method",
            Type::Choice(Method::WORDS),
            "The method of a map: `tsne`, or `pca`.",
        )
        .or(Preset::Text(Method::Tsne.word())),
        Field::compute(
            "perplexity",
            Type::Number { min: LEAST_PERPLEXITY, max: 100.0 },
            "The perplexity of t-SNE, about the number of neighbours that a unit is kept close to. A layer of few units has at most a third of them.",
        )
        .or(Preset::Number(30.0)),
        Field::compute(
            "steps",
            Type::Integer { min: 300, max: 10_000 },
            "Number of steps of t-SNE. In the first 250, attraction is twelvefold.",
        )
        .or(Preset::Integer(1000)),
        Field::compute(
            "strongest",
            Type::Integer { min: 1, max: 50 },
            "How many of a unit's strongest images are counted for its label, which is the label of most of them.",
        )
        .or(Preset::Integer(9)),
        Field::compute(
            "groups",
            Type::Integer { min: 2, max: MOST_GROUPS as i64 },
            "Number of groups into which the units of a map are divided, for `colour: group`. Units without groups are the default.",
        ),
        Field::presentation(
            "colour",
            Type::Choice(&["label", "group", "kurtosis", "deviation"]),
            "What the colours of a map mean: the `label` of most of a unit's strongest images; its `group`, which needs `groups`; the `kurtosis` of its activations; or the `deviation` of its strongest image, in standard deviations.",
        )
        .or(Preset::Text("label")),
    ],
    about: About::Target,
    data: Data::Always,
    scan: Scan::Layer,
    captions: true,
    noise: Noise { aside: &["settled"], ..Noise::FITTED },
    values: Values {
        named: &[
            counted("images", "count", "images", "Number of images in the data set."),
            named("units", "units", "Number of units of the layer."),
            counted("units_constant", "constant", "units", "Number of units with the same activation for every image."),
            named("spoiled[n].unit", "", "The n-th unit that is left out because an activation of it is NaN or infinite; `spoiled.length` is their number."),
            named("spoiled[n].key", "", "The key of the first picture for which it is."),
            named("spoiled[n].is", "", "What the activation is: `NaN` or `infinite`."),
            named("nearest[n].unit", "", "The n-th unit of a list."),
            named(
                "nearest[n].correlation",
                "",
                "Its correlation with the target; also by the unit, `nearest[unit=42].correlation`. Undefined if it is constant.",
            ),
            named("nearest[n].weights_in", "", "The cosine of its weights in, if the layer has them."),
            named("nearest[n].weights_out", "", "The cosine of its weights out, if the layer has them."),
            named("nearest[n].label", "", "The label of most of its strongest images."),
            named("nearest[n].caption", "", "The caption of its strongest image, or its key."),
            named("mean", "", "The mean correlation of the other units with the target of a list."),
            named("sd", "", "The standard deviation of these correlations."),
            named("kept", "fraction", "Of each unit's ten nearest by correlation, how many are among its ten nearest on a map, on average."),
            named("divergence", "", "The Kullback–Leibler divergence that t-SNE minimises, at its end."),
            named("settled", "fraction", "By how much the last twentieth of the steps lowered that divergence."),
            named("perplexity_used", "", "The perplexity that was used."),
            named("explained[n]", "fraction", "The fraction of the variance along the n-th principal component of a map by `pca`."),
            named("labels[n].label", "", "The n-th label of a map, the most frequent first."),
            named("points[n].unit", "", "The n-th unit of a map."),
            named("points[n].x", "", "Its place from left to right."),
            named("points[n].y", "", "Its place from bottom to top."),
            named("points[n].kurtosis", "", "The excess kurtosis of its activations; also by the unit, `points[unit=42].kurtosis`."),
            named("points[n].deviations", "standard deviations", "Its strongest activation."),
            named("points[n].label", "", "The label of most of its strongest images, if the data set has labels."),
            counted("points[n].images_with_label", "votes", "images", "How many of its strongest images have that label."),
            named("points[n].caption", "", "The caption of its strongest image, or its key."),
            named("groups[n].label", "", "The name of the n-th group of a map with `groups`, the largest first."),
            named("groups[n].units", "units", "Its number of units."),
            named("points[n].group", "", "The name of the n-th unit's group."),
            named("labels[n].units", "units", "The number of units with that label; also by the label, `labels[label=face].units`."),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    form: form::<Params>,
    work: |params| if has_target(params) { 1.0 } else { 10.0 },
    sample: |params, number| {
        let (outcome, pictures) = sample(!has_target(params), number);
        Sample::of(&outcome, pictures)
    },
    ..Kind::BASE
};

/// The fields that only a list has.
const OF_LIST: [&str; 3] = ["by", "order", "top"];
/// The fields that only a map has.
const OF_MAP: [&str; 5] = ["method", "perplexity", "steps", "groups", "colour"];

fn has_target(fields: &Map<String, Value>) -> bool {
    !target::given(fields).is_empty()
}

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let about = target::several(fields)
        .or_else(|| target::without_layer(fields))
        .or_else(|| target::pooling(fields));
    if about.is_some() {
        return about;
    }
    let has = |name: &&&'static str| fields.contains_key(**name);
    let wrong = |field, message: String, hint| Some(Fault { field, message, hint });
    let is_list = has_target(fields);
    if !is_list && !fields.contains_key("layer") {
        let hint = "give a layer; `neuronotes model info` lists them";
        return wrong("kind", "a map needs a `layer`".to_owned(), hint);
    }
    let idle = if is_list { &OF_MAP[..] } else { &OF_LIST[..] };
    if let Some(name) = idle.iter().find(has) {
        let (what, hint) = match is_list {
            true => ("a list", "remove it, or remove the target to get a map of the whole layer"),
            false => ("a map", "remove it, or add a `unit` or a `direction` to get a list"),
        };
        return wrong(name, format!("`{name}` has no effect on {what}"), hint);
    }
    let method = fields.get("method").and_then(Value::as_str);
    if method == Some(Method::Pca.word())
        && let Some(name) = ["perplexity", "steps"].iter().find(has)
    {
        let message = format!("`{name}` has no effect on a map by `pca`");
        return wrong(name, message, "remove it, or use `method: tsne`");
    }
    if fields.get("colour").is_some_and(|colour| colour == "group")
        && !fields.contains_key("groups")
    {
        let message = "`colour: group` needs `groups`".to_owned();
        return wrong("colour", message, "add `groups: 8`, a number of groups");
    }
    None
}

/// Brings what belongs to the map alone to the top, where prose finds it by its name.
fn derive(outcome: Outcome, tree: &mut Value) {
    tree["spoiled"] = json!(outcome.spoiled);
    let Some(chart) = outcome.chart else { return };
    tree["kept"] = json!(chart.kept);
    tree["divergence"] = json!(chart.divergence);
    tree["settled"] = json!(chart.settled);
    tree["perplexity_used"] = json!(chart.perplexity);
    tree["explained"] = json!(chart.explained);
    tree["labels"] = json!(chart.labels);
    tree["groups"] = json!(chart.groups);
    let point = |point: &Point| {
        let label = point.label.and_then(|label| chart.labels.get(label as usize));
        let caption = chart.sheet.tiles.get(point.tile as usize).map(|tile| &tile.caption);
        let mut named = json!(point);
        named["label"] = json!(label.map(|tally| &tally.label));
        let group = point.group.and_then(|group| chart.groups.get(group as usize));
        named["group"] = json!(group.map(|tally| &tally.label));
        named["caption"] = json!(caption);
        named
    };
    tree["points"] = chart.points.iter().map(point).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_without_effect_and_targets_without_layers_are_named() {
        let layer = "visual.layer4.0";
        let field = |block: Value| {
            let Value::Object(fields) = block else { unreachable!() };
            fault(&fields).map(|fault| fault.field)
        };
        assert_eq!(field(json!({ "layer": layer })), None);
        assert_eq!(field(json!({ "layer": layer, "unit": 3, "top": 4 })), None);
        assert_eq!(field(json!({ "direction": { "text": "red" } })), None);
        assert_eq!(field(json!({})), Some("kind"));
        assert_eq!(field(json!({ "unit": 3 })), Some("unit"));
        assert_eq!(field(json!({ "layer": layer, "unit": 3, "units": [4] })), Some("units"));
        assert_eq!(field(json!({ "layer": layer, "unit": 3, "steps": 500 })), Some("steps"));
        assert_eq!(field(json!({ "layer": layer, "unit": 3, "colour": "label" })), Some("colour"));
        assert_eq!(field(json!({ "layer": layer, "top": 5 })), Some("top"));
        assert_eq!(field(json!({ "layer": layer, "method": "pca", "steps": 500 })), Some("steps"));
        assert_eq!(field(json!({ "layer": layer, "unit": 3, "pool": "max" })), None);
        assert_eq!(field(json!({ "layer": layer, "colour": "group" })), Some("colour"));
        assert_eq!(field(json!({ "layer": layer, "colour": "group", "groups": 4 })), None);
        assert_eq!(field(json!({ "layer": layer, "unit": 3, "groups": 4 })), Some("groups"));
        assert_eq!(field(json!({ "layer": layer, "units": [1, 2], "pool": "max" })), Some("pool"));
    }
}
