//! What reviewing needs of a site: how each note reads now, and the troubles of all notes.

use jiff::civil::Date;

use super::Site;
use crate::note::Note;
use crate::page::Trouble;
use crate::review::Seen;

impl Site {
    /// How a note reads now, by the note's place among [`Workspace::notes`](crate::workspace::Workspace::notes).
    pub fn seen(&mut self, index: usize) -> Seen {
        self.settle([index]);
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        self.preview_scene(&refers).seen(index)
    }

    /// The troubles of each note that has some, by its file; reviews are due on or before `today`.
    pub fn troubles(&mut self, today: Date) -> Vec<(String, Vec<Trouble>)> {
        self.settle_all();
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let scene = self.preview_scene(&refers);
        let of = |index: usize| (refers[index].file.clone(), scene.troubles(index, Some(today)));
        (0..refers.len()).map(of).filter(|(_, troubles)| !troubles.is_empty()).collect()
    }
}
