//! Parameters as a reader expects them: a field's type and its value in, one line of text out.

use serde_json::Value;

use neuronotes_core::kind::class::Class;
use neuronotes_core::kind::direction::{Source, Term};
use neuronotes_core::kind::{Field, Type};
use neuronotes_core::request::Inputs;

/// Most items of a list that are written out.
const MOST: usize = 12;

/// A parameter in one line; pictures and data sets by what the note calls them.
pub fn shown(field: &Field, value: &Value, inputs: &Inputs) -> String {
    let known = match field.ty {
        Type::Texts | Type::Templates => {
            serde_json::from_value(value.clone()).ok().map(|texts: Vec<String>| list(&texts))
        }
        Type::Layers => {
            serde_json::from_value(value.clone()).ok().map(|layers: Vec<String>| list(&layers))
        }
        Type::Content => value.as_str().map(|digest| dataset(digest, inputs)),
        Type::Weights => serde_json::from_value(value.clone()).ok().map(|digests: Vec<String>| {
            list(&digests.iter().map(|digest| file(digest, inputs)).collect::<Vec<_>>())
        }),
        Type::Classes => serde_json::from_value(value.clone()).ok().map(|all: Vec<Class>| {
            let one = |class: &Class| match class.names.as_slice() {
                [name] if *name == class.label => name.clone(),
                names => format!("{} ({})", class.label, names.join(", ")),
            };
            list(&all.iter().map(one).collect::<Vec<_>>())
        }),
        Type::Pictures => serde_json::from_value(value.clone()).ok().map(|digests: Vec<String>| {
            list(&digests.iter().map(|digest| picture(digest, inputs)).collect::<Vec<_>>())
        }),
        Type::Picture => value.as_str().map(|digest| picture(digest, inputs)),
        Type::Figures => serde_json::from_value(value.clone())
            .ok()
            .map(|keys: Vec<String>| list(&figures(&keys, inputs))),
        Type::Direction | Type::Units => serde_json::from_value(value.clone())
            .ok()
            .map(|terms: Vec<Term>| direction(&terms, inputs)),
        _ => None,
    };
    known.unwrap_or_else(|| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// A parameter that is a direction, in one line.
pub fn direction_shown(terms: &Value, inputs: &Inputs) -> String {
    let read: Result<Vec<Term>, _> = serde_json::from_value(terms.clone());
    read.map_or_else(|_| terms.to_string(), |terms| direction(&terms, inputs))
}

/// A direction in one line.
pub fn direction(terms: &[Term], inputs: &Inputs) -> String {
    let mut out = String::new();
    for (index, term) in terms.iter().enumerate() {
        let size = match term.weight.abs() {
            1.0 => String::new(),
            weight => format!("{weight} × "),
        };
        let sign = match (index, term.weight < 0.0) {
            (0, false) => "",
            (0, true) => "−",
            (_, false) => " + ",
            (_, true) => " − ",
        };
        out.push_str(&format!("{sign}{size}{}", source(&term.of, inputs)));
    }
    out
}

fn source(source: &Source, inputs: &Inputs) -> String {
    match source {
        Source::Text(text) => format!("“{text}”"),
        Source::Images(digests) => {
            let names: Vec<String> = digests.iter().map(|digest| picture(digest, inputs)).collect();
            match names.as_slice() {
                [one] => format!("picture {one}"),
                names => format!("mean of pictures {}", list(names)),
            }
        }
        Source::Words(words) => match words.as_slice() {
            [one] => format!("picture of the word “{one}”"),
            words => format!("mean of pictures of the words {}", list(words)),
        },
        Source::Units(units) => {
            let one = |(unit, weight): &(u32, f64)| match *weight {
                1.0 => format!("unit {unit}"),
                weight => format!("{weight} × unit {unit}"),
            };
            list(&units.iter().map(one).collect::<Vec<_>>())
        }
        Source::Use(keys) => {
            let names = figures(keys, inputs);
            match names.as_slice() {
                [one] => format!("pictures of {one}"),
                names => format!("mean of pictures of {}", list(names)),
            }
        }
        Source::Dataset(digest) => format!("mean of the data set {}", dataset(digest, inputs)),
    }
}

/// Items, as many as can be read at a glance.
fn list(items: &[String]) -> String {
    let mut text = items.iter().take(MOST).cloned().collect::<Vec<_>>().join(" · ");
    if items.len() > MOST {
        text.push_str(&format!(" … ({} in all)", items.len()));
    }
    text
}

fn picture(digest: &str, inputs: &Inputs) -> String {
    let known = inputs.pictures.iter().find(|known| known.digest.hex() == digest);
    known.map_or_else(|| digest.to_owned(), |known| known.name.clone())
}

/// What the block calls the figures of these keys; a sweep once.
fn figures(keys: &[String], inputs: &Inputs) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        let known = inputs.figures.iter().find(|known| known.key.hex() == *key);
        let name = known.map_or(key, |known| &known.name);
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn file(digest: &str, inputs: &Inputs) -> String {
    let known = inputs.files.iter().find(|known| known.digest.hex() == digest);
    known.map_or_else(|| digest.to_owned(), |known| known.name.clone())
}

fn dataset(digest: &str, inputs: &Inputs) -> String {
    let known = inputs.datasets.iter().find(|known| known.content().hex() == digest);
    known.map_or_else(|| digest.to_owned(), |known| known.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_reads_as_a_sum() {
        let term = |weight, of| Term { weight, of };
        let terms = [
            term(-1.0, Source::Text("king".into())),
            term(0.5, Source::Words(vec!["a".into(), "b".into()])),
            term(-2.0, Source::Text("man".into())),
        ];
        assert_eq!(
            direction(&terms, &Inputs::default()),
            "−“king” + 0.5 × mean of pictures of the words a · b − 2 × “man”"
        );
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let many: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        assert!(list(&many).ends_with("10 · 11 … (20 in all)"), "{}", list(&many));
        assert_eq!(list(&many[..2]), "0 · 1");
    }
}
