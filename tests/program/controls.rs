//! Controls: what a figure is compared with that nobody chose, beside it and in its sentences.

use crate::common::Garden;
use crate::common::results::fill;

const LAYER: &str = "layer: image_block_4/0/Add_6";

fn block(yaml: &str) -> String {
    format!("```yaml analysis\n{yaml}\n```\n\n")
}

/// The configuration of [`Garden::new`] with this line.
fn with(garden: &Garden, line: &str) {
    let text = garden.read("neuronotes.yaml");
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("controls")).collect();
    garden.write("neuronotes.yaml", &format!("{}\n{line}\n", kept.join("\n")));
}

/// Headings of the folds with controls on a page.
fn folds(garden: &Garden, page: &str) -> Vec<String> {
    let html = garden.page(page);
    let parts = html.split("fold controls\">").skip(1);
    parts
        .map(|part| {
            let summary = part.split("<summary>").nth(1).unwrap_or_default();
            summary.split('<').next().unwrap_or_default().to_owned()
        })
        .collect()
}

fn garden() -> Garden {
    let garden = Garden::new();
    let examples = block(&format!("id: best\nkind: dataset_examples\n{LAYER}\nunit: 42"));
    let bars = block(&format!("id: bars\nkind: activation_histogram\n{LAYER}\nunit: 42"));
    let vis = block(&format!("id: vis\nkind: feature_vis\n{LAYER}\nunit: 42"));
    let prose = "Strongest `= best.top[0].activation`, at random `= best.controls.random[0].activation`, a third \
                 `= best.controls.others[0].unit`. Rank `= bars.controls.ranks[measure=kurtosis].rank`.\n\n";
    garden.note("index.md", &format!("# Controls\n\n{prose}{examples}{bars}{vis}"));
    garden
}

#[test]
fn controls_are_results_of_their_own_that_figures_do_not_depend_on() {
    let garden = garden();
    with(&garden, "controls: off");
    // Three figures and the scan of their layer.
    assert_eq!(fill(&garden), 3);
    garden.build();
    let page = garden.page("index.html");
    assert_eq!(page.matches("Controls are off in this garden.").count(), 3);
    assert!(folds(&garden, "index.html").is_empty());
    // What there is not is an error where it is named.
    let found = garden.said();
    assert!(found.contains("has no controls"), "{found}");

    with(&garden, "controls: on");
    // Images and ranks; the distribution is that of a figure, and no figure is measured again.
    assert_eq!(fill(&garden), 2);
    garden.built();
    let headings = [
        "Controls: images that nobody chose",
        "Controls: rank among the units of the layer",
        "Controls: where the reached activation lies among images",
    ];
    assert_eq!(folds(&garden, "index.html"), headings);
    let page = garden.page("index.html");
    for wanted in [
        "Weakest",
        "One from each of 3 bands",
        "Strongest for unit 2",
        "marked: ",
        "</data></a>, a third",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    // Its pictures are of the site, and wait until the fold is opened.
    let fold = page.split("fold controls\">").nth(1).expect("a fold");
    let image = fold.split("<img").nth(1).expect("a picture");
    assert!(image.split('>').next().expect("an element").contains("loading=\"lazy\""));
    let source = image.split("src=\"").nth(1).and_then(|rest| rest.split('"').next());
    assert!(garden.path(&format!("output/{}", source.expect("an address"))).is_file());

    // Another seed draws others; a number of units too; the figures stay.
    with(&garden, "controls: { seed: 7, units: 1 }");
    assert_eq!(fill(&garden), 1);
    assert_eq!(garden.built().code(), 0);
}

#[test]
fn what_takes_time_is_measured_where_it_is_asked_for() {
    let garden = garden();
    let vis = |more: &str| block(&format!("kind: feature_vis\n{LAYER}\n{more}"));
    with(&garden, "controls: { seeds: 2, shuffled: true }");
    garden.note(
        "index.md",
        &format!(
            "# Seeds\n\nThe other seed reaches `= one.controls.seeds[seed=6].activation`, shuffled weights \
             `= one.controls.shuffled.activation`.\n\n{}{}{}{}",
            vis("id: one\nunit: 42\nseed: 4"),
            vis("id: several\nsweep: { unit: [1, 2] }"),
            vis("id: sum\nunits: [1, 2]"),
            vis("id: none\nunit: 9\ncontrols: off"),
        ),
    );
    // Of the figures one, two, one and one; seeds 5 and 6 of the first three blocks, and shuffled weights of three units.
    assert_eq!(fill(&garden), 5 + 2 + 4 + 2 + 3);
    garden.built();
    let (seeds, shuffled) = (
        "Controls: the same with other seeds",
        "Controls: the same from a network with shuffled weights",
    );
    assert_eq!(folds(&garden, "index.html"), [seeds, shuffled, seeds, shuffled, seeds]);
    let page = garden.page("index.html");
    assert!(page.contains("seed 5") && page.contains("unit 2, seed 1"), "{page}");
    assert_eq!(page.matches("Controls are off for this figure.").count(), 1);

    // A block may ask for everything by itself.
    with(&garden, "controls: off");
    garden.note(
        "index.md",
        &format!("# Full\n\n{}", vis("id: one\nunit: 42\nseed: 4\ncontrols: full")),
    );
    assert_eq!(fill(&garden), 0);
    garden.built();
    assert_eq!(folds(&garden, "index.html"), [seeds, shuffled]);
}

#[test]
fn frozen_results_have_the_controls_and_a_missing_one_is_reported_once() {
    let garden = garden();
    with(&garden, "controls: on");
    fill(&garden);
    garden.built();
    let page = garden.page("index.html");
    assert_eq!(garden.run(&["freeze"]).code(), 0);
    let frozen = garden.run(&["build", "--frozen"]);
    assert_eq!(frozen.code(), 0, "{}", frozen.stderr());
    assert_eq!(garden.page("index.html"), page);
    with(&garden, "controls: { seed: 1 }");
    let lacking = garden.run(&["build", "--frozen"]);
    assert_eq!(lacking.code(), 1);
    let text = lacking.stderr();
    assert!(text.contains("a control: the frozen results lack `best` (controls)"), "{text}");
    assert_eq!(text.matches("a control:").count(), 1, "{text}");
}

/// What the figures of a page say of controls that are left out.
fn left_out(garden: &Garden, page: &str) -> Vec<String> {
    let html = garden.page(page).replace("<code>", "`").replace("</code>", "`");
    let parts = html.split("Controls left out: ").skip(1);
    parts.map(|part| part.split("</p>").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_figure_says_which_controls_it_lacks_and_why() {
    let garden = Garden::new();
    with(&garden, "controls: { seeds: 2, shuffled: true }");
    let vis = |more: &str| block(&format!("kind: feature_vis\n{more}"));
    let unit = format!("{LAYER}\nunit: 42");
    let among = "where the reached activation lies among images";
    let seeds = "the same with other seeds";
    let shuffled = "the same from a network with shuffled weights";
    let sweep = format!(
        "{among} (a sweep has no single distribution; `activation_histogram` draws that of a unit)"
    );
    let unscanned = format!("{among} (no figure scans the layer over the data set `emoji`)");
    let sum = format!("{shuffled} (only a single `unit` has a counterpart there)");
    let cases = [
        (unit.clone(), format!("{unscanned}.")),
        (format!("{LAYER}\nsweep: {{ unit: [1, 2] }}"), format!("{sweep}.")),
        // Other seeds are what the figure shows.
        (format!("{unit}\nsweep: {{ seed: [1, 2] }}"), format!("{sweep}.")),
        (
            format!("{LAYER}\nsweep: {{ unit: [1, 2], steps: [4, 8] }}"),
            format!("{sweep}; {seeds} (the sweep has two fields already)."),
        ),
        (
            format!(
                "{LAYER}\nsweep: {{ unit: [{}] }}",
                (0..129).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")
            ),
            format!("{sweep}; {seeds} (that would be 258 pictures; at most 256 are made)."),
        ),
        (format!("{LAYER}\nunits: [1, 2]"), format!("{unscanned}; {sum}.")),
        (
            format!("{LAYER}\nobjective: layer"),
            format!("{among} (`objective: layer` has no counterpart in a scan); {sum}."),
        ),
        (
            format!("{unit}\nshuffle: 3"),
            format!(
                "{among} (the figure itself is from shuffled weights); {shuffled} (the figure itself is from shuffled weights)."
            ),
        ),
        (
            format!("{LAYER}\nunits: [1, 2]\ncosine_power: 1"),
            format!(
                "{among} (the product with the direction is scaled by a power of the cosine); {sum}."
            ),
        ),
    ];
    for (fields, expected) in &cases {
        garden.note("index.md", &vis(fields));
        fill(&garden);
        garden.built();
        assert_eq!(left_out(&garden, "index.html").join("\n"), *expected, "{fields}");
    }
    // A value of what is left out is an error that says why.
    let prose =
        "`= figure-1.controls.shuffled.activation` `= figure-1.controls.seeds[0].activation`\n\n";
    garden.note("index.md", &format!("{prose}{}", vis(&format!("{LAYER}\nunits: [1, 2]"))));
    let said = garden.said();
    assert!(said.contains("left out: only a single `unit` has a counterpart there"), "{said}");
    // With a scan nothing is lacking, and the seeds of a sweep over them are not asked for again.
    let bars = block(&format!("kind: activation_histogram\n{unit}"));
    garden.note("index.md", &format!("{}{bars}", vis(&unit)));
    fill(&garden);
    garden.built();
    assert!(left_out(&garden, "index.html").is_empty());
    assert_eq!(folds(&garden, "index.html").len(), 4);
    // Units beside the block's own have no rank.
    let also = block(&format!("kind: activation_histogram\n{unit}\nalso: [3]"));
    garden.note("index.md", &also);
    fill(&garden);
    garden.built();
    let ranks = "ranks of the units of `also` (only the block's own unit has them).";
    assert_eq!(left_out(&garden, "index.html"), [ranks.replace('\'', "&#39;")]);
    // Nothing is said where controls are off, or where nobody asked for these.
    with(&garden, "controls: off");
    garden.built();
    assert!(left_out(&garden, "index.html").is_empty());
    with(&garden, "controls: on");
    garden.note("index.md", &vis(&format!("{LAYER}\nunits: [1, 2]")));
    fill(&garden);
    garden.built();
    assert_eq!(left_out(&garden, "index.html"), [format!("{unscanned}.")]);
}

#[test]
fn a_kind_without_controls_says_so_where_they_are_asked_for() {
    let garden = Garden::new();
    let blocks = [
        format!("kind: attribution\n{LAYER}\nword: apple\ntext: apple\ncontrols: full"),
        format!("kind: unit_summary\n{LAYER}\nunit: 3\ncontrols: on"),
        format!("kind: words\n{LAYER}\nunit: 3\ncontrols: off"),
    ];
    for (at, yaml) in blocks.iter().enumerate() {
        garden.note(&format!("{at}.md"), &block(yaml));
    }
    insta::assert_snapshot!(garden.said());
}

#[test]
fn mistakes_about_controls_have_their_place_and_a_hint() {
    let garden = garden();
    with(&garden, "controls: on");
    fill(&garden);
    let text = garden.read("notes/index.md");
    let more = "`= best.controls.randm[0].key` `= vis.controls` `= vis.controls.seeds[0].activation` `= best.control[0].key`\n\n";
    garden.note("index.md", &text.replace("# Controls\n\n", &format!("# Controls\n\n{more}")));
    let old = block(&format!("id: old\nkind: dataset_examples\n{LAYER}\nunit: 1\ncontrol: true"));
    let odd = block(&format!("id: odd\nkind: dataset_examples\n{LAYER}\nunit: 1\ncontrols: maybe"));
    garden.note("other.md", &format!("{old}{odd}"));
    insta::assert_snapshot!(garden.said());
}
