//! Where in a square picture letters stand.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place in a square picture: the middle, a side, or a corner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    across: Side,
    down: Side,
}

/// A place along one axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Side {
    /// Left or top.
    Start,
    #[default]
    Middle,
    /// Right or bottom.
    End,
}

impl Side {
    /// Where something of that length starts, if there is a margin at both ends of `room`.
    fn start(self, length: f32, room: f32, margin: f32) -> f32 {
        match self {
            Self::Start => margin,
            Self::Middle => (room - length) / 2.0,
            Self::End => room - margin - length,
        }
    }
}

impl Position {
    /// The middle.
    pub const CENTRE: Self = Self { across: Side::Middle, down: Side::Middle };

    /// All names, the default first.
    pub const NAMES: [&str; 9] = [
        "centre",
        "top",
        "bottom",
        "left",
        "right",
        "top left",
        "top right",
        "bottom left",
        "bottom right",
    ];

    /// The position of that name. `center` and hyphens are understood.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_lowercase().replace('-', " ");
        if !Self::NAMES.contains(&&*name) && name != "center" {
            return None;
        }
        let has = |word: &str| name.split(' ').any(|part| part == word);
        let side = |start: &str, end: &str| match (has(start), has(end)) {
            (true, _) => Side::Start,
            (_, true) => Side::End,
            _ => Side::Middle,
        };
        Some(Self { across: side("left", "right"), down: side("top", "bottom") })
    }

    /// The left edge of a line of that width in pixels.
    pub(super) fn left(self, width: f32, room: f32, margin: f32) -> f32 {
        self.across.start(width, room, margin)
    }

    /// The top of lines of that height together, in pixels.
    pub(super) fn top(self, height: f32, room: f32, margin: f32) -> f32 {
        self.down.start(height, room, margin)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match (self.down, self.across) {
            (Side::Middle, Side::Middle) => "centre",
            (Side::Start, Side::Middle) => "top",
            (Side::End, Side::Middle) => "bottom",
            (Side::Middle, Side::Start) => "left",
            (Side::Middle, Side::End) => "right",
            (Side::Start, Side::Start) => "top left",
            (Side::Start, Side::End) => "top right",
            (Side::End, Side::Start) => "bottom left",
            (Side::End, Side::End) => "bottom right",
        })
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format!("unknown position `{name}`"));
        Self::named(&name).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_position_and_shown_so() {
        for name in Position::NAMES {
            assert_eq!(Position::named(name).expect(name).to_string(), name);
        }
        assert_eq!(Position::named("center"), Some(Position::default()));
        assert_eq!(Position::named("Top-Left"), Position::named("top left"));
        assert_eq!(Position::named("left top"), None);
    }

    #[test]
    fn letters_keep_a_margin_from_the_sides() {
        let at = |name| {
            let position = Position::named(name).expect("a position");
            (position.left(40.0, 100.0, 5.0), position.top(20.0, 100.0, 5.0))
        };
        assert_eq!(at("centre"), (30.0, 40.0));
        assert_eq!(at("top left"), (5.0, 5.0));
        assert_eq!(at("bottom right"), (55.0, 75.0));
    }
}
