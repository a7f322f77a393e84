//! How a data set's words are drawn, and words that are written in the configuration.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use neuronotes_core::dataset::{Colour, Looks, MOST_STYLES};
use neuronotes_core::lettering::{BUILT_IN, Position, Size};
use neuronotes_core::number::thousands;
use neuronotes_core::suggest;

use super::settings::Settings;
use super::source::escapes;
use crate::yaml::{Entry, Node, Value};

/// How words are drawn, as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawSource {
    /// The fonts: [`BUILT_IN`], or paths of files as written, each with its span in the configuration.
    pub fonts: Vec<(String, Range<usize>)>,
    /// Everything else.
    pub looks: Looks,
}

impl Default for DrawSource {
    fn default() -> Self {
        Self { fonts: vec![(BUILT_IN.to_owned(), 0..0)], looks: Looks::default() }
    }
}

impl fmt::Display for DrawSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn all<T: fmt::Display>(items: &[T]) -> String {
            items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
        }
        let fonts: Vec<&str> = self.fonts.iter().map(|(font, _)| &**font).collect();
        let Looks { sizes, colours, backgrounds, positions } = &self.looks;
        let (sizes, colours) = (all(sizes), all(colours));
        let (backgrounds, positions) = (all(backgrounds), all(positions));
        write!(out, "{}; {sizes}; {colours}; {backgrounds}; {positions}", fonts.join(", "))
    }
}

const FIELDS: [&str; 5] = ["fonts", "sizes", "colours", "backgrounds", "positions"];
/// The endings of fonts.
const ENDINGS: [&str; 2] = [".ttf", ".otf"];

impl Settings<'_> {
    pub(super) fn draw(&mut self, entry: &Entry) -> Option<DrawSource> {
        let Value::Map(fields) = &entry.node.value else {
            self.wrong(&entry.node, &entry.key, "a mapping, such as { positions: [top, bottom] }");
            return None;
        };
        let before = self.problems.len();
        let mut draw = DrawSource::default();
        let looks = &mut draw.looks;
        for field in fields {
            match field.key.as_str() {
                "fonts" => draw.fonts = self.list(field, Self::font, |a, b| a.0 == b.0),
                "sizes" => looks.sizes = self.list(field, Self::size, Size::eq),
                "colours" | "colors" => looks.colours = self.list(field, Self::ink, Colour::eq),
                "backgrounds" => looks.backgrounds = self.list(field, Self::ink, Colour::eq),
                "positions" => looks.positions = self.list(field, Self::position, Position::eq),
                _ => self.unknown(field, "`draw`", &FIELDS),
            }
        }
        if self.problems.len() > before {
            return None;
        }
        let count = draw.looks.count().saturating_mul(draw.fonts.len());
        let problem = if count == 0 {
            let message = "the letters have the colour of what is behind them";
            Some((message.to_owned(), "name another colour or background"))
        } else if count > MOST_STYLES {
            let (count, most) = (thousands(count as u64), thousands(MOST_STYLES as u64));
            let message = format!("each word would be drawn in {count} ways, more than {most}");
            Some((message, "shorten a list: every combination is a picture"))
        } else {
            None
        };
        if let Some((message, hint)) = problem {
            self.problems.push(self.reader.at_key(entry, message).hint(hint));
            return None;
        }
        Some(draw)
    }

    /// One item or a list of them, each once.
    fn list<T>(
        &mut self,
        field: &Entry,
        read: fn(&mut Self, &Node, &str) -> Option<T>,
        same: fn(&T, &T) -> bool,
    ) -> Vec<T> {
        let items = match &field.node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(&field.node),
        };
        if items.is_empty() {
            self.empty(field);
        }
        let mut all: Vec<T> = Vec::new();
        for item in items {
            let Some(found) = read(self, item, &field.key) else { continue };
            if all.iter().any(|known| same(known, &found)) {
                self.twice(item, &field.key);
            } else {
                all.push(found);
            }
        }
        all
    }

    fn empty(&mut self, field: &Entry) {
        let message = format!("`{}` is an empty list", field.key);
        self.problems.push(self.reader.at_value(&field.node, message));
    }

    fn twice(&mut self, item: &Node, field: &str) {
        let shown = item.text().unwrap_or_default();
        let message = format!("`{field}` lists `{shown}` more than once");
        self.problems.push(self.reader.at.error(self.reader.item_span(item), message));
    }

    fn font(&mut self, item: &Node, field: &str) -> Option<(String, Range<usize>)> {
        let span = self.reader.item_span(item);
        let written = item.text().filter(|text| !text.is_empty());
        let Some(written) = written else {
            let expected = "fonts: `DejaVu Sans Bold`, or paths of .ttf or .otf files";
            self.wrong(item, field, expected);
            return None;
        };
        if written.eq_ignore_ascii_case(BUILT_IN) {
            return Some((BUILT_IN.to_owned(), span));
        }
        let lower = written.to_lowercase();
        if !ENDINGS.iter().any(|ending| lower.ends_with(ending)) {
            let message = format!("`{written}` is neither `{BUILT_IN}` nor a .ttf or .otf file");
            let hint = suggest::hint(&written, [BUILT_IN]);
            let hint = hint.unwrap_or_else(|| {
                "put the font's file into the garden, and name its path".to_owned()
            });
            self.problems.push(self.reader.at.error(span, message).hint(hint));
            return None;
        }
        if escapes(&written) {
            self.leaves(span, &written);
            return None;
        }
        Some((written, span))
    }

    fn size(&mut self, item: &Node, field: &str) -> Option<Size> {
        let (least, most) = Size::BOUNDS;
        let part = match item.value {
            Value::Text(ref text) if text == "fit" => return Some(Size::Fit),
            Value::Number(part) => part,
            Value::Integer(part) => part as f64,
            _ => f64::NAN,
        };
        if (least..=most).contains(&part) {
            // As many digits as keys of pictures show.
            return Some(Size::Part((part * 1e4).round() / 1e4));
        }
        let expected =
            format!("`fit` or numbers from {least} to {most}, fractions of the picture's side");
        self.wrong(item, field, &expected);
        None
    }

    fn ink(&mut self, item: &Node, field: &str) -> Option<Colour> {
        let Some(text) = item.text() else {
            self.wrong(item, field, "colours by name, or as \"#rrggbb\" in quotes");
            return None;
        };
        match Colour::read(&text) {
            Ok(colour) => Some(colour),
            Err(hint) => {
                let message = format!("`{text}` is not a colour");
                let problem = self.reader.at.error(self.reader.item_span(item), message);
                self.problems.push(problem.hint(hint));
                None
            }
        }
    }

    fn position(&mut self, item: &Node, field: &str) -> Option<Position> {
        let text = item.text().unwrap_or_default();
        let found = Position::named(&text);
        if found.is_none() {
            let hint = suggest::hint(&text, Position::NAMES);
            let hint = hint.unwrap_or_else(|| format!("known: {}", Position::NAMES.join(", ")));
            let message = format!("`{field}` must be positions, not {}", item.describe());
            let problem = self.reader.at.error(self.reader.item_span(item), message);
            self.problems.push(problem.hint(hint));
        }
        found
    }

    /// Words that are written in the configuration.
    pub(super) fn words(&mut self, entry: &Entry) -> Vec<String> {
        let Value::List(items) = &entry.node.value else {
            let expected = "a list of words; a file of words is a `path`";
            self.wrong(&entry.node, &entry.key, expected);
            return Vec::new();
        };
        if items.is_empty() {
            self.empty(entry);
        }
        let mut seen = BTreeSet::new();
        let mut words = Vec::new();
        for item in items {
            let word = item.item().map(|word| word.trim().to_owned());
            let is_word = |word: &String| {
                !word.is_empty() && !word.starts_with('#') && !word.chars().any(char::is_control)
            };
            match word.filter(is_word) {
                None => {
                    let expected = "words or phrases of one line that do not begin with `#`";
                    self.wrong(item, &entry.key, expected);
                }
                Some(word) if !seen.insert(word.clone()) => self.twice(item, &entry.key),
                Some(word) => words.push(word),
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    #[test]
    fn words_are_drawn_in_every_listed_way() {
        let text = "datasets:\n  a:\n    path: words.txt\n    draw:\n      fonts: [DejaVu Sans Bold, fonts/Serif.ttf]\n      \
                    sizes: [fit, 0.2]\n      colours: red\n      backgrounds: [white, \"#00f\"]\n      positions: [centre, top left]\n";
        let (config, problems) = parse(text, Path::new("/garden"));
        assert_eq!(problems, []);
        let a = &config.datasets["a"];
        assert_eq!(
            a.written(),
            "words.txt; draw: DejaVu Sans Bold, fonts/Serif.ttf; fit, 0.2; red; white, blue; centre, top left"
        );
        let draw = a.draw.as_ref().expect("a draw");
        assert_eq!(draw.looks.count(), 8);
        assert_eq!(&text[draw.fonts[1].1.clone()], "fonts/Serif.ttf");
    }

    #[test]
    fn words_may_be_written_in_place() {
        let text = "datasets:\n  a: { words: [love, New York, no, 7] }\n";
        let (config, problems) = parse(text, Path::new("/garden"));
        assert_eq!(problems, []);
        assert_eq!(config.datasets["a"].words, ["love", "New York", "no", "7"]);
        assert!(config.datasets["a"].paths.is_empty());
    }

    #[test]
    fn mistakes_about_drawn_words_have_their_places_and_hints() {
        let draw = |draw: &str| format!("datasets:\n  a: {{ path: w.txt, draw: {{ {draw} }} }}\n");
        let long: Vec<String> = (0..120).map(|n| format!("\"#0000{n:02x}\"")).collect();
        let long = long.join(", ");
        let all: Vec<String> = [
            draw("font: a.ttf"),
            draw("fonts: [Helvetica]"),
            draw("fonts: [DejaVu Sans]"),
            draw("fonts: [a.ttf, b.ttf, a.ttf]"),
            draw("fonts: [../a.ttf]"),
            draw("fonts: []"),
            draw("sizes: [0.2, big]"),
            draw("sizes: 12"),
            draw("sizes: [0.2, 0.20001]"),
            draw("colours: [red, yelow]"),
            draw("colours: \"#12\""),
            draw("colours: [red, \"#f00\"]"),
            draw("colours: white"),
            draw("positions: [top, botom]"),
            draw("positions: middle of nowhere"),
            draw(&format!("colours: [{long}], positions: [top, bottom, left, right, centre, top left, top right, bottom left, bottom right]")),
            "datasets:\n  a:\n    path: w.txt\n    draw:\n      colours:\n        - #ff0000\n".into(),
            "datasets:\n  a: { path: w.txt, draw: red }\n".into(),
            "datasets:\n  a: { words: love }\n".into(),
            "datasets:\n  a: { words: [] }\n".into(),
            "datasets:\n  a: { words: [love, \"\", \"#x\", \"a\\0b\", love] }\n".into(),
            "datasets:\n  a: { words: [love], path: w.txt }\n".into(),
            "datasets:\n  a: { words: [love], labels: folders }\n".into(),
        ]
        .iter()
        .flat_map(|text| parse(text, Path::new("/garden")).1)
        .map(|problem| problem.to_string())
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
