//! The article's clean-up of an equation: terms as a regression finds them, and units to leave out, in; the terms that the
//! article prints out. Knows nothing of how terms are found.
//!
//! After `src/pages/emotions/semantic/index.js` of distillpub/post--multimodal.

use super::weighed::Weighed;

/// Number of terms that are kept.
pub const FIRST: usize = 4;
/// Coefficients of at most this size are omitted, after the largest has become 1.
pub const SMALLEST: f64 = 0.05;

/// Leaves out the units in `drop`, divides by the largest coefficient, puts positive terms first from the largest down
/// and then negative ones from the largest in size down, keeps the first [`FIRST`], and omits those of at most
/// [`SMALLEST`]. If no coefficient is positive, the divisor is the largest in size, so that signs stay.
pub fn cleaned(terms: &[Weighed], drop: &[u32]) -> Vec<Weighed> {
    let stays = |term: &&Weighed| term.unit.is_none_or(|unit| !drop.contains(&unit));
    let mut left: Vec<Weighed> = terms.iter().filter(stays).cloned().collect();
    let coefficients = || left.iter().map(|term| term.coefficient);
    let most = coefficients().fold(0.0, f64::max);
    let largest = if most > 0.0 { most } else { coefficients().fold(0.0, |m, c| c.abs().max(m)) };
    if largest == 0.0 {
        return Vec::new();
    }
    left.iter_mut().for_each(|term| term.coefficient /= largest);
    left.sort_by(|a, b| {
        let (a, b) = (a.coefficient, b.coefficient);
        (a < 0.0).cmp(&(b < 0.0)).then(b.abs().total_cmp(&a.abs()))
    });
    left.truncate(FIRST);
    left.retain(|term| term.coefficient.abs() > SMALLEST);
    left
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The article's coefficients, in `data/emotions.json`.
    fn published() -> Value {
        let text = include_str!("../../../../data/emotions.json");
        serde_json::from_str(text).expect("published coefficients")
    }

    fn terms(pairs: &Value) -> Vec<Weighed> {
        let pairs = pairs.as_array().expect("pairs of a unit and a number").iter();
        let unit = |pair: &Value| u32::try_from(pair[0].as_u64().expect("a unit")).expect("a unit");
        pairs.map(|pair| Weighed::unit(unit(pair), pair[1].as_f64().expect("a number"))).collect()
    }

    #[test]
    fn the_articles_fourteen_equations_come_out_of_its_coefficients_to_two_decimals() {
        let data = published();
        let drop: Vec<u32> = serde_json::from_value(data["dropped"].clone()).expect("units");
        let emotions = data["emotions"].as_array().expect("emotions");
        assert_eq!((emotions.len(), drop.len()), (14, 70));
        for emotion in emotions {
            let found = cleaned(&terms(&emotion["coefficients"]), &drop);
            let printed = terms(&emotion["published"]);
            let round = |term: &Weighed| (term.unit, format!("{:.2}", term.coefficient));
            let lines = |all: &[Weighed]| all.iter().map(round).collect::<Vec<_>>();
            assert_eq!(lines(&found), lines(&printed), "{}", emotion["word"]);
        }
    }

    #[test]
    fn without_the_list_two_bigrams_are_most_of_intimate() {
        let data = published();
        let emotions = data["emotions"].as_array().expect("emotions");
        let intimate = emotions.iter().find(|emotion| emotion["word"] == "intimate");
        let raw = cleaned(&terms(&intimate.expect("a word")["coefficients"]), &[]);
        assert_eq!([raw[0].unit, raw[1].unit], [Some(2535), Some(1367)]);
        assert!(raw[2].coefficient < 0.27, "{raw:?}");
    }

    #[test]
    fn a_sum_of_negative_terms_keeps_its_signs_and_nothing_stays_nothing() {
        let found = cleaned(&[Weighed::unit(1, -2.0), Weighed::unit(2, -4.0)], &[]);
        assert_eq!(found, [Weighed::unit(2, -1.0), Weighed::unit(1, -0.5)]);
        assert_eq!(cleaned(&[Weighed::unit(1, 3.0)], &[1]), []);
        assert_eq!(cleaned(&[], &[]), []);
    }
}
