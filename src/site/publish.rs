//! Every page and file that follows from a scene: those whose keys changed are made, on all cores.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Content;
use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::page::{Assets, Bare, Draft, Scene};
use crate::render::Renderer;
use crate::search::Indexed;
use crate::store::Store;
use crate::workspace::template_problem;

/// What was made.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// Every file by its path.
    pub(super) files: BTreeMap<String, Content>,
    /// Files that stand already as they should, with their keys.
    pub(super) kept: BTreeMap<String, Digest>,
    /// What is wrong with templates.
    pub(super) problems: Vec<Diagnostic>,
}

/// Whether a file of that path and key need not be made again.
type IsCurrent<'a> = &'a (dyn Fn(&str, Digest) -> bool + Sync);

/// What every page asks for, and the text of each; their names say their content.
pub(super) fn assets(renderer: &Renderer) -> (Assets, BTreeMap<String, String>) {
    let mut contents = BTreeMap::new();
    let mut asset = |name: &str| {
        let text = renderer.asset(name);
        let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
        let path = format!("{stem}-{}.{ending}", &Digest::of(text.as_bytes()).hex()[..8]);
        contents.insert(path.clone(), text);
        path
    };
    let assets = Assets {
        stylesheet: asset("style.css"),
        script: asset("garden.js"),
        find: asset("find.js"),
        graph: asset("graph.js"),
    };
    (assets, contents)
}

/// Makes all of them.
pub(super) fn all(
    scene: &Scene<'_>,
    renderer: &Renderer,
    store: &Store,
    is_current: IsCurrent<'_>,
    made: &mut Made,
) {
    let count = scene.notes.len();
    let notes: Vec<(Draft<'_>, Option<Content>)> = (0..count)
        .into_par_iter()
        .map(|index| {
            let draft = scene.note_draft(index);
            let content = page(&draft, renderer, is_current);
            (draft, content)
        })
        .collect();
    let shards: Vec<(String, Digest, Option<String>)> = scene
        .preview_shards()
        .into_par_iter()
        .map(|shard| {
            let key = scene.shard_key(&shard, &|note| notes[note].0.body_key);
            if is_current(&shard.path, key) {
                return (shard.path, key, None);
            }
            let mut body = |note: usize| notes[note].0.body(renderer)?.ok();
            let text = scene.shard(&shard, &mut body);
            (shard.path, key, Some(text))
        })
        .collect();
    for (path, key, text) in shards {
        made.put(path, key, text.map(|text| Content::Page { key, html: Ok(text) }));
    }
    for (draft, content) in notes {
        made.put(draft.path, draft.key, content);
    }
    let sheets: Vec<_> = scene.sheets().into_iter().collect();
    let sheets: Vec<(String, Digest, Option<Content>)> = sheets
        .into_par_iter()
        .map(|(path, sheet)| {
            let draft = scene.sheet_draft(&path, &sheet);
            let content = page(&draft, renderer, is_current);
            (path, draft.key, content)
        })
        .collect();
    for (path, key, content) in sheets {
        made.put(path, key, content);
    }
    let search = search(scene);
    made.files.extend(search.into_iter().map(|(path, text)| (path, Content::Bytes(text.into()))));
    for path in scene.bare_files() {
        let Some(bare) = scene.bare_file(&path) else { continue };
        let key = scene.bare_key(&path, &bare);
        let content = match bare {
            Bare::Text(text) => Some(Content::Bytes(text.into_bytes())),
            Bare::Card(..) if is_current(&path, key) => None,
            Bare::Card(image, synthetic) => match card(store, &image, synthetic) {
                Some(bytes) => Some(Content::Picture { key, bytes }),
                None => continue,
            },
        };
        made.put(path, key, content);
    }
}

/// The files of the search index.
pub(super) fn search(scene: &Scene<'_>) -> BTreeMap<String, String> {
    let order = scene.indexed_order();
    let mut pages: Vec<Indexed> =
        order.into_par_iter().map(|index| scene.indexed(index)).collect();
    pages.extend(scene.indexed_units());
    crate::search::files(&pages.iter().collect::<Vec<_>>()).into_iter().collect()
}

/// The social card of a stored picture; none where that is damaged, which its figure says.
pub(super) fn card(
    store: &Store,
    image: &crate::figure::Image,
    synthetic: bool,
) -> Option<Vec<u8>> {
    let bytes = store.blob(&image.digest)?;
    let picture = image::load_from_memory(&bytes).ok()?;
    Some(crate::card::card(&picture, synthetic))
}

/// A page, made where it is not current.
fn page(draft: &Draft<'_>, renderer: &Renderer, is_current: IsCurrent<'_>) -> Option<Content> {
    if is_current(&draft.path, draft.key) {
        return None;
    }
    let html = draft.render(renderer).map_err(|error| Box::new(template_problem(&error)));
    Some(Content::Page { key: draft.key, html })
}

impl Made {
    fn put(&mut self, path: String, key: Digest, content: Option<Content>) {
        let Some(content) = content else {
            self.kept.insert(path, key);
            return;
        };
        if let Content::Page { html: Err(problem), .. } = &content
            && !self.problems.contains(problem)
        {
            self.problems.push((**problem).clone());
        }
        self.files.insert(path, content);
    }
}
