//! The family of each field type.

use neuronotes_core::kind::Type;
use neuronotes_core::model::Precision;

use super::family::Family;
use super::{
    block, direction, expect, file, group, head, label_file, layer, lists, name, number, sweep,
    text, unit_at, word,
};

/// The family of a field type.
pub(super) fn family(ty: Type) -> Box<dyn Family> {
    match ty {
        Type::Integer { min, max } => Box::new(number::Integer { min, max }),
        Type::Number { min, max } => Box::new(number::Number { min, max }),
        Type::Numbers { min, max, most } => Box::new(number::Numbers { min, max, most }),
        Type::Flag => Box::new(word::Flag),
        Type::Choice(words) => Box::new(word::Choice { words, is_parameter: true }),
        Type::Precision => Box::new(word::Choice { words: &Precision::NAMES, is_parameter: false }),
        Type::Seed => Box::new(number::Seed),
        Type::Text => Box::new(text::Text),
        Type::Prompt => Box::new(text::Prompt),
        Type::Id => Box::new(text::Id),
        Type::Texts => Box::new(text::Texts),
        Type::Templates => Box::new(text::Templates),
        Type::Classes => Box::new(text::Classes),
        Type::Categories => Box::new(text::Categories),
        Type::Lists => Box::new(lists::Lists),
        Type::LabelFiles => Box::new(label_file::LabelFiles),
        Type::Model | Type::Dataset => Box::new(name::Name),
        Type::Content => Box::new(name::Content),
        Type::Layer => Box::new(layer::One),
        Type::Layers => Box::new(layer::Several),
        Type::Unit => Box::new(layer::Unit),
        Type::Channels => Box::new(layer::Channels),
        Type::Heads { all } => Box::new(head::Heads { all }),
        Type::UnitAt => Box::new(unit_at::UnitAt),
        Type::Picture => Box::new(file::Picture),
        Type::Pictures => Box::new(file::Pictures),
        Type::Weights => Box::new(file::Weights),
        Type::Block(takes) => Box::new(block::One { takes }),
        Type::Blocks(takes) => Box::new(block::Several { takes }),
        Type::Direction => Box::new(direction::Direction::Terms),
        Type::Directions => Box::new(direction::Directions),
        Type::Units => Box::new(direction::Direction::Units),
        Type::Target => Box::new(direction::Direction::Target),
        Type::Group => Box::new(group::Members),
        Type::Sweep => Box::new(sweep::Sweep { family }),
        Type::Expect => Box::new(expect::Expect),
    }
}
