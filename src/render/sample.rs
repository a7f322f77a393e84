//! Sample views for tests: a full note, a minimal one, the home page, and a figure in each state.

mod drawing;

use std::collections::BTreeMap;

use crate::figure::Drawing;
use crate::view::*;
pub use drawing::drawings;
use drawing::unit_ref;

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
        claims: "claims.css".into(),
        boxes: "boxes.css".into(),
        script: "garden.js".into(),
        find: "find.js".into(),
        zoom: "zoom.js".into(),
        figure_script: "figure.js".into(),
        map: "map.js".into(),
        review: "review.css".into(),
        review_script: "review.js".into(),
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
        linked: Some("{\"@type\":\"ScholarlyArticle\"}".into()),
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
        reviews: reviews(),
        discuss: Some(DiscussView {
            whole: "https://example.org/new?title=Notes%20with%20TOC%3A%20".into(),
            quoting: "https://example.org/new?body=%7Bquote%7D".into(),
        }),
        tags: vec![tag("finance"), tag("composition")],
        units: vec![LinkView { title: "unit 42 · finance".into(), href: "units/42.html".into() }],
        contents: vec![
            entry("neurons", "Neurons", vec![entry("tail", "A <em>long</em> tail", vec![])]),
            entry("absent", "Absent concepts", vec![]),
        ],
        figures: false,
        claims: false,
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
                claim: "cites a claim that no longer holds",
            }],
        }],
        used: vec![UsedView {
            unit: LinkView { title: "unit 42 · finance".into(), href: "units/42.html".into() },
            figures: vec![LinkView {
                title: "Figure 1 of Piggy bank".into(),
                href: "piggy-bank.html#vis".into(),
            }],
            more: 2,
        }],
        problems: vec![problem()],
    }
}

fn reviews() -> Vec<ReviewView> {
    let on = || DateView { iso: "2025-04-22".into(), shown: "April 22, 2025".into() };
    let link = |title: &str, href: &str| LinkView { title: title.into(), href: href.into() };
    let review = ReviewView {
        by: "Ada".into(),
        on: on(),
        verdict: "agree",
        shown: "agrees",
        figure: None,
        message: None,
        changes: vec![],
        command: String::new(),
        due: Some(on()),
    };
    let of_figure = ReviewView {
        by: "Ben & Cid".into(),
        verdict: "disagree",
        shown: "disagrees",
        figure: Some(link("vis", "#vis")),
        message: Some("Is it <not> a face?".into()),
        changes: vec![
            link("text changed since", "review.html#group-note-toc"),
            link("figure vis changed since", "#vis"),
        ],
        command: "neuronotes diff 579f12d0a1b2".into(),
        due: None,
        ..review.clone()
    };
    vec![review, of_figure]
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
        reviews: vec![],
        discuss: None,
        tags: vec![],
        units: vec![],
        contents: vec![],
        figures: false,
        claims: false,
        body_html: "<p>Text.</p>".into(),
        references: vec![],
        citation: None,
        backlinks: vec![],
        used: vec![],
        graph_html: None,
        problems: vec![],
    }
}

/// A unit that a note names, one that has a page, and one that has none.
fn units<'a>() -> BTreeMap<String, UnitNameView<'a>> {
    let view = |unit, name: Option<&str>, href: Option<&str>| {
        let (name, href) = (name.map(Into::into), href.map(Into::into));
        let view = UnitNameView { unit, name, href, picture: None };
        (unit_ref(unit).to_string(), view)
    };
    BTreeMap::from([
        view(42, Some("finance & <money>"), Some("finance.html")),
        view(43, None, Some("units/43.html")),
        view(44, None, None),
    ])
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
        claims: false,
        reviews: reviews(),
        discuss: None,
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
        used: vec![],
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

/// An expectation that fails, one that holds, and one of which nothing is known.
fn claims() -> Option<ClaimsView> {
    let claim = |that: &str, measured: &str| ClaimView {
        that: that.into(),
        expected: that.into(),
        measured: measured.into(),
        ..ClaimView::default()
    };
    ClaimsView::of(vec![
        (
            Some(false),
            ClaimView {
                because: Some("faces & masks are alike".into()),
                href: Some("#^faces".into()),
                warns: true,
                ..claim("activation > 5", "4.2")
            },
        ),
        (
            Some(true),
            ClaimView {
                predicted: Some("committed 2026-11-01, measured 2026-11-02".into()),
                ..claim("start < 5", "0.1")
            },
        ),
        (None, ClaimView { reason: Some("`b` has failed".into()), ..claim("b.mean > 5", "") }),
    ])
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
        controls: vec![],
        controls_off: "",
        controls_lacking: String::new(),
        units: units(),
        claims: None,
        mentions: vec![LinkView { title: "Bare".into(), href: "bare.html#link-1".into() }],
        discuss: None,
    };
    let unfinished = |stale, so_far| {
        let status = "step 192 of 512".into();
        FigureState::Waiting { height: 320, status, stale, so_far }
    };
    let waiting = |stale| unfinished(stale, None);
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
            item(4, SweepItemState::Waiting { status: "queued".into(), stale: None, so_far: None }),
            item(5, SweepItemState::Failed { problem: problem() }),
        ],
        wide: 3,
        narrow: 3,
        status: "1 of 3 measured".into(),
    };
    let control = |number: usize, title: &str, state| ControlView {
        id: format!("vis-control-{number}"),
        title: title.to_owned(),
        label: "Figure 2, controls".into(),
        alt: None,
        state,
        key: "5a3e".repeat(16),
        data: None,
        units: units(),
    };
    let unmeasured = |figure: FigureView<'a>| FigureView { provenance: vec![], ..figure };
    vec![
        ("picture", FigureView { claims: claims(), ..figure("feature_vis", done("picture")) }),
        ("film", figure("feature_vis", done("film"))),
        ("sweep", FigureView { keys: vec!["0003".repeat(16)], ..figure("feature_vis", sweep) }),
        ("grid", figure("dataset_examples", done("grid"))),
        (
            "controls",
            FigureView {
                controls: vec![
                    control(1, "Images that nobody chose", done("parts")),
                    control(2, "Another seed", waiting(None)),
                    control(3, "A third", FigureState::Failed { problem: problem() }),
                ],
                controls_lacking: "Controls left out: a fourth (the sweep has two fields already)."
                    .into(),
                ..figure("dataset_examples", done("grid"))
            },
        ),
        (
            "uncontrolled",
            FigureView {
                controls_off: "Controls are off for this figure.",
                ..figure("dataset_examples", done("grid"))
            },
        ),
        ("plot", figure("activation_histogram", done("plot"))),
        ("behind", figure("activation_histogram", done("behind"))),
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
            "part",
            unmeasured(figure(
                "activation_histogram",
                unfinished(Some(drawing("plot")), Some("of 4,096 of 50,000 images")),
            )),
        ),
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
