//! A garden that has every kind of trouble, each in a note of its own.

use super::results::fill;
use super::{Garden, block};

const LAYER: &str = "layer: image_block_4/0/Add_6\nunit: 3\n";

/// The kinds of trouble, each with the note that has it.
pub const NOTES: [(&str, &str); 12] = [
    ("claim", "claims"),
    ("failed", "failed"),
    ("disagreed", "remarks"),
    ("stale", "stale"),
    ("unreviewed", "claims"),
    ("due", "due"),
    ("unmeasured", "unmeasured"),
    ("controls", "controls"),
    ("links", "links"),
    ("number", "numbers"),
    ("question", "open"),
    ("todo", "open"),
];

/// The garden; its site is not built.
pub fn garden() -> Garden {
    let figure = |yaml: &str| block(&format!("{yaml}{LAYER}"));
    let summary = figure("id: summary\nkind: unit_summary\n");
    let claims = figure(
        "id: bold\nkind: unit_summary\nexpect:\n  - { that: \"max > 1000000\", claim: ^bold, because: nothing is so large }\n",
    );
    let off = figure("id: chosen\nkind: dataset_examples\ntop: 1\ncontrols: off\n");
    let garden = Garden::of(&[
        ("claims.md", &format!("# A bold claim\n\nNothing is larger. ^bold\n\n{claims}")),
        ("controls.md", &format!("# Without controls\n\n{off}")),
        ("due.md", "---\nreview_in: 2 days\n---\n# Read long ago\n\nText.\n"),
        ("links.md", "# To nowhere\n\nAs [[Nowhere]] says.\n"),
        ("numbers.md", &format!("# Typed numbers\n\nIt responds to 37 of 1,494.\n\n{summary}")),
        (
            "open.md",
            "# Not finished\n\n> [!question] Why does it *respond* to coins?\n\n> [!todo]\n> Look at the other layers.\n",
        ),
        ("remarks.md", &format!("# With a remark\n\n{summary}")),
        ("stale.md", &format!("# Changed\n\nIt was read so.\n\n{summary}")),
    ]);
    let address = "'https://example.org/new?title={title}&body={body}'";
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("{config}controls: on\nreview_url: {address}\n"));
    fill(&garden);
    let review = |arguments: &[&str]| {
        let run = garden.run(&[&["review"], arguments].concat());
        assert_eq!(run.code(), 0, "{}", run.stderr());
    };
    review(&["stale", "--by", "Ada"]);
    review(&["remarks", "--by", "Ben", "--verdict", "disagree", "-m", "Is it the colour?"]);
    garden.write("reviews/due.yaml", "- { by: Ada, on: 2025-11-30 }\n");
    let text = garden.read("notes/stale.md");
    garden.note("stale.md", &text.replace("was read so", "reads otherwise now"));
    // Its result is not there.
    garden.note(
        "unmeasured.md",
        &format!("# Not measured\n\n{}", figure("id: vis\nkind: feature_vis\n")),
    );
    garden.note("failed.md", &format!("# Misspelt\n\n{}", figure("id: odd\nkind: feature_viz\n")));
    garden
}
