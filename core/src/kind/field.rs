//! Fields of an analysis block as data: parsing, defaults, documentation and error messages all read
//! the same entries.

use serde_json::Value;

use crate::suggest;

/// One field of a block.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in YAML.
    pub name: &'static str,
    /// What it takes.
    pub ty: Type,
    /// What it is when left out.
    pub default: Preset,
    /// What it decides.
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

    /// The field that picks one of the kind's recipes; the first unless a block says otherwise.
    pub const fn recipe(
        name: &'static str,
        names: &'static [&'static str],
        doc: &'static str,
    ) -> Self {
        let first = Preset::Text(names[0]);
        Self { role: Role::Recipe, ..Self::compute(name, Type::Choice(names), doc) }.or(first)
    }

    /// The same field with this value where a block leaves it out.
    pub const fn or(self, default: Preset) -> Self {
        Self { default, ..self }
    }

    /// Checks a parameter against the field's bounds or words.
    ///
    /// # Errors
    /// Says what the value is and what it must be.
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

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// A whole number within bounds.
    Integer {
        /// Least.
        min: i64,
        /// Greatest.
        max: i64,
    },
    /// A number within bounds.
    Number {
        /// Least.
        min: f64,
        /// Greatest.
        max: f64,
    },
    /// A whole number from 0 that random numbers follow from. Where it is left out, the configuration decides.
    Seed,
    /// `true` or `false`.
    Flag,
    /// Text.
    Text,
    /// The block's name within its note, by which links and addresses know it.
    Id,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A model's name out of the configuration.
    Model,
    /// A data set's name out of the configuration.
    Dataset,
    /// Arithmetic of the forward pass.
    Precision,
    /// A layer of the model, in either spelling.
    Layer,
    /// A unit of the layer.
    Unit,
    /// A list of texts, or the name of a data set that is a list of words. A parameter is an array of texts.
    Texts,
    /// A list of texts with a place, `{}`, that another text is put into. A parameter is an array of texts.
    Templates,
    /// A list of names, or a mapping of names to what prompts call them. A parameter is an array of
    /// [`Class`](super::class::Class).
    Classes,
    /// A list of pictures in the garden, by their paths. A parameter is an array of their digests.
    Pictures,
    /// A picture in the garden, by its path. A parameter is its digest.
    Picture,
    /// A list of layers. A parameter is an array of their canonical spellings; where it is left out, the kind
    /// knows which.
    Layers,
    /// A data set's name out of the configuration. A parameter is the digest of its content.
    Content,
    /// A folder in the garden with a NumPy file of weights for each of the layers. A parameter is an array of their
    /// digests.
    Weights,
    /// Other fields, each with a list of values. No parameter: each combination is a request of its own.
    Sweep,
    /// The name of a block, in the note, as `note#id`, or anywhere in the garden. A parameter is its request key.
    Block(Takes),
    /// The names of blocks, each as [`Type::Block`] has it. A parameter is an array of request keys, of all measurements of a
    /// sweep.
    Blocks(Takes),
    /// A direction in the space of embeddings or of a layer's units. A parameter is an array of
    /// [`Term`](super::direction::Term).
    Direction,
    /// Units of the layer: a list, or a mapping to weights. Short for a direction of these units, which the
    /// parameter `direction` then is.
    Units,
}

/// Which blocks a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Takes {
    /// Of which kinds.
    pub kinds: Kinds,
    /// Whether they must be measured on the model of the block that names them.
    pub same_model: bool,
    /// Whether their layers must come before the layer of the block that names them.
    pub before: bool,
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
        Self { kinds: Kinds::WithPictures, same_model: false, before: false };
}

/// Most texts, and most classes, of one block.
pub const MOST_TEXTS: usize = 20_000;
/// Most templates of one block; CLIP's own list for ImageNet has 80.
pub const MOST_TEMPLATES: usize = 200;
/// Most classes of one block; ImageNet has 1,000.
pub const MOST_CLASSES: usize = 2_000;
/// Most pictures of one field.
pub const MOST_PICTURES: usize = 100;
/// Most combinations of values that one block sweeps over.
pub const MOST_POINTS: usize = 256;
/// Most layers of one list.
pub const MOST_LAYERS: usize = 64;
/// Most units of one term of a direction.
pub const MOST_UNITS: usize = 1_000;

/// What a field is when left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    /// It cannot be left out.
    Required,
    /// This whole number.
    Integer(i64),
    /// This number.
    Number(f64),
    /// This word or text.
    Text(&'static str),
    /// These texts.
    Texts(&'static [&'static str]),
    /// This flag.
    Flag(bool),
    /// What `defaults:` in the configuration says.
    Configured,
    /// What the block's [`Recipe`](super::Recipe) says.
    Recipe,
    /// Nothing.
    Absent,
}

impl Preset {
    /// The value; `None` where it is not written here, or there is none.
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Integer(n) => Some(n.into()),
            Self::Number(x) => Some(x.into()),
            Self::Text(text) => Some(text.into()),
            Self::Texts(texts) => Some(texts.into()),
            Self::Flag(flag) => Some(flag.into()),
            Self::Required | Self::Configured | Self::Recipe | Self::Absent => None,
        }
    }
}

/// What a field decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is in the request key.
    Compute,
    /// It is in the figure key only, and never causes a measurement.
    Presentation,
    /// It picks a [`Recipe`](super::Recipe), whose values other fields have when left out. It is in no key itself.
    Recipe,
}

/// What is said of every field `layer`.
const LAYER: &str = "A layer of the model's visual tower, which `neuronotes model info` lists: in the article's spelling \
                     (`image_block_4/5/Add_6`), PyTorch's (`visual.layer4.5.add`, \
                     `visual.transformer.resblocks.5.mlp.gelu`) or Hugging Face's.";

/// The fields of a kind that is about a unit, a direction or a whole layer.
pub static TARGET: &[Field] = &[
    Field::compute("layer", Type::Layer, LAYER),
    Field::compute("unit", Type::Unit, "One channel of that layer, counted from 0."),
    Field::compute(
        "units",
        Type::Units,
        "Several channels of that layer together: a list, `[3, 7]`, or a mapping to weights, `{3: 1, 7: -0.5}`. \
         Short for `direction: { units: … }`.",
    ),
    Field::compute(
        "direction",
        Type::Direction,
        "A direction in the space of the layer's units: one of `text`, `image`, `images`, `words`, `units`, \
         `dataset`, `use` and `sum`, as `neuronotes kinds text_rank` explains them. Without `layer` it is one in the space \
         of embeddings, where alone texts have directions; elsewhere activations averaged over positions stand for \
         embeddings.",
    ),
];

/// The fields of every kind.
pub static COMMON: &[Field] = &[
    Field::compute("model", Type::Model, "A name out of `models:` in `neuronotes.yaml`.")
        .or(Preset::Configured),
    Field::compute("layer", Type::Layer, LAYER).or(Preset::Required),
    Field::compute("unit", Type::Unit, "The channel of that layer, counted from 0.")
        .or(Preset::Required),
    Field::compute("dataset", Type::Dataset, "A name out of `datasets:` in `neuronotes.yaml`.")
        .or(Preset::Configured),
    Field::compute(
        "precision",
        Type::Precision,
        "Arithmetic of the forward pass: `f32`; `bf16`, coarser and faster where the processor or GPU knows \
         it; or `f16`, on a GPU. Unless `defaults:` in `neuronotes.yaml` says otherwise, `f32`.",
    )
    .or(Preset::Configured),
    Field::compute(
        "sweep",
        Type::Sweep,
        "One or two other fields, each with a list of values, such as `sweep: { unit: [89, 244] }`: each combination \
         is measured, and all stand in one grid, with a row for each value of the first of two.",
    ),
    Field::presentation(
        "id",
        Type::Id,
        "The block's name within its note: letters, digits, `-` and `_`. Links and addresses use it.",
    ),
    Field::presentation("title", Type::Text, "A heading above the figure."),
    Field::presentation(
        "caption",
        Type::Text,
        "Markdown below the figure; wikilinks and values work.",
    ),
    Field::presentation(
        "alt",
        Type::Text,
        "What the figure shows, for readers who cannot see it. Without it the kind writes one.",
    ),
    Field::presentation(
        "width",
        Type::Choice(&["text", "middle", "page", "screen"]),
        "How much of the page the figure takes.",
    )
    .or(Preset::Text("text")),
];
