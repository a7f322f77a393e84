//! Fields of an analysis block as data, used for parsing, defaults, documentation and error messages.

use serde_json::Value;

use super::term::DIRECTION;
use crate::suggest;

/// One field of a block.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in YAML.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Its default.
    pub default: Preset,
    /// Its role.
    pub role: Role,
    /// One or two sentences of Markdown.
    pub doc: &'static str,
}

impl Field {
    /// An optional field that decides what is measured.
    pub const fn compute(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self { name, ty, default: Preset::Absent, role: Role::Compute, doc }
    }

    /// An optional field that decides how a result is shown.
    pub const fn presentation(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self { role: Role::Presentation, ..Self::compute(name, ty, doc) }
    }

    /// The field that selects one of the kind's recipes; the first by default.
    pub const fn recipe(
        name: &'static str,
        names: &'static [&'static str],
        doc: &'static str,
    ) -> Self {
        let first = Preset::Text(names[0]);
        Self { role: Role::Recipe, ..Self::compute(name, Type::Choice(names), doc) }.or(first)
    }

    /// The same field with this default.
    pub const fn or(self, default: Preset) -> Self {
        Self { default, ..self }
    }

    /// Checks a parameter against the field's bounds or words.
    ///
    /// # Errors
    /// If it is invalid: names the value and what is expected.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let must =
            |expected: String| Err(format!("`{}` is {value}, but must be {expected}", self.name));
        match self.ty {
            Type::Integer { min, max } => match value.as_i64() {
                Some(n) if (min..=max).contains(&n) => Ok(()),
                _ => must(format!("a whole number from {min} to {max}")),
            },
            Type::Number { min, max } => match value.as_f64() {
                Some(x) if (min..=max).contains(&x) => Ok(()),
                _ => must(format!("a number from {min} to {max}")),
            },
            Type::Numbers { min, max, most } => {
                let fits = |x: &Value| x.as_f64().is_some_and(|x| (min..=max).contains(&x));
                match value.as_array() {
                    Some(all) if all.len() <= most && all.iter().all(fits) => Ok(()),
                    _ => must(format!("at most {most} numbers from {min} to {max}")),
                }
            }
            Type::Seed if value.as_u64().is_none() => must("a whole number from 0".to_owned()),
            Type::Flag if !value.is_boolean() => must("`true` or `false`".to_owned()),
            Type::Choice(words) => match value.as_str() {
                Some(word) if words.contains(&word) => Ok(()),
                _ => {
                    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
                    must(suggest::quoted(&words, "or"))
                }
            },
            _ => Ok(()),
        }
    }
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// A whole number within bounds.
    Integer {
        /// Minimum.
        min: i64,
        /// Maximum.
        max: i64,
    },
    /// A number within bounds.
    Number {
        /// Minimum.
        min: f64,
        /// Maximum.
        max: f64,
    },
    /// Numbers within bounds: a list. A parameter is an array of them, ascending, each once.
    Numbers {
        /// Minimum of each.
        min: f64,
        /// Maximum of each.
        max: f64,
        /// Maximum number of them.
        most: usize,
    },
    /// A random seed: a whole number from 0. The configuration sets its default.
    Seed,
    /// `true` or `false`.
    Flag,
    /// Text.
    Text,
    /// A text that the model's text tower reads.
    Prompt,
    /// The block's name in its note, used in links and addresses.
    Id,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A model's name from the configuration.
    Model,
    /// A data set's name from the configuration.
    Dataset,
    /// Precision of the forward pass.
    Precision,
    /// A layer of the model, in any spelling, or a dictionary over one. A parameter is a
    /// [`Place`](crate::model::Place).
    Layer,
    /// A unit of the layer, or a feature of the dictionary.
    Unit,
    /// Several units of the layer, each by itself: a list. A parameter is an array of numbers.
    Channels,
    /// Attention heads at the layer: a list. A parameter is an array of numbers.
    Heads {
        /// Whether all heads are meant if it is left out.
        all: bool,
    },
    /// A unit of a layer after the block's: a mapping. A parameter is a [`UnitAt`](super::unit_at::UnitAt).
    UnitAt,
    /// A list of texts, or the name of a data set that is a list of words. A parameter is an array of texts.
    Texts,
    /// A list of texts with a placeholder, `{}`, for another text. A parameter is an array of texts.
    Templates,
    /// A list of names, or a mapping of names to what prompts call them. A parameter is an array of
    /// [`Class`](super::class::Class).
    Classes,
    /// A list of labels, or a mapping of categories to the labels in each. A parameter is an array of
    /// [`Class`](super::class::Class).
    Categories,
    /// Names of lists of the garden (`lists:` in the configuration). A parameter is an array of
    /// [`Class`](super::class::Class), with the texts of each list as the names.
    Lists,
    /// Files of labels that raters gave, in the garden: paths and patterns. A parameter is an array of their digests.
    LabelFiles,
    /// A list of pictures in the garden, by their paths. A parameter is an array of their digests.
    Pictures,
    /// A picture in the garden, by its path. A parameter is its digest.
    Picture,
    /// A list of layers. A parameter is an array of their canonical spellings; if it is left out, the kind
    /// knows which.
    Layers,
    /// A data set's name from the configuration. A parameter is the digest of its content.
    Content,
    /// A folder in the garden with a NumPy file of weights for each of the layers. A parameter is an array of their
    /// digests.
    Weights,
    /// Other fields, each with a list of values. No parameter: each combination is a request of its own.
    Sweep,
    /// Conditions on measured values. No parameter: they are judged, and decide nothing.
    Expect,
    /// The name of a block, in the note, as `note#id`, or anywhere in the garden. A parameter is its request key.
    Block(Takes),
    /// The names of blocks, each as [`Type::Block`] has it. A parameter is an array of request keys, of all measurements of a
    /// sweep.
    Blocks(Takes),
    /// A direction in the space of embeddings or of a layer's units. A parameter is an array of
    /// [`Term`](super::term::Term).
    Direction,
    /// A list of directions. A parameter is an array of those of [`Type::Direction`].
    Directions,
    /// The name of a block of the kind `direction`. Short for a direction with that one term, which the parameter
    /// `direction` then is.
    Target,
    /// A group of pictures. A parameter is a [`Group`](super::group::Group).
    Group,
    /// Units of the layer: a list, or a mapping to weights. Short for a direction of these units, which the
    /// parameter `direction` then is.
    Units,
}

/// Which blocks a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Takes {
    /// The kinds that the blocks may have.
    pub kinds: Kinds,
    /// Whether they must be measured on the model of the block that names them.
    pub same_model: bool,
    /// Whether their layers must come before the layer of the block that names them.
    pub before: bool,
    /// Whether they must be at the place of the block that names them.
    pub here: bool,
}

/// Kinds of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Those of these names.
    Named(&'static [&'static str]),
    /// Those whose results hold pictures.
    WithPictures,
}

impl Takes {
    /// Blocks whose pictures are used, of any model.
    pub const PICTURES: Self =
        Self { kinds: Kinds::WithPictures, same_model: false, before: false, here: false };
}

/// Maximum number of texts in a block.
pub const MOST_TEXTS: usize = 20_000;
/// Maximum number of templates in a block; CLIP's own list for ImageNet has 80.
pub const MOST_TEMPLATES: usize = 200;
/// Maximum number of classes in a block; ImageNet has 1,000.
pub const MOST_CLASSES: usize = 2_000;
/// Maximum number of pictures in a field.
pub const MOST_PICTURES: usize = 100;
/// Maximum number of combinations of values in a sweep.
pub const MOST_POINTS: usize = 256;
/// Maximum number of layers in a list.
pub const MOST_LAYERS: usize = 64;
/// Maximum number of attention heads in a list.
pub const MOST_HEADS: usize = 256;
/// Maximum number of units in a term of a direction.
pub const MOST_UNITS: usize = 1_000;

/// The default of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    /// None: the field is required.
    Required,
    /// This whole number.
    Integer(i64),
    /// This number.
    Number(f64),
    /// This word or text.
    Text(&'static str),
    /// These texts.
    Texts(&'static [&'static str]),
    /// These numbers, ascending.
    Numbers(&'static [f64]),
    /// This flag.
    Flag(bool),
    /// The value in the configuration's `defaults:`.
    Configured,
    /// The value in the block's [`Recipe`](super::Recipe).
    Recipe,
    /// Nothing.
    Absent,
}

impl Preset {
    /// The value; `None` if it is not set here, or there is none.
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Integer(n) => Some(n.into()),
            Self::Number(x) => Some(x.into()),
            Self::Text(text) => Some(text.into()),
            Self::Texts(texts) => Some(texts.into()),
            Self::Numbers(numbers) => Some(numbers.into()),
            Self::Flag(flag) => Some(flag.into()),
            Self::Required | Self::Configured | Self::Recipe | Self::Absent => None,
        }
    }
}

/// The role of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is part of the request key.
    Compute,
    /// It is part of the figure key only, and never causes a measurement.
    Presentation,
    /// It selects a [`Recipe`](super::Recipe), which sets the defaults of other fields. It is not part of any key
    /// itself.
    Recipe,
}

/// The documentation of every field `layer`.
const LAYER: &str = "A layer of the model's visual tower, which `neuronotes model info` lists: in the article's spelling \
                     (`image_block_4/5/Add_6`), PyTorch's (`visual.layer4.5.add`, \
                     `visual.transformer.resblocks.5.mlp.gelu`) or Hugging Face's. Or the name of a dictionary from `dictionaries:` in \
                     `neuronotes.yaml`, whose features are then the units.";

/// The fields of a kind that is about a unit or a direction.
pub static TARGET: &[Field] = &[
    Field::compute("layer", Type::Layer, LAYER),
    Field::compute("unit", Type::Unit, "One channel of that layer, counted from 0."),
    Field::compute(
        "units",
        Type::Units,
        "Several channels of that layer together: a list, `[3, 7]`, or a mapping to weights, `{3: 1, 7: -0.5}`. An abbreviation of `direction: { units: … }`.",
    ),
    Field::compute(
        DIRECTION,
        Type::Direction,
        "A direction in the space of the layer's units: one of `text`, `image`, `images`, `words`, `units`, \
         `dataset`, `use`, `target` and `sum`, as documented by `neuronotes kinds text_rank`. Without `layer` it is in the space of embeddings, the only one with directions of texts; at a layer, activations averaged over positions take the place of embeddings.",
    ),
    Field::compute(
        "target",
        Type::Target,
        "The direction of a block of the kind `direction`, at the same layer: the id of a block in this note, `note#id` in another note, or an id that is unique in the garden. An abbreviation of `direction: { target: … }`.",
    ),
];

/// The fields of every kind.
pub static COMMON: &[Field] = &[
    Field::compute("model", Type::Model, "A model's name from `models:` in `neuronotes.yaml`.")
        .or(Preset::Configured),
    Field::compute("layer", Type::Layer, LAYER).or(Preset::Required),
    Field::compute("dataset", Type::Dataset, "A data set's name from `datasets:` in `neuronotes.yaml`.")
        .or(Preset::Configured),
    Field::compute(
        "precision",
        Type::Precision,
        "Precision of the forward pass: `f32`; `bf16`, which is coarser, and faster if the CPU or GPU supports it; or `f16`, on a GPU. The default is the one in `defaults:` of `neuronotes.yaml`, or else `f32`.",
    )
    .or(Preset::Configured),
    Field::compute(
        "sweep",
        Type::Sweep,
        "One or two other fields, each with a list of values, such as `sweep: { unit: [89, 244] }`: each combination is measured, and all are shown in one grid; with two fields, each value of the first has a row.",
    ),
    Field::presentation(
        "id",
        Type::Id,
        "The block's name in its note: letters, digits, `-` and `_`. Links and addresses use it.",
    ),
    Field::presentation("title", Type::Text, "A heading above the figure."),
    Field::presentation(
        "caption",
        Type::Text,
        "Markdown below the figure; wikilinks and values work.",
    ),
    Field::presentation(
        "expect",
        Type::Expect,
        "What the note expects of measured values: a list of conditions such as `top[0].deviations > 5`, each a text, or a mapping \
         `{ that: CONDITION, claim: ^name, because: TEXT, else: warn }`. A condition that does not hold is reported, and the sentence that \
         ends with `^name` is marked.",
    ),
    Field::presentation(
        "alt",
        Type::Text,
        "A description of the figure for readers who cannot see it. By default, the kind provides one.",
    ),
    Field::presentation(
        "width",
        Type::Choice(&["text", "middle", "page", "screen"]),
        "The figure's width on the page.",
    )
    .or(Preset::Text("text")),
];
