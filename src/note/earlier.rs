//! Keeps a note usable while its front matter is being edited: unreadable front matter is replaced by its last good
//! version, so that an unclosed bracket breaks no other note's links.

use std::collections::HashSet;

use super::Note;

impl Note {
    /// The same note; if its front matter cannot be read, with the title, tags and aliases of `earlier`.
    #[must_use]
    pub fn after(mut self, earlier: &Self) -> Self {
        if !self.front.is_broken {
            return self;
        }
        let tags = std::mem::take(&mut self.front.tags);
        self.front.tags.clone_from(&tags);
        self.front.fill_from(&earlier.front);
        if let Some(title) = self.front.title.clone().filter(|title| *title != self.title) {
            self.title = title;
            self.title_in_body = earlier.title_in_body;
        }
        if tags.is_empty() {
            let own = std::mem::take(&mut self.tags);
            self.tags.clone_from(&self.front.tags);
            let known: HashSet<String> =
                self.front.tags.iter().map(|tag| tag.to_lowercase()).collect();
            self.tags.extend(own.into_iter().filter(|tag| !known.contains(&tag.to_lowercase())));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(front: &str) -> Note {
        Note::parse("a.md", "notes/a.md", &format!("---\n{front}---\nText.\n"))
    }

    #[test]
    fn a_title_that_is_being_written_is_the_last_good_one() {
        let good = note("title: Faces, drawn\naliases: [Unit 612]\ntags: [a]\ndraft: true\n");
        let broken = note("title: [Faces, drawn\naliases: [Unit 612]\ntags: [b]\ndraft: true\n");
        assert_eq!(broken.problems.len(), 1, "{:?}", broken.problems);
        let problem = &broken.problems[0];
        assert_eq!((problem.line, problem.column), (2, 8), "{problem}");
        assert!(problem.hint.as_ref().is_some_and(|hint| hint.contains("\"[Faces, drawn\"")));
        // Readable fields count, even if others are broken.
        assert_eq!((&broken.front.aliases[0][..], broken.front.draft), ("Unit 612", true));
        let shown = broken.after(&good);
        assert_eq!((&shown.title[..], &shown.tags[..]), ("Faces, drawn", &["b".to_owned()][..]));
        // It stays so through further saves, until the front matter is complete.
        let still = note("title: [Faces, drawn an\n").after(&shown);
        assert_eq!((&still.title[..], &still.front.aliases[0][..]), ("Faces, drawn", "Unit 612"));
        assert_eq!(note("title: Hands\n").after(&still).title, "Hands");
    }
}
