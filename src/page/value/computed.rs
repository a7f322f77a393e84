//! Values in prose that are computed: counts, differences, and conditions in words.

use super::Sources;
use super::judge::Asker;
use super::shown::{Shown, data, failed, figure, number_written, waiting};
use crate::claim::{self, Judgement, Missing, Value, Verdict};
use crate::diagnostic::fault::Fault;
use crate::note::{self, InlineValue, Query};

impl Sources<'_> {
    /// A value that is computed.
    pub(super) fn shown_computed(
        &self,
        index: usize,
        value: &InlineValue,
        query: &Query,
    ) -> Result<Shown, Fault> {
        let asker = Asker::of_note(self, index);
        let found = claim::evaluate(&query.expression, &asker)?;
        let used = asker.used();
        let place = used.figures.first().cloned();
        let names = || {
            let mut names: Vec<String> = Vec::new();
            for (note, id) in &used.figures {
                let block = self.notes[*note].blocks.iter().find(|block| block.id == *id);
                let mut name = block.map(figure).unwrap_or_default();
                if *note != index {
                    name.push_str(&format!(" of “{}”", self.notes[*note].title));
                }
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            names.join(", ")
        };
        match found {
            Value::Missing(Missing::Waiting { key, status }) => {
                Ok(waiting(&key, &format!("{}: {status}", names()), place))
            }
            Value::Missing(Missing::Failed(message)) => {
                Ok(failed(value, &format!("{}: {message}", names()), place))
            }
            Value::Missing(Missing::Absent(message)) => {
                let place = query.expression.references().first().map_or(0..0, |of| of.span());
                Err(Fault::new(place, message).hint("use another value"))
            }
            found => {
                let text = written(&found, query)?;
                let title = format!("{}: {}", names(), query.expression);
                Ok(Shown::new(text.clone(), data(&raw(&found), &title, &text), place))
            }
        }
    }
}

/// A value for readers; a condition is a word.
fn written(value: &Value, query: &Query) -> Result<String, Fault> {
    Ok(match value {
        Value::Number(number) if number.is_nan() => "not a number".to_owned(),
        Value::Number(number) => number_written(*number, query),
        Value::List(items) if items.is_empty() => "none".to_owned(),
        Value::List(items) => {
            let all = items.iter().map(|item| written(item, query));
            all.collect::<Result<Vec<_>, _>>()?.join(", ")
        }
        other => match &query.format {
            Some((_, place)) => {
                let hint = "remove the `|` and everything after it";
                return Err(Fault::new(place.clone(), "formats are for numbers, but this is none")
                    .hint(hint));
            }
            None => match other {
                Value::Flag(true) => "yes".to_owned(),
                // Of what is not a number, nothing is true.
                Value::Flag(false) | Value::Undefined => "no".to_owned(),
                other => other.shown(),
            },
        },
    })
}

/// A value as in JSON.
fn raw(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::List(items) => items.iter().map(raw).collect::<Vec<_>>().join(", "),
        Value::Undefined => "false".to_owned(),
        other => other.shown(),
    }
}

impl Shown {
    /// The same with the outcome of its condition, marked if that fails.
    pub(super) fn judged(&mut self, judgement: Judgement) {
        if judgement.verdict == Verdict::Fails {
            let about = format!("; expected {}, but {}", judgement.expected, judgement.measured);
            let marked = self.html.replacen("class=\"value\"", "class=\"value fails\"", 1);
            // The title is the last attribute.
            self.html = marked.replacen("\">", &format!("{}\">", note::escape(&about)), 1);
        }
        self.judgement = Some(judgement);
    }
}
