//! An entry of the registry of kinds: what a kind says of itself, and what follows from that.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::exhibit::Exhibit;
use super::field::{COMMON, Field, Kinds, Preset, Role, TARGET, Takes, Type};
use super::sample::Sample;
use super::value::Values;

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
    /// Named defaults of its fields, of which the field with [`Role::Recipe`] picks one.
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
    /// Whether parameters have the form that the lab reads.
    pub form: fn(&Map<String, Value>) -> serde_json::Result<()>,
    /// Units of work of a request with these parameters: its duration is estimated in proportion to them.
    pub work: fn(&Map<String, Value>) -> f64,
    /// A made-up result of a request with these parameters; results with other numbers differ.
    pub sample: fn(&Map<String, Value>, f64) -> Sample,
}

/// Finds the pictures in a kind's result.
pub type Exhibiting = fn(Value) -> serde_json::Result<Vec<Exhibit>>;

/// Values of several fields that go together, under a name.
#[derive(Debug)]
pub struct Recipe {
    /// Its name, a word of the field with [`Role::Recipe`].
    pub name: &'static str,
    /// Where its values are from, and what for.
    pub doc: &'static str,
    /// The recipe that has the values which this one does not have.
    pub base: Option<&'static Recipe>,
    /// A value for each field whose default is [`Preset::Recipe`], unless the base has the same.
    pub values: &'static [(&'static str, Preset)],
}

impl Recipe {
    /// Its value of a field; `None` where it has none.
    pub fn value(&self, field: &str) -> Option<Preset> {
        let own = self.values.iter().find(|(name, _)| *name == field).map(|(_, value)| *value);
        own.or_else(|| self.base?.value(field))
    }

    /// All its values, with those of its base: these first, in their order.
    pub fn all(&self) -> Vec<(&'static str, Preset)> {
        let mut all = self.base.map(Self::all).unwrap_or_default();
        for &(name, value) in self.values {
            match all.iter_mut().find(|(known, _)| *known == name) {
                Some(known) => known.1 = value,
                None => all.push((name, value)),
            }
        }
        all
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

impl Kind {
    /// What a kind is unless it says otherwise: about no layer, without fields, data or values of its own.
    pub const BASE: Self = Self {
        name: "",
        summary: "",
        doc: "",
        example: "",
        impl_version: 1,
        fields: &[],
        recipes: &[],
        sweep: false,
        about: About::Nothing,
        text: false,
        data: Data::Never,
        scan: Scan::None,
        captions: false,
        values: Values { named: &[], of: Ok },
        pictures: None,
        fault: |_| None,
        form: |_| Ok(()),
        work: |_| 1.0,
        sample: |_, _| Sample::default(),
    };

    /// Whether a field takes a block of this kind.
    pub fn fits(&self, takes: Takes) -> bool {
        match takes.kinds {
            Kinds::Named(names) => names.contains(&self.name),
            Kinds::WithPictures => self.pictures.is_some(),
        }
    }

    /// The recipe of that name.
    pub fn recipe(&self, name: &str) -> Option<&'static Recipe> {
        self.recipes.iter().find(|recipe| recipe.name == name)
    }

    /// The field that picks a recipe, where the kind has recipes.
    pub fn recipe_field(&self) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.role == Role::Recipe)
    }

    /// The value of a field that is left out, under a recipe (the first unless named); `None` where it has no value, or
    /// where the configuration decides.
    pub fn default(&self, field: &Field, recipe: Option<&str>) -> Option<Value> {
        match field.default {
            Preset::Recipe => {
                let recipe = recipe.map_or(self.recipes.first(), |name| self.recipe(name))?;
                recipe.value(field.name)?.value()
            }
            default => default.value(),
        }
    }

    /// Checks a request's parameters: their form, and each against its field's bounds and words.
    ///
    /// # Errors
    /// Names the first field that is out of bounds, or says what else is wrong.
    pub fn check(&self, params: &Map<String, Value>) -> Result<(), String> {
        for field in self.fields {
            params.get(field.name).map_or(Ok(()), |value| field.check(value))?;
        }
        (self.form)(params).map_err(malformed)
    }

    /// A request's parameters as the kind's own type, after [`Kind::check`].
    ///
    /// # Errors
    /// As [`Kind::check`].
    pub fn params<T: DeserializeOwned>(&self, params: &Map<String, Value>) -> Result<T, String> {
        self.check(params)?;
        T::deserialize(params).map_err(malformed)
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

/// Whether parameters have the form of `T`, for [`Kind::form`].
pub(super) fn form<T: DeserializeOwned>(params: &Map<String, Value>) -> serde_json::Result<()> {
    T::deserialize(params).map(drop)
}

fn malformed(error: serde_json::Error) -> String {
    format!("the parameters are malformed ({error})")
}
