//! Liquid with what Jekyll adds to it: a note's text and the site's objects in, the text with its tags evaluated out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use liquid::model::{KStringRef, ScalarCow, Value, ValueView};
use liquid::partials::{InMemorySource, LazyCompiler};
use liquid::{Parser, ParserBuilder};
use liquid_core::{
    Display_filter, Expression, Filter, FilterParameters, FilterReflection, FromFilterParameters,
    ParseFilter, Result, Runtime,
};
use liquid_lib::jekyll;

use super::{Fault, Site, fence};
use crate::dates::GitDates;
use crate::garden::Routes;
use crate::note::Note;

/// Stands around the number of code that is put aside.
const ASIDE: [char; 2] = ['\u{10FFFC}', '\u{10FFFD}'];

/// What evaluates Liquid.
pub struct Engine {
    parser: Option<Parser>,
    /// The numbers of included files.
    names: BTreeMap<String, usize>,
    /// Commits' dates, for `page`.
    git: GitDates,
}

impl Engine {
    /// One whose templates may include these files, by their names below the folder of includes.
    pub fn new(includes: &BTreeMap<String, String>, git: &GitDates) -> Self {
        let sound = includes.keys().filter(|name| !includes_itself(name, includes));
        let names: BTreeMap<String, usize> = sound.cloned().zip(0..).collect();
        let mut source = InMemorySource::new();
        for (name, number) in &names {
            let text = outside_raw(&includes[name], |text| included(text, &names));
            source.add(partial(*number), text);
        }
        let builder = ParserBuilder::with_stdlib()
            .partials(LazyCompiler::new(source))
            .tag(jekyll::IncludeTag)
            .filter(jekyll::Slugify)
            .filter(jekyll::Sort)
            .filter(jekyll::Push)
            .filter(jekyll::Pop)
            .filter(jekyll::Shift)
            .filter(jekyll::Unshift)
            .filter(jekyll::ArrayToSentenceString)
            .filter(Day)
            .filter(Relative)
            .filter(Absolute);
        Self { parser: builder.build().ok(), names, git: git.clone() }
    }

    /// A note's Markdown with its Liquid evaluated.
    ///
    /// # Errors
    /// Where it cannot be.
    pub fn evaluate(
        &self,
        note: &Note,
        site: &Site,
        routes: &Routes,
    ) -> std::result::Result<String, Fault> {
        let body = note.markdown();
        let mut aside = Vec::new();
        let mut text = String::with_capacity(body.len());
        for part in fence::parts(body) {
            match part.code {
                true => {
                    text.push_str(&format!("{}{}{}\n", ASIDE[0], aside.len(), ASIDE[1]));
                    aside.push(part.text);
                }
                false => text.push_str(part.text),
            }
        }
        if !["{{", "{%"].iter().any(|mark| text.contains(mark)) {
            return Ok(body.to_owned());
        }
        let Some(parser) = &self.parser else { return Ok(body.to_owned()) };
        let text =
            outside_raw(&text, |text| lone_tags(&linked(&included(text, &self.names), site)));
        let template = parser.parse(&text).map_err(|error| fault(body, &error))?;
        let page = site.page(note, routes, &self.git);
        let nothing = Value::Nil;
        let mut globals: HashMap<KStringRef<'_>, &dyn ValueView> = HashMap::new();
        for word in &site.words {
            globals.insert(KStringRef::from_ref(word), &nothing);
        }
        globals.insert("site".into(), &site.object);
        globals.insert("page".into(), &page);
        let mut out = template.render(&globals).map_err(|error| fault(body, &error))?;
        for (number, code) in aside.iter().enumerate() {
            out = out.replace(&format!("{}{number}{}\n", ASIDE[0], ASIDE[1]), code);
        }
        Ok(out)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// The tags `{% … %}` of a text: their place, their name and what follows it.
fn tags(text: &str) -> impl Iterator<Item = (std::ops::Range<usize>, &str, &str)> {
    text.match_indices("{%").filter_map(move |(at, _)| {
        // `{%}` does not end its own tag.
        let end = at + 2 + text[at + 2..].find("%}")? + 2;
        let inner = text[at + 2..end - 2].trim_matches('-').trim();
        let (name, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        Some((at..end, name, rest.trim()))
    })
}

/// A text with what is not between `raw` and `endraw` made anew.
fn outside_raw(text: &str, make: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = 0;
    let mut opened = None;
    for (range, name, _) in tags(text) {
        match (opened, name) {
            (None, "raw") => opened = Some(range.start),
            (Some(start), "endraw") => {
                out.push_str(&make(&text[rest..start]));
                out.push_str(&text[start..range.end]);
                (rest, opened) = (range.end, None);
            }
            _ => {}
        }
    }
    out.push_str(&make(&text[rest..]));
    out
}

/// A text with some of its tags written otherwise.
fn rewritten(text: &str, make: impl Fn(&str, &str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (range, name, rest) in tags(text) {
        if let Some(new) = make(name, rest).filter(|_| range.start >= copied) {
            out.push_str(&text[copied..range.start]);
            out.push_str(&new);
            copied = range.end;
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// The names of included files, which may have slashes, as names that Liquid can read.
fn included(text: &str, names: &BTreeMap<String, usize>) -> String {
    rewritten(text, |name, rest| {
        let file = rest.split_whitespace().next().filter(|_| name == "include")?;
        let number = names.get(file.trim_matches(['"', '\'']))?;
        Some(format!("{{% include {}{} %}}", partial(*number), &rest[file.len()..]))
    })
}

/// What an included file is called, by its number.
fn partial(number: usize) -> String {
    format!("file{number}")
}

/// `{% link _notes/cats.md %}` is the note's address.
fn linked(text: &str, site: &Site) -> String {
    rewritten(text, |name, rest| {
        let object = site.object.as_object()?;
        let notes = ["notes", "pages"].into_iter().filter_map(|list| object.get(list)?.as_array());
        let mut notes = notes.flat_map(|list| list.values().collect::<Vec<_>>());
        let is_it = |note: &&dyn ValueView| {
            note.as_object()
                .and_then(|note| note.get("path"))
                .is_some_and(|path| path.to_kstr() == rest)
        };
        let note = (name == "link").then(|| notes.find(is_it)).flatten()?;
        note.as_object()?.get("url").map(|url| url.to_kstr().to_string())
    })
}

/// Lines with tags that say nothing, and with nothing else, leave no empty line, which would end a block of HTML.
fn lone_tags(text: &str) -> String {
    const SAYING: [&str; 5] = ["include", "render", "cycle", "increment", "decrement"];
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let mut rest = bare;
        for (range, name, _) in tags(bare) {
            let at = bare.len() - rest.len();
            if range.start != at || SAYING.contains(&name) {
                break;
            }
            rest = bare[range.end..].trim_start();
        }
        out.push_str(if bare.starts_with("{%") && rest.is_empty() { bare } else { line });
    }
    out
}

/// Whether a file would be included by itself, on whatever way.
fn includes_itself(name: &str, includes: &BTreeMap<String, String>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(next) = open.pop() {
        let Some(text) = includes.get(&next) else { continue };
        for (_, tag, rest) in tags(text).filter(|(_, tag, _)| matches!(*tag, "include" | "render"))
        {
            let file = rest.split([' ', ',']).next().unwrap_or_default().trim_matches(['"', '\'']);
            // What is named by a variable may be anything.
            if file == name || tag == "include" && file.contains('{') {
                return true;
            }
            if seen.insert(file.to_owned()) {
                open.push(file.to_owned());
            }
        }
    }
    false
}

/// What the engine says, at its place and in our words.
fn fault(body: &str, error: &liquid::Error) -> Fault {
    let told = error.to_string();
    let requested =
        told.lines().find_map(|line| line.trim().strip_prefix("requested")?.split_once('='));
    let requested = requested.map(|(_, name)| name.trim().trim_matches('"').to_owned());
    let place = |found: Option<usize>, length: usize| {
        let first = || body.find("{%").into_iter().chain(body.find("{{")).min();
        found.map_or_else(|| first().map_or(0..0, |at| at..at + 2), |at| at..at + length)
    };
    let hint = Some("put it between `{% raw %}` and `{% endraw %}` to show it as it is".to_owned());
    let (span, message) = match &requested {
        Some(name) if told.contains("Unknown tag") => {
            let tag = tags(body).find(|(_, tag, _)| tag == name).map(|(range, _, _)| range);
            let span = tag.unwrap_or_else(|| place(None, 0));
            (span, format!("there is no tag `{name}` in Liquid here"))
        }
        Some(name) if told.contains("Unknown filter") => {
            let at = body.match_indices('|').find_map(|(at, _)| {
                let rest = &body[at + 1..];
                let start = at + 1 + rest.len() - rest.trim_start().len();
                body[start..].starts_with(name.as_str()).then_some(start)
            });
            (place(at, name.len()), format!("there is no filter `{name}` in Liquid here"))
        }
        Some(name) if told.contains("Unknown partial-template") => {
            let tag =
                tags(body).find(|(_, tag, rest)| *tag == "include" && rest.contains(name.as_str()));
            let span = tag.map_or_else(|| place(None, 0), |(range, _, _)| range);
            (
                span,
                format!(
                    "`{name}` cannot be included: it is not in `_includes`, or includes itself"
                ),
            )
        }
        _ => {
            // Where the text is no Liquid at all, the parser draws it first.
            let cause = told.lines().find_map(|line| line.trim().strip_prefix("= "));
            let cause = cause.or(told.lines().next()).unwrap_or_default();
            let cause = cause.trim_start_matches("liquid:").trim().trim_end_matches('.');
            let name = requested.map(|name| format!(" `{name}`")).unwrap_or_default();
            (place(None, 0), format!("the note's Liquid cannot be evaluated ({cause}{name})"))
        }
    };
    Fault { span, message, hint }
}

#[derive(Debug, FilterParameters)]
struct DayArguments {
    #[parameter(description = "How to write it.", arg_type = "str")]
    format: Expression,
}

/// `date`, to which the present is when the garden was last changed.
#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(
    name = "date",
    description = "Writes a date otherwise.",
    parameters(DayArguments),
    parsed(DayFilter)
)]
struct Day;

#[derive(Debug, FromFilterParameters, Display_filter)]
#[name = "date"]
struct DayFilter {
    #[parameters]
    args: DayArguments,
}

impl Filter for DayFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let args = self.args.evaluate(runtime)?;
        let present = matches!(input.to_kstr().trim(), "now" | "today");
        let time = present
            .then(|| runtime.try_get(&[ScalarCow::new("site"), ScalarCow::new("time")]))
            .flatten();
        let given = time.map_or_else(|| input.to_value(), |time| time.into_owned());
        let moment = given
            .as_scalar()
            .filter(|_| !present || !given.is_nil())
            .and_then(|s| s.to_date_time());
        match moment {
            Some(moment) => {
                Ok(moment.format(args.format.as_str()).map_or(Value::Nil, Value::scalar))
            }
            None if present => Ok(Value::Nil),
            None => Ok(given),
        }
    }
}

/// `relative_url`: an address below the site's root, which each page makes relative to itself.
#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(
    name = "relative_url",
    description = "An address below the site's root.",
    parsed(RelativeFilter)
)]
struct Relative;

#[derive(Debug, Default, Display_filter)]
#[name = "relative_url"]
struct RelativeFilter;

impl Filter for RelativeFilter {
    fn evaluate(&self, input: &dyn ValueView, _: &dyn Runtime) -> Result<Value> {
        Ok(Value::scalar(format!("/{}", input.to_kstr().trim_start_matches('/'))))
    }
}

/// `absolute_url`: an address with the site's host.
#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(
    name = "absolute_url",
    description = "An address with the site's host.",
    parsed(AbsoluteFilter)
)]
struct Absolute;

#[derive(Debug, Default, Display_filter)]
#[name = "absolute_url"]
struct AbsoluteFilter;

impl Filter for AbsoluteFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let host = runtime.try_get(&[ScalarCow::new("site"), ScalarCow::new("url")]);
        let host = host.map(|host| host.to_kstr().to_string()).unwrap_or_default();
        Ok(Value::scalar(format!("{host}/{}", input.to_kstr().trim_start_matches('/'))))
    }
}
