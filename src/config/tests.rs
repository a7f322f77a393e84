//! Configurations, and what is wrong with them.

use neuronotes_core::model::{Activation, Given};

use super::*;
use crate::author::Author;

#[test]
fn a_whole_configuration() {
    let text = "title: A garden\nfooter: This line appears after every note.\nmodels:\n  emoji: { path: models/e.safetensors }\n\
                datasets:\n  emoji: data/emoji.tar\ndefaults: { model: emoji, dataset: emoji, seed: 7 }\ncontrols: { units: 2 }\ndevice: cuda:1\n";
    let (config, problems) = parse(text, Path::new("/garden"));
    assert_eq!(problems, []);
    let Place::File(source) = &config.models["emoji"].place else { panic!("a file") };
    assert_eq!(source.path, Path::new("/garden/models/e.safetensors"));
    assert_eq!(config.datasets["emoji"].paths, ["data/emoji.tar"]);
    let drawn = Drawn { units: 2, ..Drawn::default() };
    assert_eq!(config.controls, Controls::On(drawn));
    assert_eq!((config.defaults.seed, config.device.as_str()), (7, "cuda:1"));
}

#[test]
fn a_garden_says_where_its_notes_and_its_site_are_and_how_links_look() {
    let text = "notes: ./my/notes/\nurl: https://a.org/b/\nuse_html_extension: false\ndescription: All of it.\n";
    let (config, problems) = parse(text, Path::new("/garden"));
    assert_eq!(problems, []);
    assert_eq!(config.notes.as_deref(), Some("my/notes"));
    assert_eq!(config.url.as_deref(), Some("https://a.org/b"));
    assert!(!config.use_html_extension && !config.open_external_links_in_new_tab);
    assert_eq!(config.description.as_deref(), Some("All of it."));
    assert_eq!(parse("notes: .\n", Path::new("/garden")).0.notes.as_deref(), Some(""));
    let (base, _) = parse_jekyll("title: Theirs\nopen_external_links_in_new_tab: true\n");
    let (config, _) = parse_over(base, "title: Ours\n", Path::new("/garden"));
    assert_eq!(config.title, "Ours");
    assert!(config.open_external_links_in_new_tab, "what it does not say stays");
}

#[test]
fn texts_are_as_they_are_written() {
    for text in ["yes", "off", "y", "007", "1.10", "0x10", "1e3", ".5", "1_000", "2024-01-01", "+5"]
    {
        let yaml = format!(
            "title: {text}\ndescription: {text}\nlanguage: {text}\nfooter: {text}\nnotes: {text}\nbibliography: {text}\n\
             models:\n  {text}: {{ path: {text} }}\n  other: {text}\ndatasets:\n  {text}: [{text}, null]\n  one: {text}\n\
             defaults: {{ model: {text}, dataset: {text} }}\nmath: {{ macros: {{ R: {text}, S: [{text}, 1, {text}] }} }}\n"
        );
        let (config, problems) = parse(&yaml, Path::new("/garden"));
        assert_eq!(problems, [], "{yaml}");
        assert_eq!((&*config.title, &*config.language), (text, text));
        let (description, footer) = (config.description.as_deref(), config.footer.as_deref());
        assert_eq!(
            (description, footer, config.notes.as_deref()),
            (Some(text), Some(text), Some(text))
        );
        assert_eq!(config.bibliography.map(|source| source.written).as_deref(), Some(text));
        for name in [text, "other"] {
            let Place::File(source) = &config.models[name].place else { panic!("a file") };
            assert_eq!(source.written, text);
        }
        assert_eq!(config.datasets[text].paths, [text, "null"]);
        assert_eq!(config.datasets["one"].paths, [text]);
        let defaults = (config.defaults.model.as_deref(), config.defaults.dataset.as_deref());
        assert_eq!(defaults, (Some(text), Some(text)));
        let commands: Vec<_> =
            config.math.macros.iter().map(|it| (&*it.body, it.default.as_deref())).collect();
        assert_eq!(commands, [(text, None), (text, Some(text))]);
        let (theirs, _) =
            parse_jekyll(&format!("title: {text}\ndescription: {text}\npermalink: {text}\n"));
        assert_eq!((&*theirs.title, theirs.description.as_deref()), (text, Some(text)));
        assert_eq!(theirs.jekyll.and_then(|it| it.permalink).as_deref(), Some(text));
    }
}

#[test]
fn a_key_in_quotes_has_a_place_in_the_text() {
    for text in
        ["\"\\x00\\u672b末末末末末\": x", "'a''b末末': x", "\"\\U0001F416🐖🐖\\\n x\":\n  y"]
    {
        for problem in parse(text, Path::new("/garden")).1 {
            assert!(text.get(problem.span.clone()).is_some(), "{problem:?}");
        }
    }
}

#[test]
fn weights_with_an_unreadable_digest_are_not_used_unchecked() {
    let (config, problems) = parse("models:\n  a: { path: m, sha256: 12 }\n", Path::new("/garden"));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(config.models.is_empty());
}

#[test]
fn what_weights_do_not_say_can_be_said() {
    let text = "models:\n  a: { path: m, activation: gelu, mean: [0.5, 0.5, 1], deviation: [1, 1, 0.5] }\n  \
                RN50: {}\n  b: m\n";
    let (config, problems) = parse(text, Path::new("/garden"));
    assert_eq!(problems, []);
    let given = |name: &str| config.models[name].given.clone();
    assert_eq!(given("a").activation, Some(Activation::Gelu));
    assert_eq!(given("a").mean, Some([0.5, 0.5, 1.0]));
    assert_eq!(given("a").deviation, Some([1.0, 1.0, 0.5]));
    // All models known by name are OpenAI's.
    assert_eq!(given("RN50").activation, Some(Activation::QuickGelu));
    assert_eq!(given("b"), Given::default());
}

#[test]
fn a_known_name_needs_no_path() {
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let text = format!(
        "models:\n  RN50x4: {{}}\n  emoji:\n  vit-b-32:\n  RN50: {{ path: a.pt, sha256: {digest} }}\n"
    );
    let (config, problems) = parse(&text, Path::new("/garden"));
    assert_eq!(problems, []);
    let named = |name: &str| match &config.models[name].place {
        Place::Known(known) => known.name,
        Place::Bundled(_) => "bundled",
        Place::File(source) => &source.written,
    };
    assert_eq!(named("emoji"), "bundled");
    assert_eq!((named("RN50x4"), named("vit-b-32"), named("RN50")), ("RN50x4", "ViT-B/32", "a.pt"));
    assert_eq!(config.models["RN50"].sha256.expect("a digest").to_string(), digest);
    let hint = parse("models:\n  RN5Ox4: {}\n", Path::new("/garden")).1.remove(0).hint;
    assert_eq!(hint.expect("a hint").split('`').nth(1), Some("RN50x4"));
}

#[test]
fn every_mistake_has_its_place_and_a_hint() {
    let all: Vec<String> = [
        "titel: x\n",
        "notes: ../elsewhere\n",
        "url: example.org\n",
        "use_html_extension: maybe\n",
        "device: gpu\n",
        "models:\n  a: {}\n",
        "models:\n  RN50x3: {}\n",
        "models:\n  RN50x4: { path: }\n",
        "models:\n  RN50x4: [a]\n",
        "models:\n  RN50x4: { sha256: 12 }\n",
        "models:\n  a: { path: m, activation: relu, mean: [1, 2], deviation: [0, 0, 0] }\n",
        "datasets:\n  RN50x4: {}\n",
        "models:\n  a: ../../weights\n",
        "models:\n  emoji: m\ndefaults: {model: emojis}\n",
        "defaults: {seed: -1}\n",
        "defaults: {control: true}\n",
        "defaults: {sed: 1}\n",
        "models: [\n",
        "- a\n",
    ]
    .iter()
    .flat_map(|text| parse(text, Path::new("/garden")).1)
    .map(|problem| problem.to_string())
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn authors_and_a_licence_are_read_and_what_is_wrong_with_one_leaves_the_others() {
    let text = "authors:\n  - Ada Lovelace\n  - { name: \"Goh, Gabriel\", orcid: \"https://orcid.org/0000-0002-1825-0097\", \
                affiliation: OpenAI, url: https://a.org/ }\nlicense: CC-BY-4.0\n";
    let (config, problems) = parse(text, Path::new("/garden"));
    assert_eq!(problems, []);
    assert_eq!(config.authors[0], Author::named("Ada Lovelace"));
    let second = &config.authors[1];
    assert_eq!(second.orcid.as_deref(), Some("0000-0002-1825-0097"));
    assert_eq!(
        (second.affiliation.as_deref(), second.url.as_deref()),
        (Some("OpenAI"), Some("https://a.org"))
    );
    assert_eq!(config.license.map(|license| license.terms.len()), Some(1));
    assert_eq!(parse("authors: Ada\n", Path::new("/garden")).0.authors, [Author::named("Ada")]);
    let wrong = "authors:\n  - { orcid: 1 }\n  - { name: Ada, orcid: 0000-0002-1825-0098, web: x }\n  - []\nlicense: CC-BY\n";
    let (config, problems) = parse(wrong, Path::new("/garden"));
    assert_eq!(config.authors, [Author::named("Ada")]);
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"));
}
