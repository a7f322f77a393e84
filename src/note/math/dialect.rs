//! TeX commands and environments that people use and the converter lacks, with replacements that it knows. This is
//! the only place for what KaTeX, MathJax and common packages offer.

use neuronotes_core::cut::Cut as _;

/// A command that is replaced.
#[derive(Debug)]
pub struct Builtin {
    /// Its name without `\`, with a star if it has one.
    name: &'static str,
    /// Its replacement: TeX with `#1` … for its arguments.
    pub body: &'static str,
}

const fn stands_for(name: &'static str, body: &'static str) -> Builtin {
    Builtin { name, body }
}

/// The commands, sorted by name.
const COMMANDS: &[Builtin] = &[
    // Of packages: mathtools, physics.
    stands_for("abs", r"\left\lvert #1 \right\rvert"),
    stands_for("abs*", r"\left\lvert #1 \right\rvert"),
    stands_for("norm", r"\left\lVert #1 \right\rVert"),
    stands_for("norm*", r"\left\lVert #1 \right\rVert"),
    stands_for("ceil", r"\left\lceil #1 \right\rceil"),
    stands_for("ceil*", r"\left\lceil #1 \right\rceil"),
    stands_for("floor", r"\left\lfloor #1 \right\rfloor"),
    stands_for("floor*", r"\left\lfloor #1 \right\rfloor"),
    stands_for("inner", r"\left\langle #1, #2 \right\rangle"),
    stands_for("set", r"\left\{\, #1 \,\right\}"),
    stands_for("set*", r"\left\{\, #1 \,\right\}"),
    stands_for("Set", r"\left\{\, #1 \,\right\}"),
    stands_for("tr", r"\operatorname{tr}"),
    stands_for("Tr", r"\operatorname{Tr}"),
    stands_for("rank", r"\operatorname{rank}"),
    stands_for("sgn", r"\operatorname{sgn}"),
    stands_for("grad", r"\nabla"),
    stands_for("curl", r"\nabla\times"),
    stands_for("dd", r"\mathrm{d}#1"),
    stands_for("dv", r"\frac{\mathrm{d}#1}{\mathrm{d}#2}"),
    stands_for("pdv", r"\frac{\partial #1}{\partial #2}"),
    stands_for("vb", r"\mathbf{#1}"),
    stands_for("va", r"\vec{\mathbf{#1}}"),
    stands_for("vu", r"\hat{\mathbf{#1}}"),
    stands_for("qty", r""),
    // Sets of numbers, as KaTeX has them.
    stands_for("N", r"\mathbb{N}"),
    stands_for("Z", r"\mathbb{Z}"),
    stands_for("Q", r"\mathbb{Q}"),
    stands_for("R", r"\mathbb{R}"),
    stands_for("C", r"\mathbb{C}"),
    stands_for("RR", r"\mathbb{R}"),
    stands_for("NN", r"\mathbb{N}"),
    stands_for("ZZ", r"\mathbb{Z}"),
    stands_for("QQ", r"\mathbb{Q}"),
    stands_for("CC", r"\mathbb{C}"),
    stands_for("reals", r"\mathbb{R}"),
    stands_for("Reals", r"\mathbb{R}"),
    stands_for("natnums", r"\mathbb{N}"),
    stands_for("cnums", r"\mathbb{C}"),
    stands_for("Complex", r"\mathbb{C}"),
    // Parts of formulas.
    stands_for("substack", r"\begin{subarray}{c}#1\end{subarray}"),
    stands_for("boxed", r"{\color[HTML]{B0CED0}#1}"),
    stands_for("fbox", r"{\color[HTML]{B0CED0}\text{#1}}"),
    stands_for("mathchoice", "{#1}"),
    stands_for("pod", r"\quad(#1)"),
    stands_for("widetilde", r"\tilde{#1}"),
    stands_for("utilde", r"\underset{\sim}{#1}"),
    stands_for("pmb", r"\bm{#1}"),
    stands_for("mathnormal", "{#1}"),
    stands_for("bold", r"\mathbf{#1}"),
    stands_for("tag*", r"\tag{#1}"),
    stands_for("ref", r"\eqref{#1}"),
    stands_for("hdots", r"\cdots"),
    stands_for("adots", "⋰"),
    stands_for("iddots", "⋰"),
    stands_for("dotsc", r"\ldots"),
    stands_for("dotsb", r"\cdots"),
    stands_for("dotsm", r"\cdots"),
    stands_for("dotsi", r"\cdots"),
    stands_for("dotso", r"\ldots"),
    stands_for("smallint", r"\int"),
    stands_for("varinjlim", r"\underrightarrow{\lim}"),
    stands_for("varprojlim", r"\underleftarrow{\lim}"),
    stands_for("varlimsup", r"\overline{\lim}"),
    stands_for("varliminf", r"\underline{\lim}"),
    stands_for("injlim", r"\operatorname*{inj\,lim}"),
    stands_for("projlim", r"\operatorname*{proj\,lim}"),
    stands_for("lt", "<"),
    stands_for("gt", ">"),
    // Colours of letters are kept; background colours are dropped.
    stands_for("textcolor", r"{\color{#1}#2}"),
    stands_for("colorbox", r"\text{#2}"),
    stands_for("fcolorbox", r"{\color[HTML]{B0CED0}\text{#3}}"),
    // Spacing.
    stands_for("hspace*", r"\hspace{#1}"),
    stands_for("smash", "{#1}"),
    stands_for("strut", r"\mathstrut"),
    stands_for("mathclap", "{#1}"),
    stands_for("mathllap", "{#1}"),
    stands_for("mathrlap", "{#1}"),
    stands_for("clap", r"\text{#1}"),
    stands_for("llap", r"\text{#1}"),
    stands_for("rlap", r"\text{#1}"),
    stands_for("rule", r"\blacksquare"),
    stands_for("raisebox", r"\text{#2}"),
    stands_for("vcenter", "{#1}"),
    // Font sizes are ignored: a formula has the size of the text around it.
    stands_for("tiny", ""),
    stands_for("scriptsize", ""),
    stands_for("footnotesize", ""),
    stands_for("small", ""),
    stands_for("normalsize", ""),
    stands_for("large", ""),
    stands_for("Large", ""),
    stands_for("LARGE", ""),
    stands_for("huge", ""),
    stands_for("Huge", ""),
    // Commands for other programs.
    stands_for("require", ""),
    stands_for("nonumber", r"\notag"),
    stands_for("htmlClass", "{#2}"),
    stands_for("htmlId", "{#2}"),
    stands_for("htmlStyle", "{#2}"),
    stands_for("htmlData", "{#2}"),
    stands_for("class", "{#2}"),
    stands_for("cssId", "{#2}"),
    stands_for("style", "{#2}"),
    stands_for("href", "{#2}"),
    stands_for("url", r"\texttt{#1}"),
    stands_for("sout", r"\cancel{#1}"),
    stands_for("pu", r"\mathrm{#1}"),
];

/// The converter's output for the colour that stands for a frame, and the style of a frame.
pub const FRAME: (&str, &str) =
    ("style=\"color:#B0CED0;\"", "style=\"border:.05em solid currentcolor;padding:.2em;\"");

/// The command with that name, if it is in the table.
pub fn command(name: &str) -> Option<&'static Builtin> {
    COMMANDS.iter().find(|known| known.name == name)
}

/// An environment that is replaced.
#[derive(Debug)]
pub struct Environment {
    name: &'static str,
    /// The replacement of its beginning; `COLUMNS` stands for the columns' alignment.
    pub begin: &'static str,
    /// The replacement of its end.
    pub end: &'static str,
    /// Whether it states its number of columns, which is ignored.
    pub takes_count: bool,
    /// Whether it may state its columns' alignment: `[r]`.
    pub takes_option: bool,
}

const fn environment_as(
    name: &'static str,
    begin: &'static str,
    end: &'static str,
    takes_count: bool,
    takes_option: bool,
) -> Environment {
    Environment { name, begin, end, takes_count, takes_option }
}

/// Maximum number of columns of a matrix with uniform alignment.
pub const MOST_COLUMNS: usize = 16;

const ENVIRONMENTS: &[Environment] = &[
    environment_as("split", r"\begin{aligned}", r"\end{aligned}", false, false),
    environment_as("alignat", r"\begin{align}", r"\end{align}", true, false),
    environment_as("alignat*", r"\begin{align*}", r"\end{align*}", true, false),
    environment_as("alignedat", r"\begin{aligned}", r"\end{aligned}", true, false),
    environment_as("xalignat", r"\begin{align}", r"\end{align}", true, false),
    environment_as("xalignat*", r"\begin{align*}", r"\end{align*}", true, false),
    environment_as("flalign", r"\begin{align}", r"\end{align}", false, false),
    environment_as("flalign*", r"\begin{align*}", r"\end{align*}", false, false),
    environment_as("eqnarray", r"\begin{array}{rcl}", r"\end{array}", false, false),
    environment_as("eqnarray*", r"\begin{array}{rcl}", r"\end{array}", false, false),
    environment_as("displaymath", r"\begin{equation*}", r"\end{equation*}", false, false),
    environment_as("math", "{", "}", false, false),
    environment_as("smallmatrix", r"\begin{matrix}", r"\end{matrix}", false, false),
    environment_as("psmallmatrix", r"\begin{pmatrix}", r"\end{pmatrix}", false, false),
    environment_as("bsmallmatrix", r"\begin{bmatrix}", r"\end{bmatrix}", false, false),
    environment_as("matrix*", r"\begin{array}{COLUMNS}", r"\end{array}", false, true),
    environment_as("pmatrix*", r"\left(\begin{array}{COLUMNS}", r"\end{array}\right)", false, true),
    environment_as("bmatrix*", r"\left[\begin{array}{COLUMNS}", r"\end{array}\right]", false, true),
    environment_as(
        "Bmatrix*",
        r"\left\{\begin{array}{COLUMNS}",
        r"\end{array}\right\}",
        false,
        true,
    ),
    environment_as("vmatrix*", r"\left|\begin{array}{COLUMNS}", r"\end{array}\right|", false, true),
    environment_as(
        "Vmatrix*",
        r"\left\|\begin{array}{COLUMNS}",
        r"\end{array}\right\|",
        false,
        true,
    ),
];

/// The environment with that name, if it is in the table.
pub fn environment(name: &str) -> Option<&'static Environment> {
    ENVIRONMENTS.iter().find(|known| known.name == name)
}

/// An array's columns without separators, with repetitions expanded.
pub fn columns(written: &str) -> String {
    let mut out = String::new();
    let mut rest = written;
    while let Some(c) = rest.chars().next() {
        rest = rest.cut(c.len_utf8()..);
        match c {
            'l' | 'c' | 'r' | '|' | ':' => out.push(c),
            // A column of a given width.
            'p' | 'm' | 'b' => {
                rest = after_group(rest).1;
                out.push('l');
            }
            '@' | '!' | '>' | '<' => rest = after_group(rest).1,
            '*' => {
                let (count, after) = after_group(rest);
                let (each, after) = after_group(after);
                rest = after;
                let count = count.trim().parse().unwrap_or(1).min(MOST_COLUMNS);
                let each = each.chars().filter(|c| matches!(c, 'l' | 'c' | 'r' | '|'));
                out.push_str(&each.collect::<String>().repeat(count));
            }
            _ => {}
        }
        if out.len() > 256 {
            break;
        }
    }
    if out.is_empty() { "c".to_owned() } else { out }
}

/// A hexadecimal colour, `#0a0` or `#00aa00`, in the converter's form.
pub fn colour(written: &str) -> String {
    let digits = written.trim().trim_start_matches('#');
    let digits = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => digits.to_ascii_uppercase(),
    };
    format!("\\color[HTML]{{{}}}", digits.to_ascii_uppercase())
}

/// Splits off the braces at the start of a text.
fn after_group(text: &str) -> (&str, &str) {
    let inner = text.trim_start().strip_prefix('{');
    inner.and_then(|inner| inner.split_once('}')).unwrap_or(("", text))
}

/// Commands whose argument is text.
const PROSE: [&str; 12] = [
    "text",
    "mbox",
    "hbox",
    "textrm",
    "textnormal",
    "textbf",
    "textit",
    "textsf",
    "texttt",
    "textup",
    "textmd",
    "emph",
];

/// Whether a command's argument is text, which may contain formulas.
pub fn is_text(name: &str) -> bool {
    PROSE.contains(&name)
}

/// The converter's command for text.
pub fn text_command(name: &str) -> &str {
    match name {
        "mbox" | "hbox" | "textnormal" | "textup" | "textmd" => "text",
        "emph" => "textit",
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_there_twice() {
        let mut names: Vec<&str> = COMMANDS.iter().map(|known| known.name).collect();
        names.extend(ENVIRONMENTS.iter().map(|known| known.name));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn columns_are_what_an_array_needs() {
        for (written, expected) in [
            ("@{}l@{}", "l"),
            ("*{3}{c}|r", "ccc|r"),
            ("p{3cm}c", "lc"),
            ("|l:r|", "|l:r|"),
            ("X", "c"),
        ] {
            assert_eq!(columns(written), expected, "{written}");
        }
    }
}
