//! One way in which the words of a list are drawn.

use super::colour::Colour;
use crate::lettering::{Face, Position, Size};

/// How each word of a list is drawn.
#[derive(Debug)]
pub struct Drawn {
    /// The fonts.
    pub faces: Vec<Face>,
    /// The style of each sample.
    pub styles: Vec<Style>,
}

/// One way in which words are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// The index of its font.
    pub font: usize,
    /// How large letters are.
    pub size: Size,
    /// The colour of letters.
    pub colour: Colour,
    /// The colour behind them.
    pub background: Colour,
    /// Where letters stand.
    pub position: Position,
}

impl Style {
    /// Black on white in the middle, as large as fits, in the first font.
    pub const PLAIN: Self = Self {
        font: 0,
        size: Size::Fit,
        colour: Colour::BLACK,
        background: Colour::WHITE,
        position: Position::CENTRE,
    };
}
