//! What a direction reads like in one line: the sum of its terms.

use neuronotes_core::kind::term::{Source, Term};
use neuronotes_core::request::Inputs;

use super::line::list;
use super::{block, file, name};

/// A direction in one line.
pub fn line(terms: &[Term], inputs: &Inputs) -> String {
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
        let source = match &term.of {
            Source::Units(units) if units.len() > 1 && (terms.len() > 1 || term.weight != 1.0) => {
                format!("({})", units_line(units))
            }
            source => source_line(source, inputs),
        };
        out.push_str(&format!("{sign}{size}{source}"));
    }
    out
}

/// A sum of units.
fn units_line(units: &[(u32, f64)]) -> String {
    let mut out = String::new();
    for &(unit, weight) in units {
        out.push_str(match (out.is_empty(), weight < 0.0) {
            (true, false) => "",
            (true, true) => "−",
            (false, false) => " + ",
            (false, true) => " − ",
        });
        match weight.abs() {
            1.0 => out.push_str(&format!("unit {unit}")),
            weight => out.push_str(&format!("{weight} × unit {unit}")),
        }
    }
    out
}

fn source_line(source: &Source, inputs: &Inputs) -> String {
    match source {
        Source::Text(text) => format!("“{text}”"),
        Source::Images(digests) => {
            let names: Vec<_> =
                digests.iter().map(|digest| file::picture(digest, inputs)).collect();
            match names.as_slice() {
                [one] => format!("picture {one}"),
                names => format!("mean of pictures {}", list(names)),
            }
        }
        Source::Words(words) => match words.as_slice() {
            [one] => format!("picture of the word “{one}”"),
            words => format!("mean of pictures of the words {}", list(words)),
        },
        Source::Units(units) => units_line(units),
        Source::Use(keys) => match block::blocks(keys, inputs).as_slice() {
            [one] => format!("pictures of {one}"),
            names => format!("mean of pictures of {}", list(names)),
        },
        Source::Dataset(digest) => {
            format!("mean of the data set {}", name::dataset(digest, inputs))
        }
        Source::Target(key) => list(&block::blocks(std::slice::from_ref(key), inputs)),
    }
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
            line(&terms, &Inputs::default()),
            "−“king” + 0.5 × mean of pictures of the words a · b − 2 × “man”"
        );
        let units = || Source::Units(vec![(3, 1.0), (7, -0.5), (9, 1.0)]);
        let sums = [vec![term(1.0, units())], vec![term(1.0, units()), term(-2.0, units())]];
        assert_eq!(
            sums.map(|terms| line(&terms, &Inputs::default())),
            [
                "unit 3 − 0.5 × unit 7 + unit 9",
                "(unit 3 − 0.5 × unit 7 + unit 9) − 2 × (unit 3 − 0.5 × unit 7 + unit 9)"
            ]
        );
    }
}
