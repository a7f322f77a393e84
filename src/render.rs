//! Renders templates with views to pages. The built-in templates are embedded; a garden's own `templates/` replaces
//! them file by file. Knows nothing of notes and results.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior};
use serde::Serialize;

use budget::{Budget, Page};
use neuronotes_core::digest::Digest;
use neuronotes_core::number::thousands;
use neuronotes_core::suggest;
use source::{ASSETS, Source};

use crate::diagnostic::Diagnostic;
use crate::view::{FigureView, HomeView, NoteView, SiteView, legible};

/// The built-in theme. A garden's template can extend any of these as `builtin/NAME`.
const BUILT_IN: &[(&str, &str)] = &[
    ("404.html", include_str!("../templates/404.html")),
    ("base.html", include_str!("../templates/base.html")),
    ("figure.html", include_str!("../templates/figure.html")),
    ("graph.html", include_str!("../templates/graph.html")),
    ("home.html", include_str!("../templates/home.html")),
    ("index.html", include_str!("../templates/index.html")),
    ("list.html", include_str!("../templates/list.html")),
    ("note.html", include_str!("../templates/note.html")),
    ("partials/backlinks.html", include_str!("../templates/partials/backlinks.html")),
    ("partials/card.html", include_str!("../templates/partials/card.html")),
    ("partials/behind.html", include_str!("../templates/partials/behind.html")),
    ("partials/claim.html", include_str!("../templates/partials/claim.html")),
    ("partials/claims.html", include_str!("../templates/partials/claims.html")),
    ("partials/composed.html", include_str!("../templates/partials/composed.html")),
    ("partials/contents.html", include_str!("../templates/partials/contents.html")),
    ("partials/controls.html", include_str!("../templates/partials/controls.html")),
    ("partials/drawing.html", include_str!("../templates/partials/drawing.html")),
    ("partials/failed.html", include_str!("../templates/partials/failed.html")),
    ("partials/map.html", include_str!("../templates/partials/map.html")),
    ("partials/picture.html", include_str!("../templates/partials/picture.html")),
    ("partials/references.html", include_str!("../templates/partials/references.html")),
    ("partials/problem.html", include_str!("../templates/partials/problem.html")),
    ("partials/reviews.html", include_str!("../templates/partials/reviews.html")),
    ("partials/sweep.html", include_str!("../templates/partials/sweep.html")),
    ("partials/table.html", include_str!("../templates/partials/table.html")),
    ("partials/unit.html", include_str!("../templates/partials/unit.html")),
    ("partials/used.html", include_str!("../templates/partials/used.html")),
    ("redirect.html", include_str!("../templates/redirect.html")),
    ("review.html", include_str!("../templates/review.html")),
    ("unit.html", include_str!("../templates/unit.html")),
    ("style.css", include_str!("../templates/style.css")),
    ("garden.css", include_str!("../templates/garden.css")),
    ("figures.css", include_str!("../templates/figures.css")),
    ("lists.css", include_str!("../templates/lists.css")),
    ("claims.css", include_str!("../templates/claims.css")),
    ("boxes.css", include_str!("../templates/boxes.css")),
    ("review.css", include_str!("../templates/review.css")),
    ("garden.js", include_str!("../templates/garden.js")),
    ("theme.js", include_str!("../templates/theme.js")),
    ("contents.js", include_str!("../templates/contents.js")),
    ("find.js", include_str!("../templates/find.js")),
    ("zoom.js", include_str!("../templates/zoom.js")),
    ("figure.js", include_str!("../templates/figure.js")),
    ("graph.js", include_str!("../templates/graph.js")),
    ("map.js", include_str!("../templates/map.js")),
    ("review.js", include_str!("../templates/review.js")),
];

/// The message about an optional value that is missing.
const ABSENT: &str = "this value is missing here";

/// Renders pages.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
    /// All templates by name, and whether each is the garden's own.
    sources: BTreeMap<String, Source>,
    digest: Digest,
}

/// The data for `figure.html`.
#[derive(Serialize)]
struct FigureContext<'a> {
    figure: &'a FigureView<'a>,
    site: &'a SiteView,
}

impl Renderer {
    /// The built-in theme, with files of the same name in `overrides` (a garden's `templates/`) in place of its own.
    /// A missing folder overrides nothing; links are followed within the folder, whose path contains no links.
    ///
    /// # Errors
    /// If a file in `overrides` cannot be read or is not a valid template.
    pub fn new(overrides: Option<&Path>) -> Result<Self, Diagnostic> {
        let mut sources = BTreeMap::new();
        for (name, text) in BUILT_IN {
            let names = [(*name).to_owned(), format!("builtin/{name}")];
            for name in names {
                let text = match name.rsplit_once('.') {
                    Some((_, "css")) => css::minified(text),
                    Some((_, "js")) => script::minified(text),
                    _ => (*text).to_owned(),
                };
                sources.insert(name, Source { text, own: false });
            }
        }
        if let Some(folder) = overrides.and_then(|folder| folder.canonicalize().ok()) {
            overrides::read(&folder, &mut sources)?;
        }

        let mut renderer = Self { environment: environment(), digest: digest(&sources), sources };
        for (name, source) in &renderer.sources {
            if name.ends_with(".html") {
                depth::check(&renderer.shown(name), &source.text)?;
                let added =
                    renderer.environment.add_template_owned(name.clone(), source.text.clone());
                added.map_err(|error| renderer.explain(name, &error))?;
            }
        }
        Ok(renderer)
    }

    /// A note's page.
    ///
    /// # Errors
    /// If a template has an error.
    pub fn note(&self, view: &NoteView) -> Result<String, Diagnostic> {
        self.render("note.html", view)
    }

    /// The home page.
    ///
    /// # Errors
    /// If a template has an error.
    pub fn home(&self, view: &HomeView) -> Result<String, Diagnostic> {
        self.render("home.html", view)
    }

    /// Any other page, by its template.
    ///
    /// # Errors
    /// If a template has an error.
    pub fn page(&self, template: &str, view: &impl Serialize) -> Result<String, Diagnostic> {
        self.render(template, view)
    }

    /// A figure for a note's body.
    ///
    /// # Errors
    /// If a template has an error.
    pub fn figure(&self, figure: &FigureView<'_>, site: &SiteView) -> Result<String, Diagnostic> {
        self.render("figure.html", &FigureContext { figure, site })
    }

    /// An asset by name: `style.css`, `garden.js` and so on.
    pub fn asset(&self, name: &str) -> String {
        let parts =
            ASSETS.iter().find(|(known, _)| *known == name).map_or(&[][..], |found| found.1);
        parts.iter().filter_map(|part| Some(self.sources.get(*part)?.text.as_str())).collect()
    }

    /// The digest of all templates and style sheets in use, for page keys.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    fn render(&self, name: &str, view: &impl Serialize) -> Result<String, Diagnostic> {
        let budget = Budget::of(view);
        let view = Value::from(Serde(view));
        let mut page = Page::of(budget);
        let Err(error) = self.filled(name, &view, budget.steps, &mut page) else {
            return Ok(legible(page.text()));
        };
        let (told, message) = match innermost(&error).kind() {
            _ if page.is_full => {
                let most = thousands(budget.bytes);
                let message = format!("the page exceeds the limit of {most} bytes");
                (self.where_full(name, &view, budget).unwrap_or(error), message)
            }
            minijinja::ErrorKind::OutOfFuel => {
                let most = thousands(budget.steps);
                let message = format!("the template exceeds the limit of {most} steps");
                (error, message)
            }
            _ => return Err(self.explain(name, &error)),
        };
        let hint = "look for a loop, a macro or a text that grows with each iteration; every instruction counts as a step, and so do each 64 bytes of text";
        Err(Diagnostic { message, ..self.explain(name, &told) }.hint(hint))
    }

    /// Renders a template with a limited number of steps.
    fn filled(
        &self,
        name: &str,
        view: &Value,
        steps: u64,
        page: &mut Page,
    ) -> Result<(), minijinja::Error> {
        // Fuel belongs to an environment; the contents of this one are shared by all its clones.
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(steps));
        let template = environment.get_template(name)?;
        template.render_captured_to(view.clone(), page).map(drop)
    }

    /// The error that the steps run out on a page that is not quite full. It has the template's line, which the
    /// writer's error lacks.
    fn where_full(&self, name: &str, view: &Value, budget: Budget) -> Option<minijinja::Error> {
        const ROUNDS: usize = 12;
        let (mut least, mut most, mut found) = (0, budget.steps, None);
        for _ in 0..ROUNDS {
            let steps = least + (most - least) / 2;
            let mut page = Page::of(budget);
            match self.filled(name, view, steps, &mut page) {
                Err(error) if !page.is_full => (least, found) = (steps, Some(error)),
                _ => most = steps,
            }
        }
        found
    }

    /// The innermost cause of `error`, which occurred while `name` was parsed or rendered.
    fn explain(&self, name: &str, error: &minijinja::Error) -> Diagnostic {
        let inner = innermost(error);
        let name = inner.name().or(error.name()).unwrap_or(name);
        let mut message = inner.kind().to_string();
        if let Some(detail) = inner.detail() {
            message = format!("{message}: {detail}");
        }
        let asked_for = inner
            .range()
            .and_then(|range| inner.template_source()?.get(range))
            .map(str::trim)
            .filter(|text| !text.is_empty() && text.len() < 80 && !text.contains('\n'));
        if let Some(text) = asked_for
            && !message.contains(text)
        {
            message = format!("{message} (at `{text}`)");
        }
        let line = inner.line().unwrap_or(1);
        Diagnostic { line, ..Diagnostic::of_file(self.shown(name), message) }.hint(self.hint(inner))
    }

    /// A template's name for people.
    fn shown(&self, name: &str) -> String {
        match self.sources.get(name).is_some_and(|source| source.own) {
            true => format!("templates/{name}"),
            false => format!("{name} (built in)"),
        }
    }

    /// What to do about an error, if known.
    fn hint(&self, error: &minijinja::Error) -> Option<String> {
        use minijinja::ErrorKind;
        match error.kind() {
            ErrorKind::UndefinedError if error.detail() == Some(ABSENT) => {
                Some("put it within `{% if … %}`".to_owned())
            }
            ErrorKind::UndefinedError => {
                Some("see the built-in templates for the available names".to_owned())
            }
            ErrorKind::TemplateNotFound => {
                let wanted = error.detail()?.split('"').nth(1)?;
                let near = suggest::nearest(wanted, self.sources.keys(), 1).pop()?;
                Some(format!("did you mean `{near}`?"))
            }
            ErrorKind::InvalidOperation
                if error.detail().is_some_and(|d| d.starts_with("recursion")) =>
            {
                Some("a template includes itself or a macro calls itself endlessly".to_owned())
            }
            _ => None,
        }
    }
}

fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut inner = error;
    while let Some(cause) =
        std::error::Error::source(inner).and_then(|cause| cause.downcast_ref::<minijinja::Error>())
    {
        inner = cause;
    }
    inner
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    // An unknown name is an error at its line, never an empty place on the page.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(format_value);
    environment.set_debug(true);
    // Nested templates and macros, each of which takes some of the stack.
    environment.set_recursion_limit(200);
    filter::add_to(&mut environment);
    environment
}

/// Puts out a value, escaped unless it is marked safe. Slashes stay as they are, so that addresses can be read.
fn format_value(
    out: &mut Output,
    state: &mut State,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if value.is_none() {
        return Err(minijinja::Error::new(minijinja::ErrorKind::UndefinedError, ABSENT));
    }
    match value.as_str() {
        Some(text) if !value.is_safe() && matches!(state.auto_escape(), AutoEscape::Html) => {
            filter::escape(out, text).map_err(minijinja::Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

fn digest(sources: &BTreeMap<String, Source>) -> Digest {
    let mut bytes = Vec::new();
    for (name, source) in sources {
        for part in [name, &source.text] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    Digest::of(&bytes)
}

mod budget;
mod css;
mod depth;
mod filter;
mod overrides;
#[cfg(test)]
mod sample;
mod script;
mod source;
#[cfg(test)]
mod tests;
