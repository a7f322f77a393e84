//! An analysis block: YAML, and the requests that it makes to the lab.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use neuronotes::config::{self, Config};
use neuronotes::note::Note;
use neuronotes::plan::{Plans, Wanted};
use neuronotes_core::files::FileDigests;
use neuronotes_core::request::Request;

use super::text;
use crate::check;

pub const WORDS: &[&str] = &[
    "kind: feature_vis\n",
    "kind: dataset_examples\n",
    "kind: activation_histogram\n",
    "kind: zero_shot\n",
    "kind: text_rank\n",
    "kind: facet\n",
    "id: ",
    "layer: ",
    "image_block_4/2/Relu",
    "visual.layer4",
    "unit: ",
    "units: ",
    "[0, 1, 2]",
    "sweep: ",
    "{unit: [1, 2], recipe: [draft, sharp]}",
    "model: emoji\n",
    "dataset: ",
    "emoji",
    "words",
    "texts: [",
    "templates: [\"a {}\"]",
    "classes: {a: b, c: [d, e]}",
    "pictures: [a.png]",
    "negatives: ",
    "positives: ",
    "direction: ",
    "[{text: a, weight: -1}]",
    "facet: ",
    "strength: ",
    "recipe: draft\n",
    "seed: ",
    "steps: ",
    "size: ",
    "count: ",
    "order: ",
    "top",
    "bottom",
    "log: true\n",
    "caption: \"",
    "`= vis.unit`",
    "[[b]]",
    "$x$",
    "^[n]",
    "alt: ",
    "width: ",
    "precision: bf16\n",
    "expect: ",
    "expect:\n  - ",
    "activation > 3",
    "all top[:8].label in [\"a\"]",
    "{that: \"unit == 5\", claim: ^a, else: warn}",
    "batch: ",
    "diversity: ",
    "~",
    "null",
    "yes",
    "no",
    "007",
    "1.10",
    "1e3",
    ".inf",
    ".nan",
    "-0.0",
    "9223372036854775808",
    "0x7f",
    "1..10",
    "0..64 step 8",
    "..",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!binary ",
    "|\n  ",
    "? ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    ": ",
    "# ",
    "\t",
    "\r\n",
    "```\n",
    "\u{0}",
    "\u{feff}",
    "末",
    "/etc/passwd",
    "../a.png",
    "a/../../b",
];

/// A garden with a model and data on disk.
struct Garden {
    root: PathBuf,
    config: Config,
    plans: Plans,
    digests: FileDigests,
}

/// The garden, created once, so that weights are read once too.
fn garden() -> &'static Mutex<Garden> {
    static GARDEN: OnceLock<Mutex<Garden>> = OnceLock::new();
    GARDEN.get_or_init(|| {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let picture = include_bytes!("../../corpus/picture/png");
        std::fs::write(folder.join("a.png"), picture).expect("a picture");
        std::fs::write(folder.join("words.txt"), "cat\nempty set\nno\n").expect("a list of words");
        let text = format!(
            "models:\n  emoji: {{ path: \"{0}/models/emoji-clip.safetensors\" }}\ndatasets:\n  emoji: {{ path: \"{0}/data/attacks.tar\" }}\n  \
             words: {{ path: words.txt }}\ndefaults: {{ model: emoji, dataset: emoji }}\n",
            repository.display()
        );
        let (config, problems) = config::parse(&text, &folder);
        assert_eq!(problems, []);
        Mutex::new(Garden {
            root: folder,
            config,
            plans: Plans::default(),
            digests: FileDigests::default(),
        })
    })
}

pub fn block(input: &[u8]) {
    let source = format!(
        "```yaml analysis\n{}\n```\n\n```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/0/Relu\nunit: 1\n```\n",
        text(input)
    );
    let note = Arc::new(Note::parse("a.md", "notes/a.md", &source));
    check::problems(&source, note.all_problems());
    for block in &note.blocks {
        check::place(&source, &block.span, &block.id);
        for name in block.fields.all().keys() {
            let field = block.fields.get(name);
            for place in
                field.into_iter().flat_map(|field| field.places.values().chain([&field.span]))
            {
                check::place(&source, place, name);
            }
        }
    }
    let mut garden = garden().lock().unwrap_or_else(PoisonError::into_inner);
    let Garden { root, config, plans, digests } = &mut *garden;
    let planned = plans.plan(&[Arc::clone(&note)], true, root, config, digests);
    assert_eq!(planned.wanted(0).len(), note.blocks.len(), "a plan for each block");
    for (block, wanted) in note.blocks.iter().zip(planned.wanted(0)) {
        if let Wanted::Nothing(problems) = wanted {
            check::problems(&source, problems);
            assert!(
                !block.is_sound() || !problems.is_empty(),
                "nothing is wanted, and nothing said: {block:?}"
            );
        }
    }
    for measurement in planned.measurements() {
        let request = &*measurement.request;
        assert_eq!(request.key(), measurement.key);
        let line = serde_json::to_string(request).expect("a request is plain data");
        let read: Request =
            serde_json::from_str(&line).expect("a request is read as it was written");
        assert_eq!(&read, request);
        assert_eq!(read.key(), measurement.key, "{line}");
    }
}
