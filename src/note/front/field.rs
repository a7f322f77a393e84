//! The fields of front matter, and how each is read.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::unit::{self, UnitName};
use super::value::{
    authors, date, each, foreign_date, language_tag, lenient, one_line, picture, tags, text, texts,
};
use crate::author::Author;
use crate::diagnostic::Diagnostic;
use crate::language;
use crate::review::Period;
use crate::yaml::{Node, Reader, Value};

/// The front matter of a note.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FrontMatter {
    /// The note's title.
    pub title: Option<String>,
    /// When it was written.
    pub date: Option<Date>,
    /// When it was last changed.
    pub updated: Option<Date>,
    /// Its tags, in the order written.
    pub tags: Vec<String>,
    /// Other names that wikilinks may use.
    pub aliases: Vec<String>,
    /// A description, for search engines and lists.
    pub description: Option<String>,
    /// Whether the note is left out of the site.
    pub draft: bool,
    /// The field that excludes it, as written: `published: false`.
    pub draft_by: Option<String>,
    /// Its page's address, or a pattern for one, as in Jekyll: `/`, `/about`, `/a/b/`, `/x.html`.
    pub permalink: Option<String>,
    /// Replaces the file's name in its address.
    pub slug: Option<String>,
    /// Earlier addresses of the note, below the site's root, that redirect to it.
    pub redirect_from: Vec<String>,
    /// Whether the page has a table of contents; `None` for the garden's default.
    pub toc: Option<bool>,
    /// The deepest level of headings in it, 1 to 6.
    pub toc_depth: Option<u8>,
    /// Its authors, in order.
    pub authors: Vec<Author>,
    /// A picture for previews of the note, as a link would name it.
    pub image: Option<String>,
    /// Earlier anchors of headings, each with the anchor or text of the heading that it now leads to.
    pub anchors: BTreeMap<String, String>,
    /// Units that the note is about.
    pub units: Vec<UnitName>,
    /// Its language, as BCP 47.
    pub lang: Option<String>,
    /// Its direction of writing, if given: `ltr` or `rtl`.
    pub dir: Option<&'static str>,
    /// How long a review of it counts.
    pub review_in: Option<Period>,
    /// Whether part of it could not be read.
    pub is_broken: bool,
}

impl FrontMatter {
    /// Excludes the note from the site if `hidden`.
    fn hide(&mut self, hidden: bool, by: &str) {
        if hidden {
            self.draft = true;
            self.draft_by.get_or_insert_with(|| by.to_owned());
        }
    }
}

pub(super) fn field(
    reader: &Reader<'_>,
    front: &mut FrontMatter,
    key: &str,
    node: &Node,
) -> Result<(), Diagnostic> {
    if node.value == Value::Null {
        return Ok(());
    }
    match key {
        "title" => {
            front.title = Some(one_line(&text(reader, node, key)?)).filter(|it| !it.is_empty());
        }
        "description" => front.description = Some(text(reader, node, key)?),
        "date" => front.date = Some(date(reader, node, key)?),
        "updated" => front.updated = Some(date(reader, node, key)?),
        "created" => front.date = front.date.or(foreign_date(reader, node, key)?),
        "modified" | "last_modified_at" => {
            front.updated = front.updated.or(foreign_date(reader, node, key)?);
        }
        "tags" | "tag" => front.tags.extend(tags(reader, node, key)?),
        "aliases" | "alias" => front.aliases.extend(texts(reader, node, key)?),
        "draft" => front.hide(reader.flag(node, key)?, "draft: true"),
        // Some tools keep the date of publication there.
        "published" => front.hide(node.value == Value::Bool(false), "published: false"),
        "publish" => front.hide(node.value == Value::Bool(false), "publish: false"),
        "private" => front.hide(node.value == Value::Bool(true), "private: true"),
        "permalink" => front.permalink = Some(text(reader, node, key)?),
        "slug" => front.slug = Some(text(reader, node, key)?),
        "redirect_from" => front.redirect_from = each(reader, node, key)?,
        "toc" => {
            if let Value::Bool(flag) = node.value {
                front.toc = Some(flag);
            }
        }
        "toc_depth" => match node.value {
            Value::Integer(depth @ 1..=6) => front.toc_depth = u8::try_from(depth).ok(),
            _ => return Err(reader.wrong(node, key, "a whole number from 1 to 6")),
        },
        "author" | "authors" => {
            let (named, problem) = authors(reader, node);
            front.authors.extend(named);
            return problem.map_or(Ok(()), Err);
        }
        "image" => front.image = picture(node),
        "anchors" => match &node.value {
            Value::Map(entries) => {
                for entry in entries {
                    let new = text(reader, &entry.node, key)?;
                    front.anchors.insert(entry.key.clone(), new);
                }
            }
            _ => {
                let problem = reader.wrong(node, key, "a mapping of old anchors to headings");
                return Err(problem.hint("write a mapping, such as {old-name: New name}"));
            }
        },
        "lang" => front.lang = Some(language_tag(reader, node, key)?),
        // Other tools keep the subject of a note there.
        "language" => {
            let tag = node.text().as_deref().and_then(language::tag);
            front.lang = front.lang.take().or(tag);
        }
        "dir" => match node.text().as_deref() {
            Some("rtl") => front.dir = Some("rtl"),
            Some("ltr") => front.dir = Some("ltr"),
            Some("auto") => {}
            _ => return Err(lenient(reader, node, key, "`ltr`, `rtl` or `auto`")),
        },
        "review_in" => match Period::read(&text(reader, node, key)?) {
            Some(period) => front.review_in = Some(period),
            None => return Err(reader.wrong(node, key, Period::EXPECTED)),
        },
        "units" => match &node.value {
            Value::List(items) => {
                for item in items {
                    front.units.push(unit::read(reader, item)?);
                }
            }
            _ => return Err(reader.wrong(node, key, "a list of units")),
        },
        _ => {}
    }
    Ok(())
}
