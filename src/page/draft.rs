//! A page ready to be rendered, and the key that covers everything that decides its bytes.

use std::sync::{Arc, OnceLock};

use neuronotes_core::digest::Digest;
use serde::Serialize;

use super::body::BodyDraft;
use super::scene::{HOME, Scene};
use crate::diagnostic::Diagnostic;
use crate::note::{Body, escape};
use crate::render::Renderer;
use crate::view::{
    FigureView, GraphView, HomeView, IndexView, ListView, NotFoundView, NoteView, RedirectView,
    TroublesView, UnitView,
};

/// Raised if the same draft results in other bytes for a reason that its key does not cover.
const PAGE_VERSION: u32 = 3;

/// A page ready to be rendered.
pub struct Draft<'a> {
    /// Path relative to the site's root.
    pub path: String,
    /// The page key.
    pub key: Digest,
    /// The key of the note's body; `None` if there is no note.
    pub body_key: Option<Digest>,
    body: Option<BodyDraft<'a>>,
    rendered: OnceLock<Result<Arc<Body>, Diagnostic>>,
    view: View<'a>,
}

/// The contents of a page key, written in the order of its fields; none of them is an unordered map.
#[derive(Debug, Serialize)]
struct Inputs<'a, T> {
    version: u32,
    program: &'static str,
    templates: Digest,
    body: Option<Digest>,
    view: &'a T,
}

#[derive(Debug, Serialize)]
pub(super) enum View<'a> {
    Note(Box<NoteView>),
    Home(Box<HomeView>),
    List(Box<ListView>),
    Index(Box<IndexView>),
    Unit(Box<UnitView>, Vec<FigureView<'a>>),
    Graph(Box<GraphView>),
    Review(Box<TroublesView>),
    NotFound(Box<NotFoundView>),
    Redirect(Box<RedirectView>),
}

impl Draft<'_> {
    /// Renders the note's body.
    ///
    /// # Errors
    /// If one of the garden's templates has an error.
    pub fn body(&self, renderer: &Renderer) -> Option<Result<Arc<Body>, Diagnostic>> {
        let body = self.body.as_ref()?;
        Some(self.rendered.get_or_init(|| body.render(renderer).map(Arc::new)).clone())
    }

    /// The note's body if it was already rendered.
    pub fn rendered(&self) -> Option<Arc<Body>> {
        self.rendered.get()?.as_ref().ok().map(Arc::clone)
    }

    /// Renders the page's HTML.
    ///
    /// # Errors
    /// If one of the garden's templates has an error.
    pub fn render(&self, renderer: &Renderer) -> Result<String, Diagnostic> {
        let body = self.body(renderer).transpose()?;
        let (body, title) =
            body.map_or((String::new(), None), |b| (b.html.clone(), b.title.clone()));
        match &self.view {
            View::Note(view) => {
                let title_html = title.unwrap_or_else(|| escape(&view.title));
                renderer.note(&NoteView { body_html: body, title_html, ..(**view).clone() })
            }
            View::Home(view) => {
                let plain = || escape(view.title.as_ref().unwrap_or(&view.site.title));
                let title_html = title.unwrap_or_else(plain);
                renderer.home(&HomeView { body_html: body, title_html, ..(**view).clone() })
            }
            View::List(view) => renderer.page("list.html", view),
            View::Index(view) => renderer.page("index.html", view),
            View::Graph(view) => renderer.page("graph.html", view),
            View::Review(view) => renderer.page("review.html", view),
            View::NotFound(view) => renderer.page("404.html", view),
            View::Redirect(view) => renderer.page("redirect.html", view),
            View::Unit(view, figures) => {
                let mut view = (**view).clone();
                for (shown, figure) in view.figures.iter_mut().zip(figures) {
                    shown.html = renderer.figure(figure, &view.site)?;
                }
                renderer.page("unit.html", &view)
            }
        }
    }
}

impl<'a> Scene<'a> {
    pub(super) fn draft(
        &self,
        page: &str,
        body: Option<BodyDraft<'a>>,
        view: View<'a>,
    ) -> Draft<'a> {
        let body_key = body.as_ref().map(|body| body.key(self.templates));
        let key = self.key(body_key, &view);
        let path = if page.is_empty() { HOME.to_owned() } else { page.to_owned() };
        Draft { path, key, body_key, body, rendered: OnceLock::new(), view }
    }

    /// The key of something made from a body and plain data.
    pub(super) fn key(&self, body: Option<Digest>, view: &impl Serialize) -> Digest {
        let inputs = Inputs {
            version: PAGE_VERSION,
            program: env!("CARGO_PKG_VERSION"),
            templates: self.templates,
            body,
            view,
        };
        Digest::of(&serde_json::to_vec(&inputs).expect("views are plain data"))
    }
}
