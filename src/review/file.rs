//! Files of stamps: `reviews/people/ada.yaml` for the note `people/ada.md`, one line a stamp.
//!
//! Stamps are appended and never changed. So that two reviewers' files merge without a conflict, a stamp is one line, and the folder's
//! `.gitattributes` lets git take the lines of both sides.

use super::stamp::Stamp;
use crate::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::yaml::Reader;

/// The folder of the files, in the garden.
pub const FOLDER: &str = "reviews";
/// The name and the text of the file by which git merges them.
pub const ATTRIBUTES: (&str, &str) = (".gitattributes", "*.yaml merge=union\n");
const ENDING: &str = ".yaml";

/// The path of a note's file in the garden, from the note's path in the notes folder without its ending.
pub fn name(note: &str) -> String {
    format!("{FOLDER}/{note}{ENDING}")
}

/// The path of the note without its ending that a file is about; `None` if it is no such file.
pub fn note_of(file: &str) -> Option<&str> {
    let name = file.strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix(ENDING)?;
    let is_hidden = name.split('/').any(|part| part.is_empty() || part.starts_with('.'));
    (!is_hidden).then_some(name)
}

/// Reads a file, whose path in the garden is `file`: the stamps, and the problems of what is none.
pub fn read(file: &str, text: &str) -> (Vec<Stamp>, Vec<Diagnostic>) {
    let lines = Lines::of(text);
    let at = SourceFile { file, text, lines: &lines };
    let reader = Reader::of_file(at);
    let known = |key: &str| matches!(key, "by" | "on" | "verdict" | "text" | "figures");
    let items = match reader.list("the file of reviews", "- { by: Ada, on: 2026-11-30 }", &known) {
        Ok(items) => items,
        Err(problem) => {
            // Line 1 is where git begins a conflict in a new file.
            let conflict = text.lines().position(|line| line.starts_with("<<<<<<<"));
            let Some(line) = conflict else { return (Vec::new(), vec![problem]) };
            let start = lines.offset(text, line + 1, 1);
            let message = "two versions of the file were not merged";
            let hint = format!(
                "keep the lines of both and remove the marks; with {FOLDER}/{} git does so by itself",
                ATTRIBUTES.0
            );
            return (Vec::new(), vec![at.error(start..start + 7, message).hint(hint)]);
        }
    };
    let (mut stamps, mut problems) = (Vec::new(), Vec::new());
    for item in &items {
        match Stamp::read(&reader, item) {
            Ok(stamp) => stamps.push(stamp),
            Err(problem) => problems.push(problem),
        }
    }
    (stamps, problems)
}

/// The text of a note's file with one stamp more.
pub fn appended(before: Option<&str>, file: &str, stamp: &Stamp) -> String {
    let mut text = match before {
        Some(text) => text.to_owned(),
        None => format!("# Reviews of {file}, one a line, as `neuronotes review` appends them.\n"),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text + &stamp.line() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::{Seen, Verdict};

    fn stamp(by: &str) -> Stamp {
        let figures = [("vis".to_owned(), Some("0a1b".to_owned()))].into();
        Stamp {
            by: by.to_owned(),
            on: "2026-11-30T09:15:00Z".parse().expect("a time"),
            verdict: Verdict::Minor,
            figure: None,
            seen: Seen { text: Some("00ff".into()), figures, claims: Some("1234".into()) },
            commit: Some("579f12d".into()),
            message: Some("one \"odd\" bar: #3\n{ it } – 90%".into()),
        }
    }

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        let plain =
            Stamp { figure: Some("vis".into()), message: None, commit: None, ..stamp("ben") };
        let all = [stamp("Ada: \\ Lovelace"), plain];
        let text = appended(None, "notes/a.md", &all[0]);
        // A file whose last line was edited may not end in a line break.
        let text = appended(Some(text.trim_end()), "notes/a.md", &all[1]);
        assert_eq!(text.lines().count(), 3);
        let (read, problems) = read("reviews/a.yaml", &text);
        assert_eq!(problems, []);
        assert_eq!(read, all);
    }

    #[test]
    fn a_file_belongs_to_a_note() {
        assert_eq!(name("people/ada"), "reviews/people/ada.yaml");
        assert_eq!(note_of("reviews/people/ada.yaml"), Some("people/ada"));
        for other in
            ["reviews/ada.yml", "reviews/.a.yaml", "a.yaml", "reviews/.x/a.yaml", "reviewsx/a.yaml"]
        {
            assert_eq!(note_of(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_stamp_is_said_at_its_place_and_costs_no_other() {
        let text = "- { by: ann, on: 2026-11-30 }\n- { by: ann }\n- { by: ann, on: yesterday }\n- ann\n\
                    - { by: ann, on: 2026-11-30, verdict: good }\n- { by: ann, on: 2026-11-30, figure: [a] }\n\
                    - { by: ann, on: 2026-11-30, txet: a }\n- { by: ' ', on: 2026-11-30 }\n- { by: ben, on: 2026-11-30T10:00:00Z }\n";
        let (stamps, problems) = read("reviews/a.yaml", text);
        assert_eq!(stamps.len(), 2);
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let whole = |text: &str| read("reviews/a.yaml", text).1[0].to_string();
        let conflict = "- { by: ann, on: 2026-11-30 }\n<<<<<<< HEAD\n- { by: a, on: 2026-11-30 }\n=======\n>>>>>>> x\n";
        let all = [said.join("\n"), whole("by: ann\n"), whole("- { by: ann\n"), whole(conflict)];
        insta::assert_snapshot!(all.join("\n\n"));
    }
}
