//! Front matter: what stands between the `---` lines at a note's top.
//!
//! Fields that are not known here are left alone, since notes come from other tools too; one that looks
//! like a misspelling of a known field is warned about. Jekyll's and Obsidian's names for what is known here are known
//! too, in all the forms that these tools write; where such a field holds something else, it is another tool's.

mod broken;
mod unit;

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use neuronotes_core::cut::Cut as _;
use neuronotes_core::suggest;

use crate::diagnostic::{Diagnostic, Lines, Severity, SourceFile};
use crate::language;
use crate::yaml::{self, Node, Value};

pub use unit::UnitName;

/// What a note says about itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FrontMatter {
    /// The note's title.
    pub title: Option<String>,
    /// When it was written.
    pub date: Option<Date>,
    /// When it was last changed.
    pub updated: Option<Date>,
    /// In order.
    pub tags: Vec<String>,
    /// Other names that wikilinks may use.
    pub aliases: Vec<String>,
    /// For search engines and lists.
    pub description: Option<String>,
    /// Whether the note is left out of the site.
    pub draft: bool,
    /// The field that leaves it out, as it is written: `published: false`.
    pub draft_by: Option<String>,
    /// Its page's address, or a pattern for one, as Jekyll has them: `/`, `/about`, `/a/b/`, `/x.html`.
    pub permalink: Option<String>,
    /// What stands in its address for its file's name.
    pub slug: Option<String>,
    /// Addresses that the note had, below the site's root, and that are to lead to it.
    pub redirect_from: Vec<String>,
    /// Whether the page has a table of contents; as the garden has it where this is none.
    pub toc: Option<bool>,
    /// The deepest level of headings in it, 1 to 6.
    pub toc_depth: Option<u8>,
    /// Who wrote it, in order.
    pub authors: Vec<String>,
    /// A picture that stands for it, as a link would name it.
    pub image: Option<String>,
    /// Anchors that headings had, each with the anchor or text of the heading that it is to lead to.
    pub anchors: BTreeMap<String, String>,
    /// Units that the note is about.
    pub units: Vec<UnitName>,
    /// The language that it is in, as BCP 47 has it.
    pub lang: Option<String>,
    /// The way that it is written, where it says so: `ltr` or `rtl`.
    pub dir: Option<&'static str>,
    /// Whether some of it could not be read.
    pub is_broken: bool,
}

const KNOWN: [&str; 36] = [
    "title",
    "date",
    "updated",
    "tags",
    "tag",
    "aliases",
    "alias",
    "description",
    "draft",
    "units",
    "created",
    "modified",
    "last_modified_at",
    "permalink",
    "slug",
    "redirect_from",
    "published",
    "publish",
    "private",
    "toc",
    "toc_depth",
    "author",
    "authors",
    "image",
    "anchors",
    "lang",
    "language",
    "dir",
    // Others' business.
    "layout",
    "id",
    "cssclass",
    "cssclasses",
    "categories",
    "category",
    "topic",
    "topics",
];

/// Whether a field that is not known looks like one that is: in a short name more than one letter is another word.
fn is_misspelt(key: &str, known: &str) -> bool {
    let most = if known.chars().count() < 5 { 1 } else { 2 };
    strsim::damerau_levenshtein(known, key) <= most
}

/// The front matter, where the Markdown begins, and what is wrong.
pub fn parse(at: SourceFile<'_>) -> (FrontMatter, usize, Vec<Diagnostic>) {
    let mut front = FrontMatter::default();
    let text = at.text;
    let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let Some(start) = opening(text.cut(bom..)).map(|length| bom + length) else {
        return (front, bom, vec![]);
    };
    let Some((end, body)) = closing(text, start) else {
        let problem = at
            .error(bom..bom + 3, "front matter has no end")
            .hint("close it with a line `---`".to_owned());
        return (front, text.len(), vec![problem]);
    };
    let yaml = text.cut(start..end);
    let reader = Reader { at, start, yaml, lines: Lines::of(yaml) };
    let mut problems = Vec::new();
    match yaml::parse(yaml) {
        Err(error) => {
            let (line, hint) = yaml::hint(yaml, error.line, &|key| KNOWN.contains(&key));
            let column = if line == error.line { error.column } else { 1 };
            let offset = reader.offset(line, column);
            let message = format!("front matter is not YAML: {}", error.message);
            problems.push(at.error(reader.line_from(offset), message).hint(hint));
            front.is_broken = true;
            reader.salvage(&mut front, &mut problems);
        }
        Ok(node) => match node.entries() {
            None => {
                let message = format!(
                    "front matter must be a mapping such as `title: …`, not {}",
                    node.describe()
                );
                let hint = yaml::colon_hint(yaml, usize::MAX, &|key| KNOWN.contains(&key));
                let problem = at.error(reader.line_from(start), message);
                problems.push(problem.hint(hint.map(|(_, hint)| hint)));
                front.is_broken = true;
            }
            Some(entries) => {
                for entry in entries {
                    if let Err(problem) = reader.field(&mut front, &entry.key, &entry.node) {
                        problems.push(problem);
                    }
                    if !KNOWN.contains(&entry.key.as_str())
                        && let Some(near) = suggest::nearest(&entry.key, KNOWN, 1).first()
                        && is_misspelt(&entry.key, near)
                    {
                        let offset = reader.offset(entry.at.0, entry.at.1);
                        problems.push(
                            at.warning(
                                at.extent(offset, entry.key.len()),
                                format!("front matter has no field `{}`", entry.key),
                            )
                            .hint(format!("did you mean `{near}`?")),
                        );
                    }
                }
            }
        },
    }
    (front, body, problems)
}

fn opening(text: &str) -> Option<usize> {
    let line = text.split_inclusive('\n').next()?;
    (line.trim_end() == "---" && line.ends_with('\n')).then_some(line.len())
}

/// Where the YAML ends and where the body begins.
fn closing(text: &str, start: usize) -> Option<(usize, usize)> {
    let mut offset = start;
    for line in text.cut(start..).split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return Some((offset, offset + line.len()));
        }
        offset += line.len();
    }
    None
}

impl FrontMatter {
    /// Leaves the note out of the site where `hidden`.
    fn hide(&mut self, hidden: bool, by: &str) {
        if hidden {
            self.draft = true;
            self.draft_by.get_or_insert_with(|| by.to_owned());
        }
    }
}

/// The day that a text begins with: `2025-04-22`, with a time behind it or not, with other separators, without any, or
/// as a link to the day's note.
fn day(text: &str) -> Option<Date> {
    let text = text.trim().trim_start_matches("[[");
    let end = text.find(|c: char| !(c.is_ascii_digit() || "-/.".contains(c))).unwrap_or(text.len());
    let written = text.cut(..end);
    if written.len() == 8 && !written.contains(['-', '/', '.']) {
        return written.parse().ok();
    }
    let mut parts = written.splitn(3, ['-', '/', '.']);
    let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let (month, rest) = (parts.next()?.parse().ok()?, parts.next()?);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Date::new(year, month, rest.cut(..end).parse().ok()?).ok()
}

/// A text that is folded into lines, as one.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A path, also where it is written as a link of Obsidian's, or as plugins of Jekyll's have it.
fn picture(node: &Node) -> Option<String> {
    let text = match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == "path")?.node.text()?,
        _ => node.text()?,
    };
    let path = text.trim().trim_start_matches('!').trim_start_matches("[[").trim_end_matches("]]");
    let path = path.split('|').next().unwrap_or(path).trim();
    (!path.is_empty()).then(|| path.to_owned())
}

struct Reader<'a> {
    at: SourceFile<'a>,
    start: usize,
    yaml: &'a str,
    lines: Lines,
}

impl Reader<'_> {
    fn offset(&self, line: usize, column: usize) -> usize {
        self.start + self.lines.offset(self.yaml, line, column)
    }

    /// From `offset` to the end of its line, at least one byte where there is one.
    fn line_from(&self, offset: usize) -> Range<usize> {
        let text = self.at.text;
        let offset = offset.min(text.len());
        let rest = text.cut(offset..).lines().next().unwrap_or("").trim_end();
        offset..offset + rest.len()
    }

    fn span(&self, node: &Node) -> Range<usize> {
        self.line_from(self.offset(node.line, node.column))
    }

    fn wrong(&self, node: &Node, field: &str, expected: &str) -> Diagnostic {
        self.at.error(
            self.span(node),
            format!("`{field}` must be {expected}, not {}", node.describe()),
        )
    }

    fn field(&self, front: &mut FrontMatter, key: &str, node: &Node) -> Result<(), Diagnostic> {
        if node.value == Value::Null {
            return Ok(());
        }
        match key {
            "title" => {
                front.title = Some(one_line(&self.text(node, key)?)).filter(|it| !it.is_empty());
            }
            "description" => front.description = Some(self.text(node, key)?),
            "date" => front.date = Some(self.date(node, key)?),
            "updated" => front.updated = Some(self.date(node, key)?),
            "created" => front.date = front.date.or(self.foreign_date(node, key)?),
            "modified" | "last_modified_at" => {
                front.updated = front.updated.or(self.foreign_date(node, key)?);
            }
            "tags" | "tag" => front.tags.extend(self.tags(node, key)?),
            "aliases" | "alias" => front.aliases.extend(self.texts(node, key)?),
            "draft" => match node.value {
                Value::Bool(flag) => front.hide(flag, "draft: true"),
                _ => return Err(self.wrong(node, key, "`true` or `false`")),
            },
            // Some keep the day of publication there.
            "published" => front.hide(node.value == Value::Bool(false), "published: false"),
            "publish" => front.hide(node.value == Value::Bool(false), "publish: false"),
            "private" => front.hide(node.value == Value::Bool(true), "private: true"),
            "permalink" => front.permalink = Some(self.text(node, key)?),
            "slug" => front.slug = Some(self.text(node, key)?),
            "redirect_from" => front.redirect_from = self.each(node, key)?,
            "toc" => {
                if let Value::Bool(flag) = node.value {
                    front.toc = Some(flag);
                }
            }
            "toc_depth" => match node.value {
                Value::Integer(depth @ 1..=6) => front.toc_depth = u8::try_from(depth).ok(),
                _ => return Err(self.wrong(node, key, "a whole number from 1 to 6")),
            },
            "author" | "authors" => front.authors.extend(self.names(node)),
            "image" => front.image = picture(node),
            "anchors" => match &node.value {
                Value::Map(entries) => {
                    for entry in entries {
                        let new = self.text(&entry.node, key)?;
                        front.anchors.insert(entry.key.clone(), new);
                    }
                }
                _ => {
                    let problem = self.wrong(node, key, "a mapping of old anchors to headings");
                    return Err(problem.hint("for instance {old-name: New name}".to_owned()));
                }
            },
            "lang" => front.lang = Some(self.language(node, key)?),
            // Others name there what a note is about.
            "language" => {
                let tag = node.text().as_deref().and_then(language::tag);
                front.lang = front.lang.take().or(tag);
            }
            "dir" => match node.text().as_deref() {
                Some("rtl") => front.dir = Some("rtl"),
                Some("ltr") => front.dir = Some("ltr"),
                Some("auto") => {}
                _ => return Err(self.lenient(node, key, "`ltr`, `rtl` or `auto`")),
            },
            "units" => match &node.value {
                Value::List(items) => {
                    for item in items {
                        front.units.push(self.unit(item)?);
                    }
                }
                _ => return Err(self.wrong(node, key, "a list of units")),
            },
            _ => {}
        }
        Ok(())
    }

    fn text(&self, node: &Node, field: &str) -> Result<String, Diagnostic> {
        if let (Value::List(_), "title") = (&node.value, field) {
            let problem = self.wrong(node, field, "text");
            return Err(problem.hint("a value that begins with `[` needs quotes".to_owned()));
        }
        node.text().ok_or_else(|| self.wrong(node, field, "text"))
    }

    fn lenient(&self, node: &Node, field: &str, expected: &str) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..self.wrong(node, field, expected) }
    }

    fn language(&self, node: &Node, field: &str) -> Result<String, Diagnostic> {
        let tag = node.text().as_deref().and_then(language::tag);
        tag.ok_or_else(|| {
            let problem = self.lenient(node, field, "a language tag");
            problem.hint("write the language as `ar`, `pt-BR` or the like".to_owned())
        })
    }

    /// A list, or text with commas. Editors leave empty items.
    fn texts(&self, node: &Node, field: &str) -> Result<Vec<String>, Diagnostic> {
        match &node.value {
            Value::List(_) => self.each(node, field),
            _ => {
                let text = self.text(node, field)?;
                let parts = text.split(',').map(|part| part.trim().to_owned());
                Ok(parts.filter(|part| !part.is_empty()).collect())
            }
        }
    }

    /// A list of texts, or one.
    fn each(&self, node: &Node, field: &str) -> Result<Vec<String>, Diagnostic> {
        let one = std::slice::from_ref(node);
        let items = if let Value::List(items) = &node.value { items } else { one };
        let items = items.iter().filter(|item| item.value != Value::Null || item.written.is_some());
        items.map(|item| item.item().map_or_else(|| self.text(item, field), Ok)).collect()
    }

    /// A list, or text with commas or, as Jekyll has it, with spaces; `#` before a tag is how Obsidian writes it.
    fn tags(&self, node: &Node, field: &str) -> Result<Vec<String>, Diagnostic> {
        let mut tags = self.texts(node, field)?;
        if let ([one], false) = (&tags[..], matches!(node.value, Value::List(_))) {
            tags = one.split_whitespace().map(str::to_owned).collect();
        }
        let bare = tags.iter().map(|tag| tag.trim_start_matches('#').trim().to_owned());
        Ok(bare.filter(|tag| !tag.is_empty()).collect())
    }

    /// Texts, or mappings with a `name`.
    fn names(&self, node: &Node) -> Vec<String> {
        let named = |node: &Node| match &node.value {
            Value::Map(entries) => {
                let name = entries.iter().find(|entry| entry.key == "name");
                name.and_then(|entry| entry.node.text())
            }
            _ => node.item(),
        };
        match &node.value {
            Value::List(items) => items.iter().filter_map(named).collect(),
            _ => named(node).into_iter().collect(),
        }
    }

    fn date(&self, node: &Node, field: &str) -> Result<Date, Diagnostic> {
        day(&self.text(node, field)?).ok_or_else(|| {
            self.wrong(node, field, "a date").hint("write it as 2025-04-22".to_owned())
        })
    }

    /// A date that another tool writes. One that cannot be understood costs no more than a warning.
    fn foreign_date(&self, node: &Node, field: &str) -> Result<Option<Date>, Diagnostic> {
        let date = self.date(node, field).map(Some);
        date.map_err(|problem| Diagnostic { severity: Severity::Warning, ..problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> FrontMatter {
        let text = format!("---\n{yaml}\n---\n");
        let lines = Lines::of(&text);
        let (front, _, problems) = parse(SourceFile { file: "a.md", text: &text, lines: &lines });
        assert_eq!(problems, [], "{yaml}");
        front
    }

    fn warned(yaml: &str) -> Vec<String> {
        let text = format!("---\n{yaml}\n---\n");
        let lines = Lines::of(&text);
        let (_, _, problems) = parse(SourceFile { file: "a.md", text: &text, lines: &lines });
        problems.iter().map(|p| format!("{:?} {p}", p.severity)).collect()
    }

    #[test]
    fn languages_are_tags_and_what_is_none_is_said() {
        let front = read("lang: pt_br\ndir: rtl");
        assert_eq!((front.lang.as_deref(), front.dir), (Some("pt-BR"), Some("rtl")));
        assert_eq!(read("language: he").lang.as_deref(), Some("he"));
        assert_eq!(read("language: Hebrew").lang, None);
        let warned = warned("lang: English\ndir: up");
        assert_eq!(warned.len(), 2, "{warned:?}");
        assert!(
            warned[0].contains("Warning") && warned[0].contains("a language tag"),
            "{warned:?}"
        );
        assert!(warned[1].contains("`ltr`, `rtl` or `auto`"), "{warned:?}");
    }

    #[test]
    fn days_are_read_in_every_form_that_tools_write() {
        let day =
            |text: &str| read(&format!("last_modified_at: {text}")).updated.map(|d| d.to_string());
        for text in [
            "2024-10-30",
            "2024-10-30 16:14:41",
            "2024-10-30 16:14:41 -0500",
            "2024-10-30T16:14",
            "2024-10-30T16:14:41.123Z",
            "2024/10/30",
            "2024.10.30",
            "20241030",
            "\"[[2024-10-30]]\"",
        ] {
            assert_eq!(day(text).as_deref(), Some("2024-10-30"), "{text}");
        }
        assert_eq!(
            read("created: 2024-1-5 08:00").date.map(|d| d.to_string()).as_deref(),
            Some("2024-01-05")
        );
        let both = read("created: 2024-01-01\ndate: 2023-01-01\nmodified: 2024-02-02");
        assert_eq!(
            (both.date, both.updated),
            ("2023-01-01".parse().ok(), "2024-02-02".parse().ok())
        );
        let other = warned("created: Wednesday, October 30th");
        assert!(other[0].starts_with("Warning a.md:2:10: `created` must be a date"), "{other:?}");
    }

    #[test]
    fn tags_are_a_list_or_words_with_commas_or_spaces_and_their_mark_is_no_part_of_them() {
        for yaml in [
            "tags: [a, b/c]",
            "tags: a, b/c",
            "tags: a b/c",
            "tags: \"#a #b/c\"",
            "tag:\n- '#a'\n-\n- b/c",
        ] {
            assert_eq!(read(yaml).tags, ["a", "b/c"], "{yaml}");
        }
        assert_eq!(read("tags: [two words, \"#\"]").tags, ["two words"]);
        assert_eq!(read("tags:").tags, Vec::<String>::new());
    }

    #[test]
    fn every_way_of_not_publishing_a_note_is_one_and_keeps_its_name() {
        for by in ["draft: true", "published: false", "publish: false", "private: true"] {
            let front = read(by);
            assert_eq!((front.draft, front.draft_by.as_deref()), (true, Some(by)));
        }
        for not in [
            "draft: false",
            "published: true",
            "published: 2024-01-02",
            "publish: true",
            "private: false",
        ] {
            assert!(!read(not).draft, "{not}");
        }
    }

    #[test]
    fn what_other_gardens_say_is_read() {
        let front = read(
            "permalink: /about\nslug: Me\nredirect_from: /old\ntoc: false\ntoc_depth: 2\nauthors: [Ada, {name: Bob}]\n\
             image: \"[[art/a.png|300]]\"\nanchors: {old-name: New name}\nlayout: page\nid: home\ncssclasses: [wide]\nmood: 3",
        );
        assert_eq!(
            (front.permalink.as_deref(), front.slug.as_deref()),
            (Some("/about"), Some("Me"))
        );
        assert_eq!(front.redirect_from, ["/old"]);
        assert_eq!(read("redirect_from:\n- /a/\n- /b.html").redirect_from, ["/a/", "/b.html"]);
        assert_eq!((front.toc, front.toc_depth), (Some(false), Some(2)));
        assert_eq!(front.authors, ["Ada", "Bob"]);
        assert_eq!(read("author: Ada Lovelace").authors, ["Ada Lovelace"]);
        assert_eq!(front.image.as_deref(), Some("art/a.png"));
        assert_eq!(front.anchors["old-name"], "New name");
        assert!(warned("toc_depth: 9")[0].contains("a whole number from 1 to 6"));
        assert!(warned("permalnk: /a")[0].contains("did you mean `permalink`?"));
        assert_eq!(
            warned("data: 1\nstate: 2\nurl: x"),
            ["Warning a.md:2:1: front matter has no field `data` (hint: did you mean `date`?)"]
        );
    }
}
