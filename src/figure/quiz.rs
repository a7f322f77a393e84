//! Draws `quiz`: a link to its page, and what it consists of.

use neuronotes_core::kind::quiz::{self, Outcome, Params, QUIZ};
use neuronotes_core::number::{decimals, number, thousands};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::Figure;
use super::part::Part;
use super::sheet::SheetLink;
use super::table::Table;
use crate::field::direction_line;

/// The drawing of `quiz`.
pub(super) static FIGURE: Figure = Figure { kind: &quiz::KIND, height: |_| 60, draw };

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let output = context.record.outputs.get(QUIZ);
    let output = output.ok_or_else(|| format!("the stored result has no `{QUIZ}`"))?;
    let trials = outcome.trials + outcome.catches;
    let what = format!(
        "which of two pictures activates {} more, in {}",
        match params.direction {
            Some(_) => "the direction",
            None if params.layer.noun() == "feature" => "the feature",
            None => "the unit",
        },
        match trials {
            1 => "1 trial".to_owned(),
            count => format!("{} trials", thousands(count)),
        }
    );
    let link = SheetLink::to(output.digest, "Test yourself", what);
    Ok(Drawing::Parts {
        parts: vec![Part::Sheet(link)],
        table: table(&outcome),
        note: note(context, &outcome, &params),
    })
}

fn table(outcome: &Outcome) -> Table {
    let digits = decimals(outcome.strongest.1 - outcome.weakest.0);
    let row = |name: &str, count: u64, (low, high): (f64, f64)| {
        vec![name.to_owned(), thousands(count), number(low, digits), number(high, digits)]
    };
    let references = outcome.pool;
    let rows = vec![
        row("references, strongest", references, outcome.strongest),
        row("to choose from, strongest", outcome.trials, outcome.strongest_queries),
        row("to choose from, weakest", outcome.trials, outcome.weakest_queries),
        row("references, weakest", references, outcome.weakest),
    ];
    Table::new(&["pictures", "number", "activation from", "to"], rows)
}

fn note(context: &DrawContext<'_>, outcome: &Outcome, params: &Params) -> String {
    let direction = params.direction.as_ref();
    let direction = direction.map(|terms| format!("{}: ", direction_line(terms, context.inputs)));
    let mut note = direction.unwrap_or_default();
    note +=
        &format!("{} references a side, of {} images", params.references, thousands(outcome.count));
    if outcome.trials < params.trials.into() {
        note += &format!(
            "; {} of {} trials, as many as the images are enough for",
            outcome.trials, params.trials
        );
    }
    if outcome.pool < outcome.trials * u64::from(params.references) {
        note +=
            &format!("; the {} pictures of a side recur as references", thousands(outcome.pool));
    }
    match outcome.catches {
        0 => {}
        1 => note += "; 1 catch trial, which is not scored",
        count => note += &format!("; {count} catch trials, which are not scored"),
    }
    note += &match quiz::needed(outcome.trials) {
        Some(needed) => format!("; {needed} of {} right are better than chance", outcome.trials),
        None => "; too few to show that somebody is better than chance".to_owned(),
    };
    note
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Drawing {
        let params = json!({
            "layer": "visual.layer4.0.add", "unit": 3, "trials": 20, "references": 9, "catch": 3, "extreme": 0.05, "seed": 0, "pool": "mean",
        });
        let stored = Stored::new(&quiz::KIND, params, outcome);
        stored.output(QUIZ, "application/json", b"{}").drawn()
    }

    #[test]
    fn a_quiz_is_a_link_and_says_nothing_of_its_pictures() {
        insta::assert_json_snapshot!(drawn(&quiz::sample(4.0)));
    }

    #[test]
    fn fewer_trials_than_asked_for_are_said_to_be() {
        let note = |trials| {
            let outcome = Outcome { trials, ..quiz::sample(4.0) };
            let Drawing::Parts { note, .. } = drawn(&outcome) else { panic!("parts") };
            note
        };
        let few = note(5);
        assert!(few.contains("5 of 20 trials, as many as the images are enough for"), "{few}");
        assert!(few.contains("5 of 5 right are better than chance"), "{few}");
        assert!(note(3).contains("too few to show"), "{}", note(3));
    }
}
