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
    /// Its heading.
    pub title: &'static str,
    /// Whether it is measured only if blocks use the scans that it needs.
    pub if_scanned: bool,
    /// The block that a note would have for it.
    pub block: Block,
    /// Its requests.
    pub wanted: Wanted,
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

/// The controls of a sound block.
pub(super) fn drafts(config: &Config, block: &Block) -> Vec<Draft> {
    if controlled(config, block) != Controlled::On {
        return vec![];
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
            vec![Draft::new("", "Controls: images that nobody chose", images(drawn, block))]
        }
        Some(name) if name == activation_histogram::KIND.name => {
            let block = block.turned(&unit_rank::KIND, []);
            vec![Draft::new("", "Controls: rank among the units of the layer", block)]
        }
        Some(name) if name == feature_vis::KIND.name => visualisations(config, drawn, block),
        _ => vec![],
    }
}

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

fn visualisations(config: &Config, drawn: &Drawn, block: &Block) -> Vec<Draft> {
    let mut drafts = Vec::new();
    if let Some(block) = natural(config, block) {
        let title = "Controls: where the reached activation lies among images";
        drafts.push(Draft { if_scanned: true, ..Draft::new(NATURAL, title, block) });
    }
    if let Some(block) = seeds(config, drawn, block) {
        drafts.push(Draft::new("seeds", "Controls: the same with other seeds", block));
    }
    if let Some(block) = shuffled(drawn, block) {
        let title = "Controls: the same from a network with shuffled weights";
        drafts.push(Draft::new("shuffled", title, block));
    }
    drafts
}

/// Whether a block has one of these fields, or sweeps over it.
fn has(block: &Block, names: &[&str]) -> bool {
    let swept = |name: &str| block.sweep.iter().any(|axis| axis.field.name == name);
    names.iter().any(|name| block.fields.get(name).is_some() || swept(name))
}

/// The distribution of the target's activations over the default data set, for a block that is comparable with it: whose
/// activation is a mean over positions, or at one position.
fn natural(config: &Config, block: &Block) -> Option<Block> {
    let dataset = config.defaults.dataset.clone()?;
    let objective = block.fields.text("objective").unwrap_or(Objective::Channel.word());
    let pool = match objective {
        word if word == Objective::Channel.word() => Pool::Mean,
        word if word == Objective::Neuron.word() && has(block, &["unit"]) => Pool::Max,
        _ => return None,
    };
    // The product with a direction may be scaled by a power of the cosine.
    let is_other = has(block, &["shuffle", "cosine_power"]) || !block.sweep.is_empty();
    (!is_other).then(|| {
        let more = [("dataset", dataset.into()), ("pool", pool.word().into())];
        block.turned(&activation_histogram::KIND, more)
    })
}

/// The same visualisation with the next seeds, as a second axis of the block's sweep.
fn seeds(config: &Config, drawn: &Drawn, block: &Block) -> Option<Block> {
    let kind = block.kind?;
    let field = kind.all_fields().find(|field| field.ty == Type::Seed)?;
    let points: usize = block.sweep.iter().map(|axis| axis.values.len()).product();
    let fits = block.sweep.len() < 2 && points * drawn.seeds as usize <= MOST_POINTS;
    let is_swept = block.sweep.iter().any(|axis| axis.field.name == field.name);
    if drawn.seeds == 0 || !fits || is_swept {
        return None;
    }
    let own = block.fields.get(field.name).and_then(|seed| seed.value.as_i64());
    let own = own.unwrap_or(config.defaults.seed);
    let value = |seed: u32| FieldValue {
        value: Json::from(own.saturating_add(i64::from(seed))),
        span: block.span.clone(),
        places: std::collections::BTreeMap::default(),
    };
    let axis = Axis { field, values: (1..=drawn.seeds).map(value).collect() };
    Some(block.turned(kind, []).swept_also(axis))
}

/// The same visualisation in a network with shuffled weights, of what such a network has: a unit.
fn shuffled(drawn: &Drawn, block: &Block) -> Option<Block> {
    let is_other = has(block, &["shuffle", facet::KIND.name, "image"]) || !has(block, &["unit"]);
    let seed = drawn.shuffled.then_some(drawn.seed).filter(|_| !is_other)?;
    Some(block.turned(block.kind?, [("shuffle", seed.into())]))
}
