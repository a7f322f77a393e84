//! Makes all pages and files of a scene that are not current in the sink, on all cores.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;
use neuronotes_core::store::Store;
use rayon::prelude::*;

use super::sink::{Content, Sink};
use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::note::Body;
use crate::page::{Assets, Draft, GeneratedFile, Scene, Shard};
use crate::render::Renderer;
use crate::search::Indexed;
use crate::view::legible_json;

/// The assets of every page with their texts; their names contain their digests.
pub(super) fn assets(renderer: &Renderer) -> (Assets, BTreeMap<String, String>) {
    let mut contents = BTreeMap::new();
    let mut asset = |name: &str| {
        let text = renderer.asset(name);
        let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
        let path = format!("{stem}-{}.{ending}", Digest::of(text.as_bytes()).hex().cut(..8));
        contents.insert(path.clone(), text);
        path
    };
    let assets = Assets {
        stylesheet: asset("style.css"),
        figures: asset("figures.css"),
        lists: asset("lists.css"),
        claims: asset("claims.css"),
        boxes: asset("boxes.css"),
        script: asset("garden.js"),
        find: asset("find.js"),
        zoom: asset("zoom.js"),
        figure_script: asset("figure.js"),
        graph: asset("graph.js"),
        map: asset("map.js"),
        review: asset("review.css"),
        review_script: asset("review.js"),
    };
    (assets, contents)
}

/// The parts of a finished page that are kept.
struct Made {
    body_key: Option<Digest>,
    /// Its body, if it was rendered.
    body: Option<Arc<Body>>,
}

/// Makes all of them. Returns errors in templates, and panics.
pub(super) fn publish(
    scene: &Scene<'_>,
    renderer: &Renderer,
    store: &Store,
    sink: &dyn Sink,
) -> Vec<Diagnostic> {
    let problems = Mutex::new(Vec::new());
    let publisher = Publisher { scene, renderer, store, sink, problems: &problems };
    rayon::join(
        || rayon::join(|| publisher.search(), || publisher.generated_files()),
        || {
            let made: Vec<Made> =
                (0..scene.notes.len()).into_par_iter().map(|index| publisher.note(index)).collect();
            publisher.previews(&made);
            publisher.generated_pages();
        },
    );
    let mut problems = problems.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Threads report them in any order.
    problems.sort_by(|a, b| (&a.file, a.line, &a.message).cmp(&(&b.file, b.line, &b.message)));
    problems.dedup();
    problems
}

/// Makes pages and files, and passes them to the sink.
struct Publisher<'a> {
    scene: &'a Scene<'a>,
    renderer: &'a Renderer,
    store: &'a Store,
    sink: &'a dyn Sink,
    problems: &'a Mutex<Vec<Diagnostic>>,
}

impl Publisher<'_> {
    fn note(&self, index: usize) -> Made {
        let note = self.scene.notes[index];
        let made = guard::run("making the page of the note", &note.path, || {
            let draft = self.scene.note_draft(index);
            self.page(&draft);
            Made { body_key: draft.body_key, body: draft.rendered() }
        });
        made.unwrap_or_else(|panicked| {
            let path = &self.scene.garden.pages[index];
            self.failed(path, Diagnostic::of_panic(&*note.file, &panicked));
            Made { body_key: None, body: None }
        })
    }

    /// Reports a page or file that could not be made. It is not published.
    fn failed(&self, path: &str, problem: Diagnostic) {
        self.told(problem.clone());
        let key = Digest::of(problem.message.as_bytes());
        self.sink.take(path.to_owned(), Content::Page { key, html: Err(Box::new(problem)) });
    }

    fn told(&self, problem: Diagnostic) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }

    /// Makes a file other than a note's page.
    fn file(&self, path: &str, make: impl FnOnce()) {
        if let Err(panicked) = guard::run("making the file of the site", path, make) {
            self.failed(path, Diagnostic::of_panic(path, &panicked));
        }
    }

    /// Makes a page unless it is current.
    fn page(&self, draft: &Draft<'_>) {
        let path = draft.path.clone();
        if self.sink.is_current(&path, draft.key) {
            return self.sink.keep(path, draft.key);
        }
        let html = draft.render(self.renderer).map_err(Box::new);
        if let Err(problem) = &html {
            self.told((**problem).clone());
        }
        self.sink.take(path, Content::Page { key: draft.key, html });
    }

    fn previews(&self, made: &[Made]) {
        let shards = guard::run("listing the previews", "previews", || self.scene.preview_shards());
        let shards = shards.unwrap_or_else(|panicked| {
            self.told(Diagnostic::of_panic("previews", &panicked));
            Vec::new()
        });
        shards.into_par_iter().for_each(|shard| {
            self.file(&shard.path.clone(), || self.preview(shard, made));
        });
    }

    fn preview(&self, shard: Shard, made: &[Made]) {
        let key = self.scene.shard_key(&shard, &|note| made[note].body_key);
        if self.sink.is_current(&shard.path, key) {
            return self.sink.keep(shard.path, key);
        }
        let mut body = |note: usize| match &made[note].body {
            Some(body) => Some(Arc::clone(body)),
            // Its page is current.
            None => self.scene.note_draft(note).body(self.renderer)?.ok(),
        };
        let text = self.scene.shard(&shard, &mut body);
        self.sink.take(shard.path, Content::Page { key, html: Ok(text) });
    }

    fn generated_pages(&self) {
        let pages = guard::run("listing the pages of tags and units", "tags", || {
            self.scene.generated_pages()
        });
        let pages: Vec<_> = pages.into_iter().flatten().collect();
        pages.into_par_iter().for_each(|(path, page)| {
            self.file(&path, || self.page(&self.scene.generated_draft(&path, &page)));
        });
    }

    fn search(&self) {
        let (files, problems) = search(self.scene);
        problems.into_iter().for_each(|problem| self.told(problem));
        let files: Vec<_> = files.into_iter().collect();
        files
            .into_par_iter()
            .for_each(|(path, text)| self.sink.take(path, Content::Bytes(text.into())));
    }

    fn generated_files(&self) {
        let paths =
            guard::run("listing feeds and cards", "feed.xml", || self.scene.generated_files());
        let paths = paths.unwrap_or_else(|panicked| {
            self.told(Diagnostic::of_panic("feed.xml", &panicked));
            Vec::new()
        });
        paths.into_par_iter().for_each(|path| {
            self.file(&path.clone(), || self.generated_file(path));
        });
    }

    fn generated_file(&self, path: String) {
        let Some(file) = self.scene.generated_file(&path) else { return };
        let key = self.scene.generated_key(&path, &file);
        match file {
            GeneratedFile::Text(text) => self.sink.take(path, Content::Bytes(text.into_bytes())),
            GeneratedFile::Card(..) if self.sink.is_current(&path, key) => {
                self.sink.keep(path, key)
            }
            GeneratedFile::Card(image, synthetic) => {
                if let Some(bytes) = card(self.store, &image, synthetic) {
                    self.sink.take(path, Content::Picture { key, bytes });
                }
            }
        }
    }
}

/// The files of the search index, and problems with pages that are not in it.
pub(super) fn search(scene: &Scene<'_>) -> (BTreeMap<String, String>, Vec<Diagnostic>) {
    let made = guard::run("making the search index", "search", || {
        let order = scene.indexed_order();
        let one = |index: usize| {
            let note = scene.notes[index];
            let made = guard::run("indexing the note", &note.path, || scene.indexed(index));
            made.map_err(|panicked| Diagnostic::of_panic(&*note.file, &panicked))
        };
        let notes: Vec<Result<Indexed, Diagnostic>> = order.into_par_iter().map(one).collect();
        let (mut pages, mut problems) = (Vec::with_capacity(notes.len()), Vec::new());
        for note in notes {
            match note {
                Ok(page) => pages.push(page),
                Err(problem) => problems.push(problem),
            }
        }
        pages.extend(scene.indexed_units());
        pages.extend(scene.indexed_tags());
        let files = crate::search::files(&pages.iter().collect::<Vec<_>>());
        let files = files.into_iter().map(|(path, text)| (path, legible_json(text)));
        (files.collect(), problems)
    });
    made.unwrap_or_else(|panicked| {
        (BTreeMap::new(), vec![Diagnostic::of_panic("search", &panicked)])
    })
}

/// The social card of a stored picture; `None` if that is damaged, which its figure reports.
pub(super) fn card(
    store: &Store,
    image: &crate::figure::Image,
    synthetic: bool,
) -> Option<Vec<u8>> {
    let bytes = store.blob(&image.digest)?;
    let picture = image::load_from_memory(&bytes).ok()?;
    Some(crate::picture::card::card(&picture, synthetic))
}
