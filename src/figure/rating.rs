//! What a figure says of the raters whose labels it shows.

use neuronotes_core::kind::rating::{Agreement, Decide};
use neuronotes_core::number::{number, thousands};

/// The end of a figure's note: the raters and their agreement; empty if there are none.
pub(super) fn end(agreement: Option<&Agreement>, decide: Decide) -> String {
    match agreement.map(|agreement| said(agreement, decide)) {
        Some(said) if !said.is_empty() => format!("; {said}"),
        _ => String::new(),
    }
}

/// The raters and their agreement in a sentence; empty if there are none.
fn said(agreement: &Agreement, decide: Decide) -> String {
    let one = |name: &str, labelled| format!("{name} ({})", thousands(labelled));
    let names: Vec<String> =
        agreement.raters.iter().map(|rater| one(&rater.name, rater.labelled)).collect();
    let alone = match names.as_slice() {
        [] => return String::new(),
        [name] => return format!("labelled by {name}"),
        names => format!("labelled by {}", names.join(", ")),
    };
    let alpha = match agreement.alpha {
        Some(alpha) => format!(
            "Krippendorff's alpha {} on the {} images with several labels",
            number(alpha, 2),
            thousands(agreement.rated)
        ),
        None if agreement.rated == 0 => "no image has several labels".to_owned(),
        None => "no alpha, because all labels are the same".to_owned(),
    };
    let counted = match decide {
        Decide::Majority => match agreement.ties {
            0 => "the most frequent label counts".to_owned(),
            ties => format!(
                "the most frequent label counts; {} left out because no label is the most frequent",
                images(ties)
            ),
        },
        Decide::First => "the first rater's label counts".to_owned(),
    };
    format!("{alone}; {alpha}; {counted}")
}

/// `1 image`, `2 images`.
pub(super) fn images(count: u64) -> String {
    format!("{} {}", thousands(count), if count == 1 { "image" } else { "images" })
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::rating::Rater;

    use super::*;

    #[test]
    fn it_is_said_who_labelled_and_how_far_they_agree() {
        let rater = |name: &str| Rater { name: name.to_owned(), labelled: 9 };
        let mut agreement =
            Agreement { raters: vec![rater("ann")], rated: 0, ties: 0, alpha: None };
        assert_eq!(said(&agreement, Decide::Majority), "labelled by ann (9)");
        agreement.raters.push(rater("ben"));
        let alone = said(&agreement, Decide::Majority);
        assert!(alone.contains("no image has several labels"), "{alone}");
        agreement = Agreement { rated: 7, ties: 1, alpha: Some(0.814), ..agreement };
        assert_eq!(
            said(&agreement, Decide::Majority),
            "labelled by ann (9), ben (9); Krippendorff's alpha 0.81 on the 7 images with several labels; \
             the most frequent label counts; 1 image left out because no label is the most frequent"
        );
        assert!(said(&agreement, Decide::First).ends_with("the first rater's label counts"));
        let none = Agreement { raters: vec![], rated: 0, ties: 0, alpha: None };
        assert_eq!(end(Some(&none), Decide::First) + &end(None, Decide::First), "");
    }
}
