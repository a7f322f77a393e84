//! Sample drawings for tests: one of each form.

use neuronotes_core::digest::Digest;
use neuronotes_core::model::Place;

use crate::figure::behind::{Behind, BehindBar};
use crate::figure::composed::{Edge, Equation, Equations, Graph, Term, UnitNode};
use crate::figure::curve::Curve;
use crate::figure::part::{Bar, Bars, Cell, Lines, Matrix, Part, Stacked};
use crate::figure::picture::{Format, GridItem, Image, Picture};
use crate::figure::sheet::SheetLink;
use crate::figure::table::{Table, Units};
use crate::figure::{Drawing, UnitRef};

fn image(name: &str, format: Format) -> Image {
    Image { digest: Digest::of(name.as_bytes()), width: 96, height: 96, format }
}

pub fn unit_ref(unit: u32) -> UnitRef {
    let place = Place::Layer("visual.layer4.0.add".into());
    UnitRef { model: Digest::of(b"weights"), place, unit }
}

fn picture(synthetic: bool) -> Picture {
    Picture { synthetic, ..Picture::plain(image("bag", Format::Png), "a money bag") }
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
                unit: None,
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
            units: None,
        },
        note: "2 images".into(),
        behind: None,
    };
    let behind = match plot.clone() {
        Drawing::Plot { svg, alt, table, note, .. } => {
            let bar = |from: f64, names: &[&str]| BehindBar {
                across: [from, from + 0.25],
                says: format!("{from} to {}: {} images", from + 0.25, names.len()),
                images: names.iter().map(|name| ((*name).to_owned(), [0, 64])).collect(),
            };
            let behind = Behind {
                label: "Images behind each bar".into(),
                sheet: Image { width: 128, height: 128, ..image("sheet", Format::Webp) },
                tile: 64,
                rows: [0.1, 0.8],
                most: 2,
                bars: vec![bar(0.25, &["cat"]), bar(0.5, &["dog", "<fox>"])],
            };
            Drawing::Plot { svg, alt, table, note, behind: Some(behind) }
        }
        other => other,
    };
    let bar = |label: &str, to: f64, interval| Bar {
        label: label.into(),
        value: format!("{} %", to * 100.0),
        from: 0.0,
        to,
        below: false,
        interval,
        dots: Vec::new(),
        unit: None,
    };
    let of_unit = |unit: u32| Bar {
        unit: Some(unit_ref(unit)),
        ..bar(&UnitRef::plain(&unit_ref(unit).place, unit), 0.5, None)
    };
    let cell = |value: &str, share: f64| Cell { value: value.into(), share };
    let node = |unit: u32| UnitNode {
        label: UnitRef::plain(&unit_ref(unit).place, unit),
        unit: Some(unit_ref(unit)),
        picture: (unit == 42).then(|| picture(false)),
    };
    let edge = |unit: usize, weight: f64| Edge {
        unit,
        class: 0,
        weight,
        value: weight.to_string(),
        ends: (0.25 + 0.5 * unit as f64, 0.5),
        share: weight.abs() / 2.5,
    };
    let parts = Drawing::Parts {
        parts: vec![
            Part::Bars(Bars {
                title: "By class".into(),
                picture: Some(picture(false)),
                head: ["class".into(), "accuracy".into()],
                rows: vec![
                    Bar { value: "75 % (3 of <4)".into(), ..bar("<cat>", 0.75, Some((0.3, 0.95))) },
                    bar("dog", 0.0, None),
                ],
            }),
            Part::Bars(Bars {
                title: "By unit".into(),
                picture: None,
                head: ["unit".into(), "part".into()],
                rows: vec![of_unit(42), of_unit(43), of_unit(44)],
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
            Part::Stacked(Stacked {
                alt: "share of each category over activation; from 0: <heart> 75.0 %.".into(),
                svg: "<svg aria-hidden=\"true\" viewBox=\"0 0 640 340\"></svg>".into(),
                axes: ["activation".into(), "share of each category".into()],
                names: vec!["<heart>".into(), "face".into()],
                rest: "other".into(),
                hatched: true,
            }),
            Part::Sheet(SheetLink {
                digest: Digest::of(b"sheet"),
                path: "figures/0123.html".into(),
                text: "Labelling sheet".into(),
                note: "shows <40 images".into(),
            }),
            Part::Equations(Equations {
                title: "What classes are made of".into(),
                rows: vec![
                    Equation {
                        name: "<cat>".into(),
                        terms: vec![Term::of(2.5, 1, node(42)), Term::of(-1.1, 1, node(44))],
                        more: 3,
                    },
                    Equation { name: "dog".into(), terms: vec![], more: 0 },
                ],
            }),
            Part::Graph(Graph {
                title: String::new(),
                alt: "Graph of 2 units and 1 class with 2 weights between −1.1 and 2.5".into(),
                units: vec![node(42), node(44)],
                classes: vec!["<cat>".into()],
                edges: vec![edge(1, -1.1), edge(0, 2.5)],
                most: 2.5,
            }),
            Part::Pictures {
                title: "Mistakes with the highest probability".into(),
                items: vec![GridItem {
                    picture: picture(false),
                    caption: "money bag".into(),
                    value: String::new(),
                    unit: None,
                }],
            },
        ],
        table: Table {
            head: vec!["class".into(), "unit".into()],
            rows: vec![
                vec!["<cat>".into(), "unit 42".into()],
                vec!["dog".into(), "unit 43".into()],
            ],
            units: Some(Units { column: 1, rows: vec![Some(unit_ref(42)), Some(unit_ref(43))] }),
        },
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
                units: None,
            },
        }),
    };
    vec![
        ("picture", single),
        ("film", film),
        ("grid", grid),
        ("plot", plot),
        ("behind", behind),
        ("parts", parts),
    ]
}
