//! Evaluates Liquid with Jekyll's additions: a note's text and the site's objects in, the evaluated text out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use liquid_core::model::{KStringRef, Value, ValueView};
use liquid_core::parser::{self, Language};
use liquid_core::runtime::RuntimeBuilder;
use liquid_core::{ParseBlock, ParseTag, Renderable as _, Template};
use liquid_lib::stdlib;
use neuronotes_core::cut::Cut as _;

use super::budget::{self, BYTES, Charged, Exceeded, Metered};
use super::includes::{Includes, Store, Text};
use super::prepare::{self, AS_IT_IS, Aside, Names};
use super::site::Site;
use super::{fence, filters, loops, tags};
use crate::diagnostic::fault::Fault;
use crate::garden::Routes;
use crate::garden::dates::GitDates;
use crate::note::Note;

/// The Liquid evaluator.
pub struct Engine {
    language: Arc<Language>,
    includes: Store,
    /// The numbers of included files.
    names: BTreeMap<String, usize>,
    /// Dates from git, for `page`.
    git: GitDates,
}

impl Engine {
    /// An engine whose templates may include these files, by name relative to the folder of includes.
    pub fn new(includes: &BTreeMap<String, String>, git: &GitDates) -> Self {
        let sound = includes.keys().filter(|name| !includes_itself(name, includes));
        let names: BTreeMap<String, usize> = sound.cloned().zip(0..).collect();
        let known = Names { files: &names, address: &|_| None, place: None };
        let text = |name: &String| {
            let text = &includes[name];
            let mut aside = Aside::default();
            let ready = prepare::prepared(text, &known, &mut aside);
            let ready = ready.map(|ready| aside.back(&ready, usize::MAX).unwrap_or_default());
            Text { name: name.clone(), text: ready, tags: prepare::count(text) }
        };
        let texts = Includes(names.keys().map(text).collect());
        let language = Arc::new(language());
        let includes = Store::new(texts, Arc::clone(&language));
        Self { language, includes, names, git: git.clone() }
    }

    /// A note's Markdown with its Liquid evaluated.
    ///
    /// # Errors
    /// If it cannot be evaluated.
    pub fn evaluate(&self, note: &Note, site: &Site, routes: &Routes) -> Result<String, Fault> {
        let body = note.markdown();
        let mut aside = Aside::default();
        let mut text = String::with_capacity(body.len());
        // Where parts of the text are in the note's body.
        let mut places = vec![(0, 0)];
        let mut at = 0;
        for part in fence::parts(body) {
            if part.code {
                aside.put(part.text, &mut text);
                places.push((text.len(), at + part.text.len()));
            } else {
                text.push_str(part.text);
            }
            at += part.text.len();
        }
        if !["{{", "{%"].iter().any(|mark| text.contains(mark)) {
            return Ok(body.to_owned());
        }
        let place = |at: usize| {
            let part = places.partition_point(|(start, _)| *start <= at).saturating_sub(1);
            places.get(part).map_or(at, |(start, there)| there + (at - start))
        };
        let address = |path: &str| site.address(path);
        let names = Names { files: &self.names, address: &address, place: Some(&place) };
        let ready = prepare::prepared(&text, &names, &mut aside).map_err(|fault| {
            let span = place(fault.span.start)..place(fault.span.end.max(1) - 1) + 1;
            Fault { span, ..fault }
        })?;
        let ready = prepare::lone_tags(&ready);
        let (evaluated, exceeded) = budget::within(|| self.rendered(&ready, note, site, routes));
        if let Some(exceeded) = exceeded {
            return Err(spent(body, &exceeded));
        }
        let evaluated = evaluated.map_err(|error| fault(body, &error))?;
        aside.back(&evaluated, BYTES).ok_or_else(|| {
            let message = format!("makes a text of more than {BYTES} bytes");
            spent(body, &Exceeded { message, at: None })
        })
    }

    fn rendered(
        &self,
        text: &str,
        note: &Note,
        site: &Site,
        routes: &Routes,
    ) -> liquid_core::Result<String> {
        let template = Template::new(parser::parse(text, &self.language)?);
        let page = site.page(note, routes, &self.git);
        let nothing = Value::Nil;
        let mut globals: HashMap<KStringRef<'_>, &dyn ValueView> = HashMap::new();
        for word in &site.words {
            globals.insert(KStringRef::from_ref(word), &nothing);
        }
        globals.insert("site".into(), &site.object);
        globals.insert("page".into(), &page);
        let runtime = RuntimeBuilder::new().set_globals(&globals).set_partials(&self.includes);
        let mut out = Vec::new();
        template.render_to(&mut Charged::new(&mut out), &Metered(runtime.build()))?;
        String::from_utf8(out).map_err(|_| liquid_core::Error::with_msg("this is not text"))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// All tags and filters.
fn language() -> Language {
    let mut language = Language::empty();
    let tags: [Box<dyn ParseTag>; 7] = [
        tags::Assign.into(),
        tags::Include.into(),
        stdlib::BreakTag.into(),
        stdlib::ContinueTag.into(),
        stdlib::CycleTag.into(),
        stdlib::IncrementTag.into(),
        stdlib::DecrementTag.into(),
    ];
    for tag in tags {
        language.tags.register(tag.reflection().tag().to_owned(), tag);
    }
    let blocks: [Box<dyn ParseBlock>; 9] = [
        loops::For.into(),
        loops::TableRow.into(),
        tags::Capture.into(),
        tags::IfChanged.into(),
        stdlib::RawBlock.into(),
        stdlib::IfBlock.into(),
        stdlib::UnlessBlock.into(),
        stdlib::CaseBlock.into(),
        stdlib::CommentBlock.into(),
    ];
    for block in blocks {
        language.blocks.register(block.reflection().start_tag().to_owned(), block);
    }
    for filter in filters::all() {
        language.filters.register(filter.reflection().name().to_owned(), filter);
    }
    language
}

/// Whether a file would include itself, directly or indirectly.
fn includes_itself(name: &str, includes: &BTreeMap<String, String>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![name];
    while let Some(next) = open.pop() {
        let Some(text) = includes.get(next) else { continue };
        for file in prepare::included(text) {
            // A name in a variable is unknown here.
            if file == name || file.contains('{') {
                return true;
            }
            if seen.insert(file) {
                open.push(file);
            }
        }
    }
    false
}

/// The message about a limit that was exceeded.
fn spent(body: &str, exceeded: &Exceeded) -> Fault {
    let start = exceeded.at.or_else(|| first(body)).unwrap_or(0);
    let length = body.cut(start..).find("%}").map_or(2, |end| end + 2);
    let message = format!("the note's Liquid {}", exceeded.message);
    Fault::new(start..start + length, message)
        .hint("look for a loop over too many items, or a text that grows with each iteration")
}

/// Start of a text's Liquid.
fn first(body: &str) -> Option<usize> {
    body.find("{%").into_iter().chain(body.find("{{")).min()
}

/// The library's error in our words, at its place.
fn fault(body: &str, error: &liquid_core::Error) -> Fault {
    let told = error.to_string();
    let requested =
        told.lines().find_map(|line| line.trim().strip_prefix("requested")?.split_once('='));
    let requested = requested.map(|(_, name)| name.trim().trim_matches('"').to_owned());
    let place = |found: Option<usize>, length: usize| {
        found.map_or_else(|| first(body).map_or(0..0, |at| at..at + 2), |at| at..at + length)
    };
    let (span, message) = match &requested {
        Some(name) if told.contains("Unknown tag") => {
            let tag = body.match_indices("{%").find_map(|(at, _)| {
                let rest = body.cut(at + 2..);
                let named = rest.trim_start_matches('-').trim_start().starts_with(name.as_str());
                named.then(|| at..at + 2 + rest.find("%}").map_or(0, |end| end + 2))
            });
            let span = tag.unwrap_or_else(|| place(None, 0));
            (span, format!("unknown Liquid tag `{name}`"))
        }
        Some(name) if told.contains("Unknown filter") => {
            let at = body.match_indices('|').find_map(|(at, _)| {
                let rest = body.cut(at + 1..);
                let start = at + 1 + rest.len() - rest.trim_start().len();
                body.cut(start..).starts_with(name.as_str()).then_some(start)
            });
            (place(at, name.len()), format!("unknown Liquid filter `{name}`"))
        }
        _ => {
            // If the text is not Liquid at all, the parser's message begins with an excerpt.
            let cause = told.lines().find_map(|line| line.trim().strip_prefix("= "));
            let cause = cause.or(told.lines().next()).unwrap_or_default();
            let cause = cause.trim_start_matches("liquid:").trim().trim_end_matches('.');
            let name = requested.map(|name| format!(" `{name}`")).unwrap_or_default();
            (place(None, 0), format!("the note's Liquid cannot be evaluated ({cause}{name})"))
        }
    };
    Fault::new(span, message).hint(AS_IT_IS)
}
