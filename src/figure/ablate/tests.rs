//! Drawings of made-up ablations.

use serde_json::json;

use super::*;
use crate::figure::tests::Stored;

/// The parts, table rows and note of a made-up outcome with these parameters.
fn drawn(change: Value, outcome: &Outcome) -> (Vec<Part>, Vec<Vec<String>>, String) {
    let mut params = json!({
        "layer": "visual.layer4.0.add", "by": "zero", "read": "accuracy", "controls": 2, "seed": 0,
        "classes": [{ "label": "castle", "names": ["castle"] }, { "label": "cat", "names": ["cat"] }],
        "templates": ["{}"], "truncate": false, "truth": "label",
    });
    for (name, value) in change.as_object().expect("a map") {
        params[name] = value.clone();
    }
    match Stored::new(&ablate::KIND, params, outcome).drawn() {
        Drawing::Parts { parts, table, note } => (parts, table.rows, note),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_accuracy_is_drawn_before_and_after_beside_controls_and_by_class() {
    insta::assert_json_snapshot!(drawn(json!({ "units": [3] }), &ablate::sample(0.25)));
}

#[test]
fn the_note_says_what_was_changed_and_how() {
    let outcome = ablate::sample(0.25);
    let note = |change: Value| drawn(change, &outcome).2;
    let units = note(json!({ "units": [3, 4], "by": "shift", "sd": -2.5 }));
    assert!(units.starts_with("units 3, 4 of "), "{units}");
    assert!(
        units.contains("shifted by −2.5 standard deviations (each by its own, 0.25)"),
        "{units}"
    );
    assert!(units.contains("2 sets of other units"), "{units}");
    let many: Vec<u32> = (0..9).collect();
    assert!(note(json!({ "units": many })).starts_with("9 units of "));
    let mean = note(json!({ "units": [3], "by": "mean" }));
    assert!(mean.contains("set to the mean over the data set, 0.5"), "{mean}");
    let direction = json!([[{ "weight": 1.0, "of": { "units": [[3, 1.0]] } }]]);
    let out = note(json!({ "directions": direction, "by": "project_out" }));
    assert!(out.contains("projected out") && out.contains("exactly as much"), "{out}");
    let heads = note(json!({ "heads": [1], "layer": "visual.attnpool" }));
    assert!(heads.starts_with("head 1 of ") && heads.contains("set to zero"), "{heads}");
    assert!(heads.contains("none of 2 has as large an effect (p = 0.333)"), "{heads}");
}

#[test]
fn few_controls_and_none_are_said() {
    let mut outcome = ablate::sample(0.25);
    let fewer = drawn(json!({ "units": [3], "controls": 20 }), &outcome).2;
    assert!(fewer.contains("since the layer has no more than 2 to draw"), "{fewer}");
    outcome.controls.clear();
    let (parts, rows, none) = drawn(json!({ "units": [3], "controls": 20 }), &outcome);
    assert!(none.contains("no controls: the layer has no other units"), "{none}");
    assert_eq!(rows.len(), 1 + outcome.classes.len());
    let Part::Bars(changes) = &parts[1] else { panic!("bars") };
    assert_eq!((changes.rows.len(), &*changes.title), (1, "Change in percentage points"));
    assert!(drawn(json!({ "units": [3], "controls": 0 }), &outcome).2.contains("; no controls;"));
}

#[test]
fn a_logit_has_a_scale_of_its_own_and_no_classes() {
    let mut outcome = ablate::sample(0.25);
    (outcome.flips, outcome.classes) = (None, Vec::new());
    outcome.before = (4.0, 3.5, 4.5).into();
    outcome.after = (-1.0, -1.5, -0.5).into();
    outcome.change = (-5.0, -5.5, -4.5).into();
    let params = json!({ "units": [3], "read": "logit", "text": "cat" });
    let (parts, _, note) = drawn(params, &outcome);
    let [Part::Bars(levels), Part::Bars(changes)] = &parts[..] else { panic!("two parts") };
    assert_eq!(levels.title, "Logit of “cat”, with 95 % intervals");
    let [before, after, controls] = &levels.rows[..] else { panic!("three rows") };
    assert_eq!((before.from, before.to, before.below), (0.25, 11.0 / 12.0, false));
    assert_eq!((after.to, after.below, controls.dots.len()), (0.25, true, 2));
    assert_eq!((changes.rows[0].from, changes.rows[0].below), (0.5 / 5.5, true));
    assert!(note.contains("logit of “cat”: 4.00 before and −1.00 after"), "{note}");
}
