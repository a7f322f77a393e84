//! The nearest known names to one that is not known, for hints.

use std::cmp::Reverse;

/// Up to `most` of `candidates` that are near to `name`, nearest first.
pub fn nearest<I>(name: &str, candidates: I, most: usize) -> Vec<String>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let wanted = name.to_lowercase();
    let mut scored: Vec<(f64, String)> = candidates
        .into_iter()
        .map(|candidate| {
            let candidate = candidate.as_ref();
            (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate.to_owned())
        })
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| {
        let by_score = b.0.total_cmp(&a.0);
        by_score.then_with(|| parting(&wanted, &a.1).cmp(&parting(&wanted, &b.1)))
    });
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(most).map(|(_, name)| name).collect()
}

/// Where two names part and by how much: among equally similar names, `block_5` is nearer to `block_6`
/// than `block_1` is. Smaller is nearer.
fn parting<'a>(wanted: &str, candidate: &'a str) -> (Reverse<usize>, u32, &'a str) {
    let mut pairs = wanted.chars().zip(candidate.chars().flat_map(char::to_lowercase));
    let at = pairs.clone().take_while(|(a, b)| a == b).count();
    let (a, b) = pairs.nth(at).unwrap_or_default();
    (Reverse(at), u32::from(a).abs_diff(u32::from(b)), candidate)
}

/// `did you mean …?` over the nearest of `candidates`, or a list of all where none is near and they are few.
pub fn hint<I>(name: &str, candidates: I) -> Option<String>
where
    I: IntoIterator + Clone,
    I::Item: AsRef<str>,
{
    let near = nearest(name, candidates.clone(), 3);
    if !near.is_empty() {
        return Some(format!("did you mean {}?", quoted(&near, "or")));
    }
    let all: Vec<String> = candidates.into_iter().map(|c| c.as_ref().to_owned()).collect();
    (!all.is_empty() && all.len() <= 24).then(|| format!("known: {}", quoted(&all, "and")))
}

/// `` `a`, `b` or `c` ``.
pub fn quoted(names: &[String], last: &str) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let known = ["caption", "kind", "layer", "unit"];
        assert_eq!(nearest("captoin", known, 2), ["caption"]);
        assert_eq!(hint("captoin", known).as_deref(), Some("did you mean `caption`?"));
        assert_eq!(
            hint("zzz", known).as_deref(),
            Some("known: `caption`, `kind`, `layer` and `unit`")
        );
    }
}
