//! The report as Markdown, and its insertion into a README between two marks.

use std::fs;
use std::path::Path;

use neuronotes_core::file::write_atomic;

use super::numbers::Report;
use super::units::STRONGEST;
use crate::failure::Failure;

/// The marks around the report in a README.
const MARKS: [&str; 2] = ["<!-- report -->", "<!-- end of the report -->"];
/// Number of units that are listed.
const LISTED: usize = 40;

/// A fraction in per cent.
fn percent(part: f64) -> String {
    format!("{:.1}%", 100.0 * part)
}

/// The report as Markdown.
pub fn page(report: &Report) -> String {
    let mut text = format!("Of the weights with the BLAKE3 digest `{}`.\n\n", report.weights);
    text += &format!("Choosing among all {} names:\n\n", report.names);
    text += "| Shown | pictures | top 1 | top 5 |\n|:--|--:|--:|--:|\n";
    for (what, found) in &report.accuracies {
        let (top1, top5) = (percent(found.top1), percent(found.top5));
        text += &format!("| {what} | {} | {top1} | {top5} |\n", found.count);
    }
    let attacks = &report.attacks;
    let of = |count: usize| percent(count as f64 / attacks.right.max(1) as f64);
    text += &format!(
        "\nTypographic attacks: of the {} demonstration pictures that are classified correctly, {} are classified as what the note says when a note with another name covers the lower part; {} keep their name.\n",
        attacks.right,
        of(attacks.fooled),
        of(attacks.firm),
    );
    let units = &report.units;
    text += &format!(
        "\nUnits of the last layer (`{}`, mean over positions) whose strongest pictures *and* strongest words name the \
         same thing: **{} of {}**. With words and names paired at random, the same rule finds {:.1}. Of 50 random units, it finds **{}** readable.\n",
        report.layer,
        units.readings.len(),
        units.units,
        units.by_chance,
        units.of_fifty,
    );
    text += &format!(
        "\nThe rule: a *thing* is a name, or a keyword that at least two names have and at most a tenth of them. A unit stands for a thing if, of the {STRONGEST} pictures and the {STRONGEST} words that activate it most, at least \
         two thirds of the pictures show it and at least half of the words name it (if there are fewer than \
         {STRONGEST} pictures or words of a thing: two thirds and half of those).\n"
    );
    let mut listed: Vec<_> = units.readings.iter().collect();
    listed.sort_by(|a, b| b.strength.total_cmp(&a.strength).then(a.unit.cmp(&b.unit)));
    text += &format!("\nThe {} most selective of them:\n\n", listed.len().min(LISTED));
    text += "| unit | thing | names | of 9 pictures | of 9 words | strongest picture |\n|--:|:--|--:|--:|--:|--:|\n";
    for unit in listed.into_iter().take(LISTED) {
        text += &format!(
            "| {} | {} | {} | {} | {} | {:.1} SD |\n",
            unit.unit, unit.thing, unit.names, unit.pictures, unit.words, unit.strength
        );
    }
    text
}

/// Replaces the report between the marks in a README.
///
/// # Errors
/// If the file cannot be read or written, or has no marks.
pub fn put(report: &str, readme: &Path) -> Result<(), Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::new(format!("{}: {why}", readme.display()));
    let text = fs::read_to_string(readme).map_err(|error| failed(&error))?;
    let [start, end] = MARKS;
    let parts =
        text.split_once(start).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, after) = parts.ok_or_else(|| {
        failed(&"the README has no marks for the report")
            .hint(format!("add the lines `{start}` and `{end}` where the report belongs"))
    })?;
    write_atomic(readme, format!("{before}{start}\n{report}{end}{after}").as_bytes())
        .map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_takes_the_place_of_the_one_before() {
        let dir = tempfile::tempdir().expect("a folder");
        let readme = dir.path().join("README.md");
        fs::write(&readme, format!("above\n{}\nold\n{}\nbelow\n", MARKS[0], MARKS[1]))
            .expect("write");
        put("new\n", &readme).expect("marks");
        let text = fs::read_to_string(&readme).expect("read");
        assert_eq!(text, format!("above\n{}\nnew\n{}\nbelow\n", MARKS[0], MARKS[1]));
        fs::write(&readme, "no marks").expect("write");
        let error = put("new", &readme).expect_err("no place");
        assert!(error.to_string().contains("no marks for the report"), "{error}");
    }
}
