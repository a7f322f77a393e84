//! Visualisations of every target, by the names that a note gives them.

use std::fs;

use neuronotes_core::kind::feature_vis::Outcome;
use neuronotes_core::store::{Record, Store};

use crate::common::{Garden, files};
use crate::{LAYER, garden};

fn made(more: &str) -> String {
    format!("```yaml analysis\nkind: feature_vis\nsize: 48\nsteps: 3\n{more}```\n\n")
}

/// The stored visualisations.
fn records(garden: &Garden) -> Vec<(Record, Outcome)> {
    let store = Store::open(&garden.path(".neuronotes/store")).expect("a store");
    let stored = files(&garden.path(".neuronotes/store/v1/records"));
    let name = |path: &String| {
        std::path::Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned())
    };
    let keys = stored.keys().filter_map(name).map(|key| key.parse().expect("a key"));
    let all = keys.map(|key| store.record(&key).expect("a record"));
    all.filter(|record: &Record| record.kind == "feature_vis")
        .map(|record| {
            let outcome = record.result(&store).expect("a result");
            (record, outcome)
        })
        .collect()
}

#[test]
fn every_target_is_measured_as_a_note_asks_for_it() {
    let garden = garden();
    let config = garden.read("neuronotes.yaml");
    garden
        .write("words.txt", &"one two three four five six seven eight nine ten".replace(' ', "\n"));
    let words = config.replace("datasets:\n", "datasets:\n  words: words.txt\n");
    garden.write("neuronotes.yaml", &words);
    // Ten of each are the least.
    for number in 0..6 {
        let path = garden.path(&format!("data/{number}.png"));
        image::RgbImage::from_pixel(96, 96, image::Rgb([number * 40, 90, 30]))
            .save(path)
            .expect("a picture");
    }
    garden.note("b.md", "# Another note\n\nText.\n");
    fs::copy(garden.path("data/red.png"), garden.path("notes/red.png")).expect("a copy");
    let at = format!("layer: {LAYER}\n");
    let blocks = [
        made(&format!("{at}unit: 3\n")),
        made(&format!("{at}unit: 3\nobjective: neuron\nsign: negative\n")),
        made(&format!("{at}units: {{3: 1, 7: -0.5}}\n")),
        made(&format!("{at}direction: {{images: [notes/red.png]}}\n")),
        made(&format!("{at}direction: {{dataset: emoji}}\n")),
        made("direction: {text: red heart}\n"),
        made(
            "direction: {sum: [{words: [heart], weight: 2}, {text: red, weight: -1}]}\ncosine_power: 2\n",
        ),
        made(&format!("{at}objective: layer\n")),
        made(&format!("{at}objective: caricature\nimage: notes/red.png\n")),
        made(&format!("{at}unit: 3\nstart: image\nimage: notes/red.png\n")),
        made(&format!("{at}unit: 3\nimages: 3\n")),
        "```yaml analysis\nid: word\nkind: facet\npositive: words\ngeneric: emoji\n```\n\n"
            .to_owned(),
        made(&format!("{at}unit: 3\nfacet: word\nimages: 2\n")),
        made(&format!("{at}unit: 3\nrecipe: maco\n")),
        made(&format!("{at}unit: 3\nrecipe: paper\n")),
        made(&format!("{at}unit: 3\nframes: 4\n")),
    ];
    garden.note("a.md", &format!("# A note\n\n{}", blocks.concat()));
    garden.built();
    let records = records(&garden);
    assert_eq!(records.len(), 15);
    for (record, outcome) in &records {
        assert_eq!(outcome.size, 48);
        let images = record.request["params"]["images"].as_u64().expect("a number") as usize;
        assert_eq!((outcome.images.len(), outcome.images[0].curve.len()), (images, 3));
    }
    let page = garden.page("a.html");
    for wanted in [
        "Feature visualisation of unit 3 of",
        ", minimised",
        "“red heart”",
        "whole layer",
        "Caricature of red.png",
        "with the facet word",
        "strength 0.1",
        "class=\"film-play\"",
        ".webp\"",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    assert_eq!(garden.output(), garden.clean_output());
}

#[test]
fn a_sweep_measures_what_is_new_in_it_and_a_large_picture_has_a_smaller_one() {
    let garden = garden();
    let sweep = |units: &str| {
        let layer = format!("layer: {LAYER}\nsweep: {{unit: {units}}}\n");
        garden.note("a.md", &format!("# A note\n\n{}", made(&layer)));
        garden.build().summary()
    };
    let first = sweep("[1, 2, 3]");
    assert!(first.contains("3 figures measured, 0 stored"), "{first}");
    let second = sweep("[1, 2, 4, 3]");
    assert!(second.contains("1 figure measured, 3 stored"), "{second}");
    let page = garden.page("a.html");
    let places: Vec<usize> = [1, 2, 4, 3]
        .iter()
        .map(|unit| page.find(&format!(">unit {unit}</a></span>")).expect("a cell"))
        .collect();
    assert!(places.is_sorted(), "in the order of the sweep: {places:?}");

    // Each is the picture that it is by itself.
    let alone = made(&format!("layer: {LAYER}\nunit: 4\n"));
    garden.note("b.md", &format!("# Another note\n\n{alone}"));
    assert!(garden.build().summary().contains("0 figures measured"));
    fs::remove_dir_all(garden.path(".neuronotes")).expect("removed");
    garden.remove("notes/a.md");
    let before = garden.output();
    assert!(garden.build().summary().contains("1 figure measured"));
    let after = garden.output();
    let picture = after.keys().find(|name| name.ends_with(".png")).expect("a picture");
    assert_eq!(before.get(picture), after.get(picture));

    let large = "```yaml analysis\nkind: feature_vis\nlayer: image_block_1/0/Relu_2\nunit: 1\nsize: 700\nsteps: 1\n```\n";
    garden.note("b.md", &format!("# Another note\n\n{large}"));
    garden.built();
    let page = garden.page("b.html");
    // The link leads to the large one.
    let shown = page.split("class=\"zoom\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
    assert!(shown.is_some_and(|href| href.ends_with(".png")), "{page}");
    assert!(page.contains(".webp\"") && page.contains("width=\"640\""), "{page}");
    // Lists show a small copy of it, in fewer bytes.
    for list in ["index.html", "units.html"] {
        let page = garden.page(list);
        let shown = page.split("class=\"card-picture\" src=\"").nth(1);
        let shown = shown.and_then(|rest| rest.split('"').next()).expect("a picture");
        let small = garden.path("output").join(shown);
        assert!(shown.starts_with("figures/smaller/"), "{list}: {shown}");
        assert_eq!(image::image_dimensions(&small).expect("a picture"), (104, 104));
        assert!(fs::metadata(&small).expect("a file").len() < 20_000, "{list}");
    }
}

#[test]
fn published_facets_are_read_from_their_files() {
    let garden = garden();
    garden.note(
        "a.md",
        &format!(
            "# A note\n\n```yaml analysis\nid: face\nkind: facet\nweights: facets\n```\n\n{}",
            made(&format!("layer: {LAYER}\nunit: 3\nfacet: face\n"))
        ),
    );
    // As `numpy.save` writes an array (1, 384, 6, 6) of f4.
    let file = |units: usize| {
        let header =
            format!("{{'descr': '<f4', 'fortran_order': False, 'shape': (1, {units}, 6, 6), }}");
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(format!("{header:<117}\n").bytes());
        bytes.extend((0..units * 36).flat_map(|at| ((at % 7) as f32 - 3.0).to_le_bytes()));
        bytes
    };
    let write = |block: u32, units: usize| {
        let folder = garden.path(&format!("facets/image_block_3/{block}/Relu_2"));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("face_spatial.npy"), file(units)).expect("a file");
    };
    write(0, 384);
    write(1, 384);
    let run = garden.built();
    assert!(run.summary().contains("2 figures measured"), "{}", run.summary());
    assert!(garden.page("a.html").contains("published weights at 2 layers"));

    // Weights of another network are an error at the facet, and at what leans on it.
    write(1, 100);
    let run = garden.build();
    assert_eq!(run.code(), 1);
    assert!(
        run.stderr().contains("has 100 units, and `visual.layer3.1` has 384"),
        "{}",
        run.stderr()
    );
}
