//! The registry of analyses: for each kind its YAML fields, defaults and documentation, its parameters and its result. How
//! it is measured is the lab's, and how it is drawn is the garden's, each under the same name.
//!
//! A new kind is one file here, one in `lab/src/kind/`, one in `src/figure/`, and one line in each registry.

pub mod activation_histogram;
pub mod class;
pub mod dataset_examples;
pub mod direction;
mod exhibit;
pub mod facet;
pub mod feature_vis;
mod field;
pub mod scan;
pub mod text_rank;
mod value;
pub mod zero_shot;

pub use exhibit::{Exhibit, Origin};
pub use field::{
    COMMON, Default, Field, MOST_CLASSES, MOST_LAYERS, MOST_PICTURES, MOST_POINTS, MOST_TEMPLATES,
    MOST_TEXTS, MOST_UNITS, Role, TARGET, Type,
};
pub use value::{Named, PROVENANCE, Values};

use serde_json::{Map, Value};

/// One analysis that a note can ask for.
#[derive(Debug)]
pub struct Kind {
    /// Its name in YAML.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Markdown: what it measures, how, and the method's source.
    pub doc: &'static str,
    /// A block that works in the demonstration garden.
    pub example: &'static str,
    /// Raised when the same parameters give another result.
    pub impl_version: u32,
    /// Its own fields; [`COMMON`] come on top.
    pub fields: &'static [Field],
    /// Named defaults of its fields, of which the field `recipe` picks one.
    pub recipes: &'static [Recipe],
    /// Whether a block may ask for several values of a field at once.
    pub sweep: bool,
    /// What it is about, which decides its fields beside its own.
    pub about: About,
    /// Whether it needs the model's text tower whatever its fields say.
    pub text: bool,
    /// Whether it reads a data set.
    pub data: Data,
    /// Which scan of its data set it reads.
    pub scan: Scan,
    /// Whether it reads captions and labels of its data set, which then decide its results.
    pub captions: bool,
    /// What prose may show of its result.
    pub values: Values,
    /// The pictures of a stored result that other figures may be made of, for kinds that have some.
    pub pictures: Option<Exhibiting>,
    /// What is wrong with fields that are each right by themselves, before defaults are filled in.
    pub fault: fn(&Map<String, Value>) -> Option<Fault>,
}

/// Finds the pictures in a kind's result.
pub type Exhibiting = fn(Value) -> serde_json::Result<Vec<Exhibit>>;

/// Defaults that go together, under a name.
#[derive(Debug)]
pub struct Recipe {
    /// Its name, a word of the field `recipe`.
    pub name: &'static str,
    /// Where its values are from, and what for.
    pub doc: &'static str,
    /// A value for each field whose default is [`Default::Recipe`].
    pub values: &'static [(&'static str, Default)],
}

impl Recipe {
    /// Its value of a field; none where it has none.
    pub fn value(&self, field: &str) -> Option<Default> {
        self.values.iter().find(|(name, _)| *name == field).map(|(_, value)| *value)
    }
}

/// What a kind is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// No layer.
    Nothing,
    /// One unit of a layer; the fields `layer` and `unit` must name them.
    Unit,
    /// A unit, a direction or a whole layer, as the fields of [`TARGET`] say.
    Target,
}

/// Whether a kind reads a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// It has no field `dataset`.
    Never,
    /// The block's, else the one that the configuration's defaults name.
    Always,
    /// The same, unless the block has one of these fields.
    Unless(&'static [&'static str]),
}

/// Which scan of its data set a kind reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// None.
    None,
    /// That of the block's layer.
    Layer,
    /// That of the layer of embeddings.
    Embedding,
}

/// What is wrong with a block's fields together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field where it is said, if the block has it.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

/// Every kind, in the order in which they are documented.
pub static KINDS: &[&Kind] = &[
    &feature_vis::KIND,
    &dataset_examples::KIND,
    &activation_histogram::KIND,
    &zero_shot::KIND,
    &text_rank::KIND,
    &facet::KIND,
];

impl Kind {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().copied().find(|kind| kind.name == name)
    }

    /// The recipe of that name.
    pub fn recipe(&self, name: &str) -> Option<&'static Recipe> {
        self.recipes.iter().find(|recipe| recipe.name == name)
    }

    /// What a field is when left out, under a recipe (the first unless named); `None` where it has no value, or the
    /// configuration decides.
    pub fn default(&self, field: &Field, recipe: Option<&str>) -> Option<Value> {
        let plain = |default| match default {
            Default::Integer(n) => Some(n.into()),
            Default::Number(x) => Some(x.into()),
            Default::Text(text) => Some(text.into()),
            Default::Texts(texts) => Some(texts.into()),
            Default::Flag(flag) => Some(flag.into()),
            Default::Recipe | Default::Required | Default::Configured | Default::Absent => None,
        };
        match field.default {
            Default::Recipe => {
                let recipe = recipe.map_or(self.recipes.first(), |name| self.recipe(name))?;
                recipe.value(field.name).and_then(plain)
            }
            default => plain(default),
        }
    }

    /// All fields that a block of this kind may have, its own first.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + Clone + use<> {
        let (about, data, sweep) = (self.about, self.data != Data::Never, self.sweep);
        let target: &[Field] = if about == About::Target { TARGET } else { &[] };
        let common = COMMON.iter().filter(move |field| match field.ty {
            Type::Layer | Type::Unit => about == About::Unit,
            Type::Dataset => data,
            Type::Sweep => sweep,
            _ => true,
        });
        self.fields.iter().chain(target).chain(common)
    }
}
