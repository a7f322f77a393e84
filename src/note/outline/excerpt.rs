//! A note's opening, used as its description.
//!
//! It is the first paragraph, or the first items of a list if that comes first. Headings, pictures' texts, footnotes
//! and lines with only tags are skipped.

use std::ops::Range;

use pulldown_cmark::{Tag, TagEnd};

use super::mention::shorten;
use super::part::{Link, LinkKind};

use neuronotes_core::cut::Cut as _;

/// Maximum number of characters, including marks.
const LONGEST: usize = 220;

/// The text so far.
#[derive(Debug, Default)]
pub(super) struct Excerpt {
    words: String,
    is_done: bool,
    /// Whether the current leaf block is a paragraph, and whether it is an item of a tight list.
    in_paragraph: bool,
    in_item: bool,
    /// Numbers of open items and open footnotes.
    items: usize,
    footnotes: usize,
    /// Spans of pictures' texts in the leaf block.
    pictures: Vec<Range<usize>>,
}

impl Excerpt {
    /// A block begins.
    pub(super) fn begin(&mut self, tag: &Tag<'_>) {
        self.in_paragraph = matches!(tag, Tag::Paragraph);
        self.in_item = matches!(tag, Tag::Item);
        match tag {
            Tag::Item => self.items += 1,
            Tag::FootnoteDefinition(_) => self.footnotes += 1,
            Tag::Heading { .. } => self.is_done |= !self.words.is_empty(),
            _ => {}
        }
    }

    /// A block ends.
    pub(super) fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Item => self.items = self.items.saturating_sub(1),
            TagEnd::FootnoteDefinition => self.footnotes = self.footnotes.saturating_sub(1),
            _ => {}
        }
    }

    /// A link or image ends, whose text is at this span of the leaf block.
    pub(super) fn link(&mut self, link: &Link, place: Range<usize>) {
        let is_picture = match link.kind {
            LinkKind::Image => true,
            LinkKind::Wiki | LinkKind::Embed => is_medium(&link.target),
            LinkKind::Markdown => false,
        };
        if is_picture {
            self.pictures.push(place);
        }
    }

    /// A leaf block with this text ends.
    pub(super) fn leaf(&mut self, flat: &str) {
        let pictures = std::mem::take(&mut self.pictures);
        let in_paragraph = std::mem::take(&mut self.in_paragraph);
        let in_item = std::mem::take(&mut self.in_item) || (in_paragraph && self.items > 0);
        if self.is_done || self.footnotes > 0 || !(in_paragraph || in_item) {
            return;
        }
        let mut text = String::new();
        let mut from = 0;
        for picture in pictures {
            text.push_str(flat.get(from..picture.start).unwrap_or_default());
            from = from.max(picture.end);
        }
        text.push_str(flat.get(from..).unwrap_or_default());
        // Only the part that is shown is needed, and a paragraph may be very long.
        let end = text.char_indices().nth(4 * LONGEST).map_or(text.len(), |(at, _)| at);
        let words: Vec<&str> = text.cut(..end).split_whitespace().collect();
        if words.iter().all(|word| word.starts_with('#')) {
            return;
        }
        let is_open = self.words.is_empty() || self.words.ends_with([':', '：']);
        if !in_item && !self.words.is_empty() {
            self.is_done = true;
            return;
        }
        if !is_open {
            self.words.push_str(if self.words.ends_with(['.', '!', '?', ';', ',']) {
                ""
            } else {
                ";"
            });
        }
        if !self.words.is_empty() {
            self.words.push(' ');
        }
        self.words.push_str(&words.join(" "));
        self.is_done |=
            self.words.len() > LONGEST || !(in_item || self.words.ends_with([':', '：']));
    }

    /// The result.
    pub(super) fn take(&mut self) -> String {
        shorten(&std::mem::take(&mut self.words), LONGEST)
    }
}

/// Whether a target is a picture, sound or video.
fn is_medium(target: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "avif", "bmp", "flac", "gif", "jfif", "jpeg", "jpg", "m4a", "mov", "mp3", "mp4", "ogg",
        "ogv", "png", "svg", "tif", "tiff", "wav", "webm", "webp",
    ];
    let ending = target.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}
