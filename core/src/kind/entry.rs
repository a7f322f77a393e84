//! An entry of the registry of kinds: a kind's description, and what follows from it.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::exhibit::Exhibit;
use super::field::{COMMON, Field, Kinds, Preset, Role, TARGET, Takes, Type};
use super::known::{Known, Misnamed};
use super::noise::Noise;
use super::sample::Sample;
use super::value::Values;
use crate::model::Architecture;

/// A kind of analysis that a note can request.
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
    /// Bump when the same parameters produce a different result.
    pub impl_version: u32,
    /// Its own fields, in addition to [`COMMON`].
    pub fields: &'static [Field],
    /// Named sets of defaults, selected by the field with [`Role::Recipe`].
    pub recipes: &'static [Recipe],
    /// Whether a block can sweep over values of a field.
    pub sweep: bool,
    /// Its subject, which adds fields to its own.
    pub about: About,
    /// Whether it needs the model's text tower.
    pub text: bool,
    /// The field and the word with which it does not.
    pub text_unless: Option<(&'static str, &'static str)>,
    /// Whether it reads a data set.
    pub data: Data,
    /// Which scan of its data set it reads.
    pub scan: Scan,
    /// Whether it is about all features of a dictionary where its layer is one.
    pub features: bool,
    /// Whether it reads captions and labels of its data set, which then decide its results.
    pub captions: bool,
    /// The values of its result that prose can show.
    pub values: Values,
    /// Lists the pictures in a stored result that other figures can use, for kinds with such pictures.
    pub pictures: Option<Exhibiting>,
    /// Finds problems with combinations of fields, before defaults are filled in; [`Kind::faulty`] asks it.
    pub fault: fn(&Map<String, Value>) -> Option<Fault>,
    /// Finds what is to be warned of in a stored result, such as a control that cannot control anything.
    pub warns: Option<Warning>,
    /// Finds problems of parameters with the model, once names are resolved and defaults filled in.
    pub misfit: fn(&Map<String, Value>, &Architecture) -> Option<Fault>,
    /// Finds problems with what parameters name, such as classes that a used probe does not have; [`Kind::misnamed`] asks it.
    pub naming: Naming,
    /// How far two results of one request may lie apart and still say the same.
    pub noise: Noise,
    /// Removes parameters that have no effect beside the others, so that a request holds only what decides its result.
    pub trim: fn(&mut Map<String, Value>),
    /// Checks that parameters have the type that the lab expects.
    pub form: fn(&Map<String, Value>) -> serde_json::Result<()>,
    /// Units of work of a request with these parameters; the estimated duration is proportional to them.
    pub work: fn(&Map<String, Value>) -> f64,
    /// A made-up result of a request with these parameters; results with other numbers differ.
    pub sample: fn(&Map<String, Value>, f64) -> Sample,
}

/// Finds problems with what a block's parameters name.
pub type Naming = fn(&Map<String, Value>, &mut dyn Known) -> Vec<Misnamed>;

/// Finds the pictures in a kind's result.
pub type Exhibiting = fn(Value) -> serde_json::Result<Vec<Exhibit>>;

/// Finds a warning about a stored result.
pub type Warning = fn(Value) -> serde_json::Result<Option<Fault>>;

/// A named set of values for several fields.
#[derive(Debug)]
pub struct Recipe {
    /// Its name, a word of the field with [`Role::Recipe`].
    pub name: &'static str,
    /// The source and purpose of its values.
    pub doc: &'static str,
    /// The recipe from which it takes all other values.
    pub base: Option<&'static Recipe>,
    /// A value for each field with [`Preset::Recipe`], unless the base has it.
    pub values: &'static [(&'static str, Preset)],
}

impl Recipe {
    /// Its value for a field, if any.
    pub fn value(&self, field: &str) -> Option<Preset> {
        let own = self.values.iter().find(|(name, _)| *name == field).map(|(_, value)| *value);
        own.or_else(|| self.base?.value(field))
    }

    /// All its values, after those of its base, in order.
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

/// The subject of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// No layer.
    Nothing,
    /// A unit or a direction of a layer, given by the fields of [`TARGET`].
    Unit,
    /// A whole layer, given by the required field `layer`.
    Layer,
    /// What [`About::Unit`] takes, or something else that the kind's own fields say, such as the whole layer.
    Target,
}

/// Whether a kind reads a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// It has no field `dataset`.
    Never,
    /// The block's data set, or else the configuration's default.
    Always,
    /// The same, unless the block has one of these fields.
    Unless(&'static [&'static str]),
    /// The block's data set, or else the configuration's default. If there is neither, the kind does without one, unless a
    /// field needs it.
    Optional,
}

/// Which scan of its data set a kind reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// None.
    None,
    /// The scan of the block's layer.
    Layer,
    /// The same, unless the block has this field.
    LayerUnless(&'static str),
    /// The scan of the embedding.
    Embedding,
}

/// A problem with a combination of a block's fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field at which it is reported, if the block has it.
    pub field: &'static str,
    /// The message.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl Kind {
    /// The defaults of a kind: about no layer, without fields, data or values of its own.
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
        text_unless: None,
        data: Data::Never,
        scan: Scan::None,
        features: false,
        captions: false,
        values: Values { named: &[], of: Ok },
        pictures: None,
        fault: |_| None,
        warns: None,
        misfit: |_, _| None,
        naming: |_, _| vec![],
        noise: Noise::ACTIVATIONS,
        trim: |_| {},
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

    /// The recipe with that name.
    pub fn recipe(&self, name: &str) -> Option<&'static Recipe> {
        self.recipes.iter().find(|recipe| recipe.name == name)
    }

    /// The field that selects a recipe, if the kind has recipes.
    pub fn recipe_field(&self) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.role == Role::Recipe)
    }

    /// The default of a field with a recipe (the first unless named); `None` if there is none, or if the
    /// configuration sets it.
    pub fn default(&self, field: &Field, recipe: Option<&str>) -> Option<Value> {
        match field.default {
            Preset::Recipe => {
                let recipe = recipe.map_or(self.recipes.first(), |name| self.recipe(name))?;
                recipe.value(field.name)?.value()
            }
            default => default.value(),
        }
    }

    /// Checks a request's parameters: their type, and each against its field's bounds and words.
    ///
    /// # Errors
    /// If a field is out of bounds, or the parameters are invalid otherwise.
    pub fn check(&self, params: &Map<String, Value>) -> Result<(), String> {
        for field in self.fields {
            params.get(field.name).map_or(Ok(()), |value| field.check(value))?;
        }
        (self.form)(params).map_err(malformed)
    }

    /// A request's parameters as the kind's own type, after [`Kind::check`].
    ///
    /// # Errors
    /// As for [`Kind::check`].
    pub fn params<T: DeserializeOwned>(&self, params: &Map<String, Value>) -> Result<T, String> {
        self.check(params)?;
        T::deserialize(params).map_err(malformed)
    }

    /// All fields of a block of this kind, its own first.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + Clone + use<> {
        let (about, data, sweep) = (self.about, self.data != Data::Never, self.sweep);
        let target: &[Field] = match about {
            About::Nothing | About::Layer => &[],
            About::Unit | About::Target => TARGET,
        };
        let common = COMMON.iter().filter(move |field| match field.ty {
            Type::Layer => about == About::Layer,
            Type::Dataset => data,
            Type::Sweep => sweep,
            _ => true,
        });
        self.fields.iter().chain(target).chain(common)
    }
}

/// Checks that parameters have the type `T`, for [`Kind::form`].
pub(super) fn form<T: DeserializeOwned>(params: &Map<String, Value>) -> serde_json::Result<()> {
    T::deserialize(params).map(drop)
}

fn malformed(error: serde_json::Error) -> String {
    format!("the parameters are malformed ({error})")
}
