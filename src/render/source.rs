//! Templates and assets by name.

/// Maximum size of a template in bytes.
pub(super) const LONGEST: u64 = 4 << 20;

/// Assets: each file by name, and the templates it consists of, in order.
pub(super) const ASSETS: [(&str, &[&str]); 13] = [
    ("style.css", &["style.css", "garden.css"]),
    ("figures.css", &["figures.css"]),
    ("lists.css", &["lists.css"]),
    ("claims.css", &["claims.css"]),
    ("boxes.css", &["boxes.css"]),
    ("garden.js", &["garden.js", "theme.js", "contents.js"]),
    ("find.js", &["find.js"]),
    ("zoom.js", &["zoom.js"]),
    ("figure.js", &["figure.js"]),
    ("graph.js", &["graph.js"]),
    ("map.js", &["map.js"]),
    ("review.css", &["review.css"]),
    ("review.js", &["review.js"]),
];

#[derive(Debug)]
pub(super) struct Source {
    pub(super) text: String,
    pub(super) own: bool,
}
