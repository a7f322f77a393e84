//! Draws `attack`: how many pictures each text changed, and those that it changed most.

use serde_json::{Map, Value};

use neuronotes_core::kind::attack::{self, Answers, Attack, Example, Outcome, Params};
use neuronotes_core::kind::zero_shot::Truth;
use neuronotes_core::number::{fixed, percent, thousands};
use neuronotes_core::statistics::{part, wilson};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Part, accuracy};
use super::picture::GridItem;
use super::table::Table;

/// The drawing of `attack`.
pub(super) static FIGURE: Figure = Figure { kind: &attack::KIND, height, draw };

/// A bar and a row of pictures for each text.
fn height(params: &Map<String, Value>) -> u32 {
    typed(params).map_or(0, |params: Params| {
        let texts = params.attacks.iter().map(|attack| attack.names.len()).sum::<usize>() as u32;
        let bars = if params.probe.is_some() { 2 } else { 1 };
        60 + texts.min(40) * (bars * 28 + params.examples.div_ceil(4) * 200)
    })
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let classes = outcome.classes.len();
    let fits = |class: u32| (class as usize) < classes;
    let known = |attack: &Attack| {
        let all = attack.examples.iter().flat_map(|example| {
            let probe = example.probe.map(|(was, is)| [was, is]);
            [example.was, example.is].into_iter().chain(probe.into_iter().flatten())
        });
        all.chain([attack.target]).all(fits)
    };
    if !outcome.attacks.iter().all(known) {
        return Err("the stored result does not fit its classes".to_owned());
    }
    let name = |class: u32| outcome.classes[class as usize].as_str();
    let title = |attack: &Attack| match name(attack.target) {
        target if target == attack.text => target.to_owned(),
        target => format!("“{}” → {target}", attack.text),
    };
    let probe = context.used("probe").next().map_or("probe", |known| &known.name);
    let bars = outcome.attacks.iter().flat_map(|attack| {
        let title = title(attack);
        let Some(answers) = attack.probe else {
            return vec![accuracy(&title, attack.changed_to, outcome.count)];
        };
        vec![
            accuracy(&format!("{title}, zero-shot"), attack.changed_to, outcome.count),
            accuracy(&format!("{title}, {probe}"), answers.changed_to, outcome.count),
        ]
    });
    let heading = "Pictures that a text changed to its target, with 95 % intervals";
    let mut parts = vec![Part::bars(heading, ["text", "pictures"], bars.collect())];
    for attack in &outcome.attacks {
        let item = |example: &Example| {
            let mut caption =
                format!("{}: {} → {}", example.caption, name(example.was), name(example.is));
            if let Some((was, is)) = example.probe {
                caption += &format!(" ({probe}: {} → {})", name(was), name(is));
            }
            let size = (example.side, example.side);
            let alt = format!("{} under the text {}", example.caption, attack.text);
            Ok(GridItem {
                picture: context.plain(&example.picture, size, &alt)?,
                caption,
                value: format!("{} → {}", percent(example.before), percent(example.after)),
                unit: None,
            })
        };
        let items = attack.examples.iter().map(item).collect::<Result<Vec<_>, String>>()?;
        if !items.is_empty() {
            let title = format!("{}: where its probability rose most", title(attack));
            parts.push(Part::Pictures { title, items });
        }
    }
    let mut note = format!("{} images, {classes} classes", thousands(outcome.count));
    if outcome.of > 0 {
        let (low, high) = wilson(outcome.right, outcome.of);
        note += &format!(
            "; without a text, {} of {} are classified correctly (95 % interval {} to {})",
            percent(part(outcome.right, outcome.of)),
            thousands(outcome.of),
            percent(low),
            percent(high),
        );
    } else if params.truth != Truth::None {
        note += "; none of the images is of one of the classes, so that there is no accuracy without a text";
    }
    if let (Some(probed), true) = (outcome.probe, outcome.of > 0) {
        let (low, high) = wilson(probed.right, outcome.of);
        note += &format!(
            ", and {} by the probe {probe} ({} to {}), which was fitted to {} of the images",
            percent(part(probed.right, outcome.of)),
            percent(low),
            percent(high),
            thousands(probed.fitted),
        );
    }
    if outcome.skipped > 0 {
        note += &format!("; {} images could not be read", thousands(outcome.skipped));
    }
    Ok(Drawing::Parts { parts, table: table(&outcome, probe), note })
}

/// The heads of the table's columns; with a probe, one more says whose answers a row is about.
const HEAD: [&str; 11] = [
    "text",
    "target",
    "changed to",
    "already equal",
    "changed away",
    "neither",
    "success",
    "95 % interval",
    "pixels covered",
    "mean probability without",
    "mean probability with",
];

/// A row for each text; two if there is a probe.
fn table(outcome: &Outcome, probe: &str) -> Table {
    let row = |attack: &Attack, answers: &Answers| {
        let (low, high) = wilson(answers.changed_to, outcome.count);
        let share = |images: u64| percent(part(images, outcome.count));
        vec![
            attack.text.clone(),
            outcome.classes[attack.target as usize].clone(),
            thousands(answers.changed_to),
            thousands(answers.already_equal),
            thousands(answers.changed_away),
            thousands(answers.neither),
            share(answers.changed_to),
            format!("{} to {}", percent(low), percent(high)),
            percent(attack.covered),
            fixed(answers.before, 4),
            fixed(answers.after, 4),
        ]
    };
    let rows = outcome.attacks.iter().flat_map(|attack| {
        let own = row(attack, &by_texts(attack));
        let Some(answers) = &attack.probe else { return vec![own] };
        let whose = |mut row: Vec<String>, whose: &str| {
            row.insert(2, whose.to_owned());
            row
        };
        vec![whose(own, "zero-shot"), whose(row(attack, answers), probe)]
    });
    let mut head = HEAD.to_vec();
    if outcome.probe.is_some() {
        head.insert(2, "answers of");
    }
    Table::new(&head, rows.collect())
}

/// What a text did to zero-shot classification.
fn by_texts(attack: &Attack) -> Answers {
    Answers {
        changed_to: attack.changed_to,
        already_equal: attack.already_equal,
        changed_away: attack.changed_away,
        neither: attack.neither,
        before: attack.before,
        after: attack.after,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Result<Drawing, String> {
        let params = json!({
            "classes": [{ "label": "cat", "names": ["cat"] }], "attacks": [], "truth": "label",
            "templates": ["{}"], "truncate": false, "images": 8, "size": 0.07, "examples": 1,
        });
        let stored = Stored::new(&attack::KIND, params, outcome);
        draw(&stored.output("001.png", "image/png", b"picture").context())
    }

    #[test]
    fn an_attack_is_a_bar_and_the_pictures_that_it_changed_most() {
        insta::assert_json_snapshot!(drawn(&attack::sample(0.75)).expect("a drawing"));
        insta::assert_json_snapshot!(drawn(&attack::sample_with_probe(0.75)).expect("a drawing"));
        let mut damaged = attack::sample_with_probe(0.75);
        damaged.attacks[0].examples[0].probe = Some((0, 9));
        assert!(drawn(&damaged).is_err());
        let mut damaged = attack::sample(0.75);
        damaged.attacks[0].target = 9;
        assert!(drawn(&damaged).is_err());
    }

    #[test]
    fn an_accuracy_that_no_image_has_a_class_for_is_missed_aloud() {
        let outcome = Outcome { of: 0, right: 0, ..attack::sample(0.75) };
        let Drawing::Parts { note, .. } = drawn(&outcome).expect("a drawing") else {
            panic!("parts");
        };
        assert!(note.contains("none of the images is of one of the classes"), "{note}");
    }
}
