//! Draws the graph of one note and its neighbours, each with a link; it needs no script.
//!
//! Notes that link here are at the left, linked notes are at the right, and notes with both are where there is more
//! room. Widths are percentages and heights are pixels, so that letters have the same size on narrow and wide
//! screens; on narrow ones a style sheet shows `.graph-narrow` instead of `.graph-wide`. Colours are set by the style
//! sheet: `.graph-node`, `.graph-both`, `.graph-centre`, `.graph-link`, `.graph-label`, `.graph-head`, `.graph-more`.

use std::fmt::Write as _;

use neuronotes_core::cut::Cut as _;

use crate::note::escape;

/// Maximum number of neighbours that are drawn, in total and on one side.
const MOST: usize = 16;
const MOST_ON_A_SIDE: usize = 10;
/// Distance between neighbours, and space above the first, in pixels.
const ROW: usize = 26;
const TOP: usize = 44;
/// Font size in pixels, and widths of labels in ems on wide screens and on one of 320 pixels.
const WIDE: f32 = 16.0;
const NARROW: f32 = 7.2;

/// A neighbour: a note that links to the centre or is linked from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Its title.
    pub title: String,
    /// Its address relative to the page.
    pub href: String,
    /// Whether it links to the centre.
    pub incoming: bool,
    /// Whether the centre links to it.
    pub outgoing: bool,
}

/// Draws a note and its neighbours, in their order; `whole` is the address of the graph of all notes. `None` if there
/// are no neighbours.
pub fn local_svg(centre: &str, neighbours: &[Neighbour], whole: &str) -> Option<String> {
    if neighbours.is_empty() {
        return None;
    }
    let (left, right) = sides(neighbours);
    let rows = left.len().max(right.len()).max(2);
    let more = neighbours.len() - left.len() - right.len();
    let middle = TOP + (rows - 1) * ROW / 2;
    let height = TOP + (rows - 1) * ROW + if more > 0 { 40 } else { 16 };
    let mut svg = format!(
        "<svg class=\"graph-local\" width=\"100%\" height=\"{height}\" style=\"height:{height}px\" role=\"group\" \
         aria-label=\"Notes linked with {}\" font-size=\"13\">",
        escape(centre)
    );
    let heads = [("0", "start", &left, "Linked from"), ("100%", "end", &right, "Links to")];
    for (x, anchor, side, head) in heads {
        if !side.is_empty() {
            let _ = write!(
                svg,
                "<text class=\"graph-head\" x=\"{x}\" y=\"14\" text-anchor=\"{anchor}\">{head}</text>"
            );
        }
    }
    let sides = [(&left, "37%", "35%", "end"), (&right, "63%", "65%", "start")];
    let y = |count: usize, row: usize| middle + row * ROW - (count - 1) * ROW / 2;
    // Links first: nodes lie on them.
    for (side, x, _, _) in sides {
        for (row, neighbour) in side.iter().enumerate() {
            let both = if neighbour.incoming && neighbour.outgoing { " graph-both" } else { "" };
            let _ = write!(
                svg,
                "<line class=\"graph-link{both}\" x1=\"50%\" y1=\"{middle}\" x2=\"{x}\" y2=\"{}\" stroke=\"currentColor\"/>",
                y(side.len(), row)
            );
        }
    }
    let title = escape(centre);
    let _ = write!(
        svg,
        "<g class=\"graph-centre\"><title>{title}</title><circle cx=\"50%\" cy=\"{middle}\" r=\"8\"/>"
    );
    label(&mut svg, centre, "50%", 14, "middle", [13.0, 8.0]);
    svg.push_str("</g>");
    for (side, x, text_x, anchor) in sides {
        for (row, neighbour) in side.iter().enumerate() {
            let y = y(side.len(), row);
            let both = neighbour.incoming && neighbour.outgoing;
            let (class, said) = if both { (" graph-both", " (both ways)") } else { ("", "") };
            let _ = write!(
                svg,
                "<a class=\"graph-node{class}\" href=\"{}\"><title>{}{said}</title><circle cx=\"{x}\" cy=\"{y}\" r=\"5\"/>",
                escape(&neighbour.href),
                escape(&neighbour.title)
            );
            label(&mut svg, &neighbour.title, text_x, y + 4, anchor, [WIDE, NARROW]);
            svg.push_str("</a>");
        }
    }
    if more > 0 {
        let _ = write!(
            svg,
            "<a class=\"graph-more\" href=\"{}\"><text x=\"50%\" y=\"{}\" text-anchor=\"middle\">and {more} more</text></a>",
            escape(whole),
            height - 8
        );
    }
    svg.push_str("</svg>");
    Some(svg)
}

/// Splits the neighbours into the left and the right side.
fn sides(neighbours: &[Neighbour]) -> (Vec<&Neighbour>, Vec<&Neighbour>) {
    let alone = |incoming: bool| {
        neighbours.iter().filter(move |n| n.incoming == incoming && n.outgoing != incoming)
    };
    let (mut left, mut right): (Vec<_>, Vec<_>) = (alone(true).collect(), alone(false).collect());
    // Those that are linked both ways are the nearest, and stand first.
    let mut near: (Vec<&Neighbour>, Vec<&Neighbour>) = (Vec::new(), Vec::new());
    for neighbour in neighbours.iter().filter(|n| n.incoming == n.outgoing) {
        if near.0.len() + left.len() < near.1.len() + right.len() {
            near.0.push(neighbour);
        } else {
            near.1.push(neighbour);
        }
    }
    near.0.append(&mut left);
    near.1.append(&mut right);
    let (mut left, mut right) = near;
    let half = MOST / 2;
    let room = |other: usize| (MOST - other.min(half)).min(MOST_ON_A_SIDE);
    let (of_left, of_right) = (room(right.len()), room(left.len()));
    left.truncate(of_left);
    right.truncate(of_right.min(MOST - left.len().min(MOST)));
    (left, right)
}

/// Writes a label for wide screens, and another for narrow screens if it differs.
fn label(svg: &mut String, title: &str, x: &str, y: usize, anchor: &str, widths: [f32; 2]) {
    let [wide, narrow] = widths.map(|width| cut(title, width));
    let mut write = |class: &str, text: &str, hidden: &str| {
        let _ = write!(
            svg,
            "<text class=\"graph-label{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\"{hidden}>{}</text>",
            escape(text)
        );
    };
    if wide == narrow {
        write("", &wide, "");
    } else {
        write(" graph-wide", &wide, "");
        write(" graph-narrow", &narrow, " display=\"none\"");
    }
}

/// The part of a title that fits into `width` ems, with an ellipsis if it was cut.
fn cut(title: &str, width: f32) -> String {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut so_far = 0.0;
    let mut fitting = 0;
    for (at, c) in title.char_indices() {
        so_far += breadth(c);
        if so_far > width {
            return format!("{}…", title.cut(..fitting).trim_end());
        }
        if so_far <= width - 1.0 {
            fitting = at + c.len_utf8();
        }
    }
    title
}

/// Approximate width of a letter in ems in most typefaces, rather too wide than too narrow.
fn breadth(c: char) -> f32 {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.31,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.92,
        'A'..='Z' => 0.7,
        '\u{0300}'..='\u{036f}' => 0.0,
        c if c >= '\u{1100}' => 1.05,
        _ => 0.57,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbour(n: usize, incoming: bool, outgoing: bool) -> Neighbour {
        let title = format!("Note {n}");
        Neighbour { title, href: format!("n{n}.html"), incoming, outgoing }
    }

    #[test]
    fn a_note_without_neighbours_has_no_drawing() {
        assert_eq!(local_svg("Alone", &[], "graph.html"), None);
    }

    #[test]
    fn who_links_here_is_at_the_left() {
        let mut notes =
            [neighbour(1, true, false), neighbour(2, false, true), neighbour(3, true, true)];
        notes[0].title = "A <very> long title that will not fit beside the others".into();
        let svg = local_svg("Piggy \"bank\"", &notes, "graph.html").expect("a drawing");
        insta::assert_snapshot!(svg.replace("><", ">\n<"), @r###"
        <svg class="graph-local" width="100%" height="86" style="height:86px" role="group" aria-label="Notes linked with Piggy &quot;bank&quot;" font-size="13">
        <text class="graph-head" x="0" y="14" text-anchor="start">Linked from</text>
        <text class="graph-head" x="100%" y="14" text-anchor="end">Links to</text>
        <line class="graph-link" x1="50%" y1="57" x2="37%" y2="57" stroke="currentColor"/>
        <line class="graph-link graph-both" x1="50%" y1="57" x2="63%" y2="44" stroke="currentColor"/>
        <line class="graph-link" x1="50%" y1="57" x2="63%" y2="70" stroke="currentColor"/>
        <g class="graph-centre">
        <title>Piggy &quot;bank&quot;</title>
        <circle cx="50%" cy="57" r="8"/>
        <text class="graph-label" x="50%" y="14" text-anchor="middle">Piggy &quot;bank&quot;</text>
        </g>
        <a class="graph-node" href="n1.html">
        <title>A &lt;very&gt; long title that will not fit beside the others</title>
        <circle cx="37%" cy="57" r="5"/>
        <text class="graph-label graph-wide" x="35%" y="61" text-anchor="end">A &lt;very&gt; long title that will no…</text>
        <text class="graph-label graph-narrow" x="35%" y="61" text-anchor="end" display="none">A &lt;very&gt; lon…</text>
        </a>
        <a class="graph-node graph-both" href="n3.html">
        <title>Note 3 (both ways)</title>
        <circle cx="63%" cy="44" r="5"/>
        <text class="graph-label" x="65%" y="48" text-anchor="start">Note 3</text>
        </a>
        <a class="graph-node" href="n2.html">
        <title>Note 2</title>
        <circle cx="63%" cy="70" r="5"/>
        <text class="graph-label" x="65%" y="74" text-anchor="start">Note 2</text>
        </a>
        </svg>
        "###);
    }

    #[test]
    fn what_is_not_drawn_is_counted() {
        let drawn = |incoming: usize, outgoing: usize, both: usize| {
            let mut all: Vec<Neighbour> =
                (0..incoming).map(|n| neighbour(n, true, false)).collect();
            all.extend((0..outgoing).map(|n| neighbour(n, false, true)));
            all.extend((0..both).map(|n| neighbour(n, true, true)));
            let svg = local_svg("x", &all, "graph.html").expect("a drawing");
            let more = svg.split_once(">and ").map_or(0, |(_, rest)| {
                rest.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
            });
            let drawn = svg.matches("class=\"graph-node").count();
            assert_eq!(drawn + more, all.len());
            assert!(drawn <= MOST);
            drawn
        };
        assert_eq!(drawn(1, 0, 0), 1);
        assert_eq!(drawn(20, 0, 0), 10);
        assert_eq!(drawn(0, 20, 0), 10);
        assert_eq!(drawn(20, 20, 0), 16);
        assert_eq!(drawn(10, 3, 0), 13);
        assert_eq!(drawn(2, 12, 9), 16);
        assert_eq!(drawn(0, 0, 16), 16);
    }

    #[test]
    fn labels_are_cut_between_letters() {
        assert_eq!(cut("short", 10.0), "short");
        assert_eq!(cut("ééééééééééééé", 3.0), "ééé…");
        assert_eq!(cut("神経神経神経", 4.0), "神経…");
        assert_eq!(cut("a  b\nc", 10.0), "a b c");
    }
}
