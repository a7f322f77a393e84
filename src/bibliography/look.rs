//! Formatting of a part of a field, and the marks around it.

/// Formatting of a part of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Emphasized,
    Bold,
    SmallCaps,
    Code,
    Raised,
    Lowered,
}

const LOOKS: [Look; 6] =
    [Look::Emphasized, Look::Bold, Look::SmallCaps, Look::Code, Look::Raised, Look::Lowered];

/// The first of the marks: noncharacters, which Unicode reserves for such uses.
const FIRST: u32 = 0xFDD4;

impl Look {
    pub(super) fn mark(self, opens: bool) -> Option<char> {
        let at = LOOKS.iter().position(|look| *look == self)?;
        char::from_u32(FIRST + 2 * u32::try_from(at).ok()? + u32::from(!opens))
    }

    /// What a piece of mathematics marks: a format, and whether it begins.
    pub(super) fn read(text: &str) -> Option<(Self, bool)> {
        let mut chars = text.chars();
        let at = u32::from(chars.next()?).checked_sub(FIRST)?;
        let look = *LOOKS.get(usize::try_from(at / 2).ok()?)?;
        chars.next().is_none().then_some((look, at % 2 == 0))
    }
}
