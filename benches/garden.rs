//! Generated gardens of any size, always the same for the same size: notes with headings, prose and links to each
//! other.

use std::fs;
use std::io;
use std::path::Path;

/// Links per note.
const LINKS: usize = 5;
/// Words that the prose consists of.
const WORDS: [&str; 16] = [
    "unit",
    "layer",
    "activation",
    "image",
    "fires",
    "for",
    "the",
    "network",
    "which",
    "responds",
    "to",
    "faces",
    "letters",
    "and",
    "texture",
    "again",
];

/// Writes a garden with so many notes.
pub fn write(root: &Path, notes: usize) -> io::Result<()> {
    fs::create_dir_all(root.join("notes"))?;
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = format!(
        "title: A garden of {notes} notes\nmodels:\n  emoji: {{ path: {} }}\ndefaults: {{ model: emoji }}\ndevice: cpu\n",
        repository.join("models/emoji-clip.safetensors").display()
    );
    fs::write(root.join("neuronotes.yaml"), config)?;
    for number in 0..notes {
        let path = path(root, number);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, note(number, notes, ""))?;
    }
    Ok(())
}

/// The path of a note; a hundred notes share a folder.
pub fn path(root: &Path, number: usize) -> std::path::PathBuf {
    root.join(format!("notes/part-{}/note-{number}.md", number / 100))
}

/// The page of a note, relative to the site's root.
pub fn page(number: usize) -> String {
    format!("part-{}/note-{number}.html", number / 100)
}

/// A note's text, followed by `more`.
pub fn note(number: usize, notes: usize, more: &str) -> String {
    let mut random = Random(number as u64 + 1);
    let mut text = format!("---\ntitle: Note {number}\ntags: [tag-{}]\n---\n", number % 40);
    for section in 0..3 {
        text += &format!("## Section {section} of {number}\n\n");
        for paragraph in 0..2 {
            for _ in 0..40 {
                text += WORDS[random.below(WORDS.len())];
                text.push(' ');
            }
            if section * 2 + paragraph < LINKS {
                text += &format!("as [[Note {}]] says", random.below(notes));
            }
            text += ".\n\n";
        }
    }
    text + more
}

/// Numbers that look random but are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}
