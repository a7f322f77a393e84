//! Sample views for tests: a full note, a minimal one, the home page, and a figure in each state.

use neuronotes_core::digest::Digest;

use crate::figure::Drawing;
use crate::figure::curve::Curve;
use crate::figure::part::{Bar, Bars, Cell, Lines, Matrix, Part};
use crate::figure::picture::{Format, GridItem, Image, Picture};
use crate::figure::table::Table;
use crate::view::*;

pub fn site() -> SiteView {
    SiteView {
        title: "A garden".into(),
        language: "en".into(),
        direction: "ltr",
        own_language: "en".into(),
        root: String::new(),
        page: "toc.html".into(),
        home: "index.html".into(),
        stylesheet: "style.css".into(),
        figures: "figures.css".into(),
        lists: "lists.css".into(),
        boxes: "boxes.css".into(),
        script: "garden.js".into(),
        find: "find.js".into(),
        zoom: "zoom.js".into(),
        previews: 2,
        nav: vec![
            NavView { title: "Notes".into(), href: "notes.html".into(), current: false },
            NavView { title: "Tags".into(), href: "tags.html".into(), current: false },
        ],
        feed: Some("feed.xml".into()),
        note_footer_html: Some("This line appears after every note.".into()),
        preview: false,
    }
}

pub fn head() -> HeadView {
    HeadView {
        description: "A unit that answers to a thing & its word.".into(),
        canonical: Some("https://example.org/toc.html".into()),
        card: Some("https://example.org/cards/4f.png".into()),
        kind: "article",
        published: Some("2025-03-02".into()),
        modified: Some("2025-04-22".into()),
        meta: vec![MetaView { name: "citation_title".into(), content: "Notes with TOC".into() }],
    }
}

fn tag(name: &str) -> LinkView {
    LinkView { title: name.into(), href: format!("tags/{name}.html") }
}

fn day(iso: &str, shown: &str) -> Option<DateView> {
    Some(DateView { iso: iso.into(), shown: shown.into() })
}

fn entry(id: &str, title_html: &str, children: Vec<ContentsView>) -> ContentsView {
    ContentsView { id: id.into(), title_html: title_html.into(), children }
}

fn problem() -> ProblemView {
    ProblemView {
        severity: "error",
        place: "notes/toc.md:12:5".into(),
        message: "`unit` must be a whole number below 512".into(),
        hint: Some("layer `image_block_4/0/Add_6` has 512 units".into()),
    }
}

pub fn note() -> NoteView {
    NoteView {
        site: site(),
        head: head(),
        title: "Notes with TOC".into(),
        title_html: "Notes with TOC".into(),
        draft: false,
        date: day("2025-03-02", "March 2, 2025"),
        updated: day("2025-04-22", "April 22, 2025"),
        authors: vec!["Ada Lovelace".into(), "B. C.".into()],
        tags: vec![tag("finance"), tag("composition")],
        units: vec![LinkView { title: "unit 42 · finance".into(), href: "units/42.html".into() }],
        contents: vec![
            entry("neurons", "Neurons", vec![entry("tail", "A <em>long</em> tail", vec![])]),
            entry("absent", "Absent concepts", vec![]),
        ],
        figures: false,
        body_html: "<p>Text.</p>\n<pre><code>a\n  b\n</code></pre>".into(),
        references: vec!["<li id=\"ref-a\">A.</li>".into()],
        citation: Some(SelfCitationView { text: "Lovelace.".into(), bibtex: "@misc{a}".into() }),
        graph_html: Some("<svg></svg>".into()),
        backlinks: vec![BacklinkView {
            title: "Piggy bank".into(),
            href: "piggy-bank.html".into(),
            mentions: vec![MentionView {
                href: "piggy-bank.html#p-3".into(),
                sentence_html: "Compare <mark>the first note</mark>.".into(),
                place: Some(LinkView { title: "Neurons".into(), href: "#neurons".into() }),
            }],
        }],
        problems: vec![problem()],
    }
}

pub fn bare_note() -> NoteView {
    NoteView {
        site: SiteView { note_footer_html: None, ..site() },
        head: HeadView::default(),
        title: "Bare".into(),
        title_html: "Bare".into(),
        draft: true,
        date: None,
        updated: None,
        authors: vec![],
        tags: vec![],
        units: vec![],
        contents: vec![],
        figures: false,
        body_html: "<p>Text.</p>".into(),
        references: vec![],
        citation: None,
        backlinks: vec![],
        graph_html: None,
        problems: vec![],
    }
}

fn image(name: &str, format: Format) -> Image {
    Image { digest: Digest::of(name.as_bytes()), width: 96, height: 96, format }
}

fn picture(synthetic: bool) -> Picture {
    Picture { synthetic, ..Picture::plain(image("bag", Format::Png), "a money bag") }
}

fn thumbnail() -> ThumbnailView {
    ThumbnailView { file: "figures/4f.png".into(), width: 96, height: 96, synthetic: true }
}

pub fn home() -> HomeView {
    HomeView {
        site: site(),
        head: head(),
        title: None,
        title_html: "A garden".into(),
        figures: false,
        body_html: "<p>Welcome.</p>".into(),
        references: vec![],
        count: 2,
        all: None,
        notes: vec![
            CardView {
                title: "Notes with TOC".into(),
                href: "toc.html".into(),
                date: day("2025-04-22", "April 22, 2025"),
                excerpt: "A unit that answers to a thing.".into(),
                picture: Some(thumbnail()),
                tags: vec![tag("finance"), tag("composition")],
                more_tags: 3,
            },
            CardView {
                title: "Bare".into(),
                href: "bare.html".into(),
                date: None,
                excerpt: String::new(),
                picture: None,
                tags: vec![],
                more_tags: 0,
            },
        ],
        backlinks: vec![],
        problems: vec![],
    }
}

pub fn bare_home() -> HomeView {
    HomeView {
        title: Some("Welcome".into()),
        title_html: "Welcome".into(),
        body_html: String::new(),
        notes: vec![],
        ..home()
    }
}

/// A drawing of each form, by a name.
pub fn drawings() -> Vec<(&'static str, Drawing)> {
    let single = Drawing::Picture {
        picture: picture(true),
        value: "mean activation 6.12".into(),
        note: "mean activation 6.12, from 0.08 on noise".into(),
        curve: None,
    };
    let grid = Drawing::Grid {
        items: (0..2)
            .map(|index| GridItem {
                picture: picture(false),
                caption: "money bag".into(),
                value: format!("8.3{index}"),
            })
            .collect(),
        note: String::new(),
        curve: None,
        table: None,
    };
    let plot = Drawing::Plot {
        svg: "<svg aria-hidden=\"true\" viewBox=\"0 0 640 308\"></svg>".into(),
        alt: "Histogram of 2 activations from 0 to 1.".into(),
        table: Table {
            head: vec!["activation".into(), "images".into()],
            rows: vec![vec!["0 to 1".into(), "2".into()]],
        },
        note: "2 images".into(),
    };
    let bar = |label: &str, to: f64, interval| Bar {
        label: label.into(),
        value: format!("{} %", to * 100.0),
        from: 0.0,
        to,
        below: false,
        interval,
    };
    let cell = |value: &str, share: f64| Cell { value: value.into(), share };
    let parts = Drawing::Parts {
        parts: vec![
            Part::Bars(Bars {
                title: "By class".into(),
                picture: Some(picture(false)),
                head: ["class".into(), "accuracy".into()],
                rows: vec![bar("<cat>", 0.75, Some((0.3, 0.95))), bar("dog", 0.0, None)],
            }),
            Part::Matrix(Matrix {
                title: "Confusion matrix".into(),
                down: "class".into(),
                across: "predicted as".into(),
                names: vec!["<cat>".into(), "dog".into()],
                rows: vec![
                    vec![cell("3", 0.75), cell("1", 0.25)],
                    vec![cell("", 0.0), cell("", 0.0)],
                ],
            }),
            Part::Lines(Lines {
                title: "AUC by number of units".into(),
                alt: "AUC over units; one <unit>: 0.71 at 1, 0.95 at 16.".into(),
                svg: "<svg aria-hidden=\"true\" viewBox=\"0 0 640 308\"></svg>".into(),
                axes: ["units".into(), "AUC".into()],
                names: vec!["one <unit>".into(), "dense".into()],
            }),
            Part::Pictures {
                title: "Mistakes with the highest probability".into(),
                items: vec![GridItem {
                    picture: picture(false),
                    caption: "money bag".into(),
                    value: String::new(),
                }],
            },
        ],
        table: Table { head: vec!["class".into()], rows: vec![vec!["<cat>".into()]] },
        note: "4 images".into(),
    };
    let film = Drawing::Picture {
        picture: Picture {
            image: image("small", Format::Webp),
            full: Some(image("bag", Format::Png)),
            film: Some(image("film", Format::Webp)),
            ..picture(true)
        },
        value: "mean activation 6.12".into(),
        note: "mean activation 6.12, from 0.08 on noise".into(),
        curve: Some(Curve {
            svg: "<svg aria-hidden=\"true\" viewBox=\"0 0 220 70\"></svg>".into(),
            alt: "mean activation over 512 steps, between 0.08 and 6.12.".into(),
            table: Table {
                head: vec!["step".into(), "mean activation".into()],
                rows: vec![vec!["0".into(), "0.08".into()]],
            },
        }),
    };
    vec![("picture", single), ("film", film), ("grid", grid), ("plot", plot), ("parts", parts)]
}

/// A figure in each state and with each of these drawings.
pub fn figures<'a>(drawings: &'a [(&'static str, Drawing)]) -> Vec<(&'static str, FigureView<'a>)> {
    let drawing = |name: &str| {
        let found = drawings.iter().find(|(known, _)| *known == name);
        &found.expect("a drawing of that name").1
    };
    let figure = |kind: &str, state: FigureState<'a>| FigureView {
        id: "vis".into(),
        number: 2,
        label: "Figure 2".into(),
        kind: kind.into(),
        width: "text".into(),
        title: Some("Unit 42".into()),
        caption_html: Some("What unit 42 <em>looks for</em>.".into()),
        alt: None,
        state,
        provenance: vec![
            FactView { name: "layer".into(), value: "image_block_4/0/Add_6".into(), href: None },
            FactView {
                name: "unit".into(),
                value: "42".into(),
                href: Some("units/42.html".into()),
            },
        ],
        yaml: "id: vis\nunit: 42\n".into(),
        fenced: "```yaml analysis\nid: vis\nunit: 42\n```\n".into(),
        complete: Some("```yaml analysis\nid: vis\nunit: 42\nsteps: 512\n```\n".into()),
        key: "9f2c".repeat(16),
        keys: vec![],
        data: Some(DataView {
            csv: "figures/data/5c.csv".into(),
            json: "figures/data/7d.json".into(),
        }),
        mentions: vec![LinkView { title: "Bare".into(), href: "bare.html#link-1".into() }],
    };
    let waiting =
        |stale| FigureState::Waiting { height: 320, status: "step 192 of 512".into(), stale };
    let done = |name| FigureState::Done { drawing: drawing(name) };
    let item = |unit: u32, state| SweepItemView {
        key: format!("{unit:04}").repeat(16),
        caption: format!("unit {unit}"),
        href: Some(format!("units/{unit}.html")),
        alt: None,
        state,
    };
    let sweep = FigureState::Sweep {
        items: vec![
            item(
                3,
                SweepItemState::Done {
                    pictures: drawing("picture").first_picture().into_iter().collect(),
                    value: "mean activation 6.12",
                    note: "mean activation 6.12, from 0.08 on noise",
                },
            ),
            item(4, SweepItemState::Waiting { status: "queued".into(), stale: None }),
            item(5, SweepItemState::Failed { problem: problem() }),
        ],
        wide: 3,
        narrow: 3,
        status: "1 of 3 measured".into(),
    };
    let unmeasured = |figure: FigureView<'a>| FigureView { provenance: vec![], ..figure };
    vec![
        ("picture", figure("feature_vis", done("picture"))),
        ("film", figure("feature_vis", done("film"))),
        ("sweep", FigureView { keys: vec!["0003".repeat(16)], ..figure("feature_vis", sweep) }),
        ("grid", figure("dataset_examples", done("grid"))),
        ("plot", figure("activation_histogram", done("plot"))),
        (
            "parts",
            FigureView {
                alt: Some("What \"cats\" are predicted as.".into()),
                ..figure("zero_shot", done("parts"))
            },
        ),
        ("waiting", unmeasured(figure("feature_vis", waiting(None)))),
        ("stale", unmeasured(figure("feature_vis", waiting(Some(drawing("picture")))))),
        (
            "failed",
            FigureView {
                title: None,
                caption_html: None,
                provenance: vec![],
                key: String::new(),
                ..figure("", FigureState::Failed { problem: problem() })
            },
        ),
    ]
}
