//! Drawings of results that are made up.

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::zero_shot::{Example, KIND};
use neuronotes_core::request::{FileRef, Inputs};
use serde_json::json;

use super::*;
use crate::figure::drawing;
use crate::figure::tests::Stored;

/// Draws `outcome` as of a block with these digests for pictures.
fn drawn(outcome: &Outcome, images: &[Digest], top: u32) -> Result<Drawing, String> {
    let params = json!({
        "images": images, "classes": [], "templates": ["{}"], "truncate": false, "truth": "caption",
        "examples": 2,
    });
    let pictures = images.iter().map(|digest| FileRef {
        name: "notes/pictures/wolf.png".into(),
        path: "/garden/notes/pictures/wolf.png".into(),
        digest: *digest,
    });
    let stored = Stored::new(&KIND, params, outcome);
    let mut stored = stored.output("001.png", "image/png", b"a picture");
    stored.inputs = Inputs { pictures: pictures.collect(), ..Inputs::default() };
    stored.presentation.insert("top".into(), top.into());
    let first = drawing(&KIND, &stored.context())?;
    assert_eq!(drawing(&KIND, &stored.context()).as_ref(), Ok(&first), "as it was kept");
    Ok(first)
}

fn outcome(survey: Option<Survey>) -> Outcome {
    let classes = ["cat", "dog", "wolf"].map(str::to_owned).to_vec();
    Outcome { classes, logit_scale: 100.0, images: vec![], survey }
}

fn survey() -> Survey {
    let example = |truth, predicted| Example {
        key: "dog--noto".into(),
        caption: Some("dog face".into()),
        truth,
        predicted,
        probability: 0.987,
        picture: "001.png".into(),
        width: 96,
        height: 96,
    };
    Survey {
        count: 3212,
        unlabelled: 1,
        outside: 3202,
        strangers: vec![("heart".into(), 900), ("key".into(), 2)],
        confusion: vec![(0, 0, 4), (1, 1, 1), (1, 2, 3), (2, 1, 1)],
        top5: 9,
        predicted: vec![1000, 2000, 212],
        examples: vec![example(Some(1), 2)],
    }
}

#[test]
fn a_picture_stands_beside_its_most_probable_classes() {
    let judged = neuronotes_core::kind::zero_shot::Judged {
        picture: "001.png".into(),
        width: 96,
        height: 64,
        similarities: vec![0.2, 0.21, 0.25],
        probabilities: vec![0.0066, 0.0179, 0.9755],
        origin: None,
    };
    let outcome = Outcome { images: vec![judged], ..outcome(None) };
    let drawing = drawn(&outcome, &[Digest::of(b"wolf")], 2).expect("a drawing");
    assert_eq!(drawing.images().len(), 1);
    insta::assert_json_snapshot!(drawing);
}

#[test]
fn a_data_set_with_known_classes_is_counted() {
    insta::assert_json_snapshot!(drawn(&outcome(Some(survey())), &[], 5).expect("a drawing"));
}

#[test]
fn a_data_set_without_is_shared_out() {
    let mut survey = survey();
    survey.confusion.clear();
    survey.examples.iter_mut().for_each(|example| example.truth = None);
    insta::assert_json_snapshot!(drawn(&outcome(Some(survey)), &[], 5).expect("a drawing"));
}

#[test]
fn many_classes_give_a_list_of_mistakes_and_no_matrix() {
    let classes: Vec<String> = (0..300).map(|n| format!("class {n}")).collect();
    let survey = Survey {
        confusion: (0..300).map(|n| (n, (n + u32::from(n % 3 == 0)) % 300, 2)).collect(),
        predicted: vec![2; 300],
        examples: vec![],
        ..survey()
    };
    let outcome = Outcome { classes, ..outcome(Some(survey)) };
    let Drawing::Parts { parts, table, note } = drawn(&outcome, &[], 5).expect("a drawing") else {
        panic!("parts");
    };
    let [Part::Bars(accuracy), Part::Bars(mistakes)] = parts.as_slice() else { panic!("bars") };
    assert_eq!((accuracy.rows.len(), mistakes.rows.len()), (25, 12));
    assert_eq!(mistakes.rows[0].label, "class 0 → class 1");
    assert_eq!(table.rows.len(), 400);
    assert!(note.starts_with("600 images of 300 classes; top 1 66.7 %"), "{note}");
}

#[test]
fn a_result_that_does_not_fit_is_an_error_and_no_panic() {
    let mut wrong = survey();
    wrong.confusion.push((3, 0, 1));
    assert!(drawn(&outcome(Some(wrong)), &[], 5).is_err());
    let mut wrong = survey();
    wrong.predicted.pop();
    assert!(drawn(&outcome(Some(wrong)), &[], 5).is_err());
    let mut wrong = survey();
    wrong.examples[0].picture = "002.png".into();
    assert!(drawn(&outcome(Some(wrong)), &[], 5).expect_err("no picture").contains("002.png"));
}
