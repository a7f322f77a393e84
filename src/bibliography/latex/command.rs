//! Formatting commands, and where their arguments end.

use neuronotes_core::cut::Cut as _;

use crate::bibliography::look::Look;
use crate::tex;

/// Splits a text at the brace that closes an open one.
pub(super) fn braced(inner: &str) -> (&str, &str) {
    let mut depth = 0;
    let mut escaped = false;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => {}
            b'{' => depth += 1,
            b'}' if depth == 0 => return (inner.cut(..at), inner.cut(at + 1..)),
            b'}' => depth -= 1,
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
    }
    (inner, "")
}

pub(super) fn is_known_in_address(name: &str) -> bool {
    matches!(name, "url" | "path" | "nolinkurl" | "href")
        || (name.starts_with("text") && tex::symbol(name).is_some())
}

/// The format that a command sets for the rest of its group, if it is one that a page can show.
pub(super) fn declared(name: &str) -> Option<Option<Look>> {
    Some(match name {
        "em" | "it" | "itshape" | "sl" | "slshape" => Some(Look::Emphasized),
        "bf" | "bfseries" => Some(Look::Bold),
        "sc" | "scshape" => Some(Look::SmallCaps),
        "tt" | "ttfamily" => Some(Look::Code),
        "rm" | "rmfamily" | "sf" | "sffamily" | "upshape" | "mdseries" | "normalfont" | "small"
        | "footnotesize" | "scriptsize" | "tiny" | "normalsize" | "large" | "relax" | "protect"
        | "ignorespaces" | "unskip" | "noindent" | "nobreak" | "allowbreak" | "linebreak"
        | "xspace" | "bibnamedelima" | "bibrangessep" => None,
        _ => return None,
    })
}

/// The format that a command sets for its argument.
pub(super) fn set(name: &str) -> Option<Option<Look>> {
    Some(match name {
        "emph" | "textit" | "textsl" | "mkbibemph" | "mkbibitalic" => Some(Look::Emphasized),
        "textbf" | "mkbibbold" => Some(Look::Bold),
        "textsc" => Some(Look::SmallCaps),
        "texttt" | "verb" => Some(Look::Code),
        "textsuperscript" | "mkbibsuperscript" | "sp" => Some(Look::Raised),
        "textsubscript" | "mkbibsubscript" | "sb" => Some(Look::Lowered),
        "text" | "textrm" | "textsf" | "textup" | "textmd" | "textnormal" | "textlatin"
        | "mbox" | "hbox" | "fbox" | "underline" | "uline" | "mathrm" | "mathit"
        | "mkbibparens" | "foreignlanguage" | "textgreek" | "textcyrillic" => None,
        _ => return None,
    })
}
