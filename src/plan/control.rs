//! Controls: a block and the configuration in; the blocks of other kinds that say what its figure is to be compared with
//! out. Each is planned and measured like one that a note has.

use neuronotes_core::kind::controlled::{FIELD, FULL, OFF, ON};
use neuronotes_core::kind::feature_vis::Objective;
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::kind::{
    Kind, MOST_POINTS, Type, activation_histogram, controls, dataset_examples, facet, feature_vis,
    unit_rank,
};
use serde_json::Value as Json;

use super::wanted::Wanted;
use crate::config::{Config, Controls, Drawn};
use crate::field::FieldValue;
use crate::note::{Axis, Block};

/// Number of other seeds of a block that asks for everything.
const SEEDS: u32 = 2;

/// A control of a block.
#[derive(Debug, Clone)]
pub struct Control {
    /// Its name among the values of the block's controls; empty for the only one.
    pub name: &'static str,
    /// What it shows, as a heading has it.
    pub title: &'static str,
    /// Whether it is measured only if blocks use the scans that it needs.
    pub if_scanned: bool,
    /// The block that a note would have for it.
    pub block: Block,
    /// Its requests.
    pub wanted: Wanted,
}

impl Control {
    /// Why it is left out if no block uses the scans that it needs.
    pub(super) fn unscanned(&self) -> Lacking {
        let dataset = self.block.fields.text("dataset").unwrap_or_default();
        let why = format!("no figure scans the layer over the data set `{dataset}`");
        Lacking { name: self.name, title: self.title, why }
    }
}

/// Whether a block's figure has controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controlled {
    /// Figures of its kind have none.
    Never,
    /// It has.
    On,
    /// The block says that it has none.
    OffHere,
    /// The configuration says so of all figures.
    OffEverywhere,
    /// Nothing is said, and it has none.
    Unset,
}

impl Controlled {
    /// Whether somebody decided that the figure has no controls.
    pub fn is_off(self) -> bool {
        matches!(self, Self::OffHere | Self::OffEverywhere)
    }
}

/// Whether a block's figure has controls.
pub fn controlled(config: &Config, block: &Block) -> Controlled {
    if !block.kind.is_some_and(Kind::has_controls) {
        return Controlled::Never;
    }
    match (block.fields.text(FIELD), &config.controls) {
        (Some(OFF), _) => Controlled::OffHere,
        (Some(ON | FULL), _) | (None, Controls::On(_)) => Controlled::On,
        (None, Controls::Off) => Controlled::OffEverywhere,
        (_, Controls::Unset) | (Some(_), _) => Controlled::Unset,
    }
}

/// A control that a figure does not have although its controls are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// What it would be called among the values of the block's controls; empty if it would have no name of its own.
    pub name: &'static str,
    /// What it would show.
    pub title: &'static str,
    /// Why it is left out.
    pub why: String,
}

/// A control that is not planned yet.
pub(super) struct Draft {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) if_scanned: bool,
    pub(super) block: Block,
}

impl Draft {
    fn new(name: &'static str, title: &'static str, block: Block) -> Self {
        Self { name, title, if_scanned: false, block }
    }
}

/// What a block is about, as far as controls depend on it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Subject {
    /// It is a feature of a dictionary, or a sum of some.
    pub(super) of_dictionary: bool,
    /// It is at the embedding.
    pub(super) at_embedding: bool,
}

/// The controls of a sound block, and those that are left out.
pub(super) fn drafts(
    config: &Config,
    block: &Block,
    subject: Subject,
) -> (Vec<Draft>, Vec<Lacking>) {
    if controlled(config, block) != Controlled::On {
        return (vec![], vec![]);
    }
    let mut drawn = match &config.controls {
        Controls::On(drawn) => drawn.clone(),
        Controls::Off | Controls::Unset => Drawn::default(),
    };
    if block.fields.text(FIELD) == Some(FULL) {
        drawn.shuffled = true;
        drawn.seeds = drawn.seeds.max(SEEDS);
    }
    let drawn = &drawn;
    match block.kind.map(|kind| kind.name) {
        Some(name) if name == dataset_examples::KIND.name => {
            (vec![Draft::new("", IMAGES, images(drawn, block))], vec![])
        }
        Some(name) if name == activation_histogram::KIND.name => {
            let draft = Draft::new("", RANK, block.turned(&unit_rank::KIND, []));
            let also = has(block, &["also"]).then(|| Lacking {
                name: "",
                title: "ranks of the units of `also`",
                why: "only the block's own unit has them".to_owned(),
            });
            (vec![draft], also.into_iter().collect())
        }
        Some(name) if name == feature_vis::KIND.name => {
            visualisations(config, drawn, block, subject)
        }
        _ => (vec![], vec![]),
    }
}

const IMAGES: &str = "images that nobody chose";
const RANK: &str = "rank among the units of the layer";
const AMONG: &str = "where the reached activation lies among images";
const SEEDED: &str = "the same with other seeds";
const SHUFFLED: &str = "the same from a network with shuffled weights";

fn images(drawn: &Drawn, block: &Block) -> Block {
    let more = [
        ("random", drawn.random),
        ("bands", drawn.bands),
        ("others", drawn.units),
        ("seed", drawn.seed),
    ];
    block.turned(&controls::KIND, more.map(|(name, value)| (name, value.into())))
}

/// The name of the control with the distribution of activations for images.
pub const NATURAL: &str = "natural";

fn visualisations(
    config: &Config,
    drawn: &Drawn,
    block: &Block,
    subject: Subject,
) -> (Vec<Draft>, Vec<Lacking>) {
    let (mut drafts, mut lacking) = (Vec::new(), Vec::new());
    let mut add = |name, title, found: Result<Block, String>| match found {
        Ok(block) => {
            drafts.push(Draft { if_scanned: name == NATURAL, ..Draft::new(name, title, block) })
        }
        Err(why) => lacking.push(Lacking { name, title, why }),
    };
    add(NATURAL, AMONG, natural(config, block, subject));
    if drawn.seeds > 0 && !sweeps(block, "seed") {
        add("seeds", SEEDED, seeds(config, drawn, block));
    }
    if drawn.shuffled {
        add("shuffled", SHUFFLED, shuffled(drawn, block));
    }
    (drafts, lacking)
}

/// Whether a block sweeps over a field.
fn sweeps(block: &Block, name: &str) -> bool {
    block.sweep.iter().any(|axis| axis.field.name == name)
}

/// Whether a block has one of these fields, or sweeps over it.
fn has(block: &Block, names: &[&str]) -> bool {
    names.iter().any(|name| block.fields.get(name).is_some() || sweeps(block, name))
}

/// The distribution of the target's activations over the default data set, for a block that is comparable with it: whose
/// activation is a mean over positions, or at one position.
fn natural(config: &Config, block: &Block, subject: Subject) -> Result<Block, String> {
    let Some(dataset) = config.defaults.dataset.clone() else {
        return Err("the configuration has no default data set".to_owned());
    };
    if !block.sweep.is_empty() {
        return Err(
            "a sweep has no single distribution; `activation_histogram` draws that of a unit"
                .to_owned(),
        );
    }
    let objective = block.fields.text("objective").unwrap_or(Objective::Channel.word());
    let pool = match objective {
        word if word == Objective::Channel.word() => Pool::Mean,
        word if word == Objective::Neuron.word() && has(block, &["unit"]) => Pool::Max,
        _ => return Err(format!("`objective: {objective}` has no counterpart in a scan")),
    };
    let is_unit = has(block, &["unit"]);
    let other = if has(block, &["shuffle"]) {
        "the figure itself is from shuffled weights"
    } else if has(block, &["cosine_power"]) {
        "the product with the direction is scaled by a power of the cosine"
    } else if subject.of_dictionary {
        "a feature is visualised before its ReLU, and those of images are after it"
    } else if subject.at_embedding && !is_unit {
        "at the embedding, a direction's activations for images are cosines"
    } else {
        let more = [("dataset", dataset.into()), ("pool", pool.word().into())];
        return Ok(block.turned(&activation_histogram::KIND, more));
    };
    Err(other.to_owned())
}

/// The same visualisation with the next seeds, as a second axis of the block's sweep.
fn seeds(config: &Config, drawn: &Drawn, block: &Block) -> Result<Block, String> {
    let none = || "a seed is not a field of the figure".to_owned();
    let kind = block.kind.ok_or_else(none)?;
    let field = kind.all_fields().find(|field| field.ty == Type::Seed).ok_or_else(none)?;
    let points: usize = block.sweep.iter().map(|axis| axis.values.len()).product();
    let count = points * drawn.seeds as usize;
    if block.sweep.len() > 1 {
        return Err("the sweep has two fields already".to_owned());
    }
    if count > MOST_POINTS {
        return Err(format!("that would be {count} pictures; at most {MOST_POINTS} are made"));
    }
    let own = block.fields.get(field.name).and_then(|seed| seed.value.as_i64());
    let own = own.unwrap_or(config.defaults.seed);
    let value = |seed: u32| FieldValue {
        value: Json::from(own.saturating_add(i64::from(seed))),
        span: block.span.clone(),
        places: std::collections::BTreeMap::default(),
    };
    let axis = Axis { field, values: (1..=drawn.seeds).map(value).collect() };
    Ok(block.turned(kind, []).swept_also(axis))
}

/// The same visualisation in a network with shuffled weights, of what such a network has: a unit.
fn shuffled(drawn: &Drawn, block: &Block) -> Result<Block, String> {
    let why = if has(block, &["shuffle"]) {
        "the figure itself is from shuffled weights"
    } else if !has(block, &["unit"]) {
        "only a single `unit` has a counterpart there"
    } else if has(block, &[facet::KIND.name]) {
        "the facet belongs to the trained network"
    } else if has(block, &["image"]) {
        "the figure starts from a picture"
    } else {
        let kind = block.kind.unwrap_or(&feature_vis::KIND);
        return Ok(block.turned(kind, [("shuffle", drawn.seed.into())]));
    };
    Err(why.to_owned())
}
