//! Lines of a probe as directions, and attacks against the probe, from a garden's blocks to stored results.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::dataset::Sample;
use neuronotes_core::kind::{attack, dataset_examples, direction, feature_vis, probe, scan};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use neuronotes_lab::monitor::Silent;
use safetensors::SafeTensors;

use crate::support::{repository, scanned, session};

/// The last block of the network's pictures.
pub(crate) const LAYER: &str = "layer: image_block_4/1/Add_6\n";
/// The classes of the data set: things under a note with another thing's name.
const NAMES: &str =
    "[bicycle, castle, cat, guitar, octopus, pineapple, pizza, red apple, rocket, umbrella]";

/// The requests of these blocks over the pictures of ten things, by id.
pub(crate) fn requests(garden: &Path, blocks: &[&str]) -> BTreeMap<String, Request> {
    let path = |name: &str| repository(name).canonicalize().expect("a file").display().to_string();
    let (model, data) = (path("models/emoji-clip.safetensors"), path("data/attacks.tar"));
    let parts = path("models/emoji-parts.safetensors");
    let config = format!(
        "models:\n  emoji: {{ path: {model} }}\ndatasets:\n  things: {{ path: {data} }}\n\
         dictionaries:\n  parts: {{ path: {parts}, layer: image_block_4/1/Relu_2 }}\n\
         defaults: {{ model: emoji, dataset: things }}\n"
    );
    planned(garden, &config, blocks)
}

/// The requests of these blocks in a garden of this configuration, by id.
pub(crate) fn planned(garden: &Path, config: &str, blocks: &[&str]) -> BTreeMap<String, Request> {
    fs::create_dir_all(garden.join("notes")).expect("a folder");
    fs::write(garden.join("neuronotes.yaml"), config).expect("a file");
    let text: String =
        blocks.iter().map(|block| format!("```yaml analysis\n{block}```\n\n")).collect();
    fs::write(garden.join("notes/a.md"), text).expect("a file");
    let mut workspace = Workspace::open(garden).expect("a garden");
    let plan = site::wishes(&mut workspace).plan;
    let all = plan.wanted(0).iter().zip(blocks).map(|(wanted, block)| {
        let id = block.lines().next().and_then(|line| line.strip_prefix("id: ")).expect("an id");
        let measurement = wanted
            .measurements()
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("{block} {wanted:?}"));
        (id.to_owned(), (*measurement.request).clone())
    });
    all.collect()
}

/// The numbers of a tensor in single or half precision.
pub(crate) fn numbers(
    store: &Store,
    record: &Record,
    file: &str,
    tensor: &str,
) -> (Vec<usize>, Vec<f64>) {
    let bytes = store.blob(&record.outputs[file].digest).expect("a blob");
    let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
    let view = tensors.tensor(tensor).expect("a tensor");
    let numbers = match view.dtype() {
        safetensors::Dtype::F32 => {
            let (numbers, _) = view.data().as_chunks::<4>();
            numbers.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect()
        }
        _ => {
            let (numbers, _) = view.data().as_chunks::<2>();
            numbers.iter().map(|bytes| half::f16::from_le_bytes(*bytes).to_f64()).collect()
        }
    };
    (view.shape().to_vec(), numbers)
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Everything that is stored of a probe.
struct Stored {
    units: usize,
    weights: Vec<f64>,
    bias: Vec<f64>,
    mean: Vec<f64>,
    sd: Vec<f64>,
    outcome: probe::Outcome,
}

impl Stored {
    fn of(store: &Store, record: &Record) -> Self {
        let read = |name: &str| numbers(store, record, probe::WEIGHTS, name);
        let (shape, weights) = read("weights");
        let outcome = record.result(store).expect("an outcome");
        let [bias, mean, sd] = ["bias", "mean", "sd"].map(|name| read(name).1);
        Self { units: shape[1], weights, bias, mean, sd, outcome }
    }

    fn class(&self, name: &str) -> usize {
        self.outcome.classes.iter().position(|line| line.label == name).expect("a class")
    }

    /// A class's weights, each over the deviation of its unit.
    fn line(&self, class: usize) -> Vec<f64> {
        let weights = &self.weights[class * self.units..(class + 1) * self.units];
        weights.iter().zip(&self.sd).map(|(w, sd)| if *sd > 0.0 { w / sd } else { 0.0 }).collect()
    }

    /// The most probable class for a row of a scan.
    fn answer(&self, row: &[f64]) -> usize {
        let logit = |class: usize| {
            let moved: Vec<f64> = row.iter().zip(&self.mean).map(|(x, mean)| x - mean).collect();
            self.bias[class] + moved.iter().zip(self.line(class)).map(|(a, b)| a * b).sum::<f64>()
        };
        (0..self.bias.len()).max_by(|a, b| logit(*a).total_cmp(&logit(*b))).expect("a class")
    }
}

#[test]
fn a_line_of_a_probe_is_a_direction_that_other_blocks_can_take() {
    let dir = tempfile::tempdir().expect("a folder");
    let layer = |block: &str| format!("{block}{LAYER}");
    let blocks = [
        layer("id: things\nkind: probe\n"),
        layer("id: cat\nkind: direction\nprobe: things\nclass: cat\n"),
        layer("id: against\nkind: direction\nprobe: things\nclass: Cat\nagainst: castle\n"),
        layer("id: least\nkind: direction\nprobe: things\nclass: cat\nwithout: [{ units: [3] }]\n"),
        layer("id: cats\nkind: dataset_examples\ntarget: cat\ntop: 5\n"),
        layer("id: seen\nkind: feature_vis\ntarget: cat\nsize: 48\nsteps: 4\n"),
    ];
    let requests = requests(dir.path(), &blocks.each_ref().map(|block| block.as_str()));
    let session = session(dir.path());
    let measured = |id: &str| session.measure(&requests[id], &mut Silent).expect(id);
    let store = session.store();
    let stored = Stored::of(store, &measured("things"));
    let vector = |id: &str| {
        let record = measured(id);
        let outcome: direction::Outcome = record.result(store).expect("an outcome");
        (numbers(store, &record, direction::FILE, direction::VECTOR).1, outcome)
    };
    let (cat, castle) = (stored.line(stored.class("cat")), stored.line(stored.class("castle")));
    let (found, outcome) = vector("cat");
    assert!((cosine(&found, &cat) - 1.0).abs() < 1e-9, "{}", cosine(&found, &cat));
    let length = cat.iter().map(|x| x * x).sum::<f64>().sqrt();
    assert!((outcome.norm - length).abs() < 1e-6 * length, "{} {length}", outcome.norm);
    let groups = outcome.groups.expect("groups");
    let class = &stored.outcome.classes[stored.class("cat")];
    assert_eq!(groups.positive, (class.train, class.of));
    let others = |side: fn(&probe::Score) -> u64, own: u64| {
        side(match own == class.train {
            true => &stored.outcome.train,
            false => &stored.outcome.held_out,
        }) - own
    };
    let of = |score: &probe::Score| score.of;
    assert_eq!(groups.negative, (others(of, class.train), others(of, class.of)));
    assert!(groups.auc_train > 0.99 && groups.auc.is_some_and(|auc| auc > 0.5), "{groups:?}");

    let (found, outcome) = vector("against");
    let less: Vec<f64> = cat.iter().zip(&castle).map(|(a, b)| a - b).collect();
    assert!((cosine(&found, &less) - 1.0).abs() < 1e-9);
    let other = &stored.outcome.classes[stored.class("castle")];
    assert_eq!(outcome.groups.expect("groups").negative, (other.train, other.of));

    let (found, outcome) = vector("least");
    assert!(found[3].abs() < 1e-7 && outcome.left.is_some_and(|left| left < 1.0));

    // Its strongest pictures are of its class: nine of the ninety.
    let examples: dataset_examples::Outcome = measured("cats").result(store).expect("examples");
    let labels = examples.top.iter().map(|example| example.label.as_deref());
    assert!(labels.clone().filter(|label| *label == Some("cat")).count() >= 4, "{examples:?}");
    assert!(!measured("seen").outputs.is_empty());
}

#[test]
fn directions_of_features_are_sums_of_what_a_scan_has_of_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let vis = |id: &str, more: &str| {
        format!("id: {id}\nkind: feature_vis\nlayer: parts\nsize: 48\nsteps: 3\n{more}")
    };
    let blocks = [
        "id: cat\nkind: direction\nlayer: parts\npositive: { labels: [cat] }\nheld_out: 0\n".to_owned(),
        "id: drawn\nkind: direction\nlayer: parts\npositive: { words: [cat, wolf] }\nnegative: { words: [pizza, tea] }\nheld_out: 0\n".to_owned(),
        "id: cats\nkind: dataset_examples\nlayer: parts\ntarget: cat\ntop: 3\n".to_owned(),
        "id: sum\nkind: dataset_examples\nlayer: parts\nunits: { 5: 2, 3: -1 }\ntop: 1\n".to_owned(),
        "id: what\nkind: concept\nlayer: parts\npositive: { labels: [cat] }\ncontrols: [drawn]\n".to_owned(),
        vis("unit", "unit: 5\n"),
        vis("units", "units: [5]\n"),
        vis("seen", "target: cat\n"),
    ];
    let requests = requests(dir.path(), &blocks.each_ref().map(|block| block.as_str()));
    let session = session(dir.path());
    let measured = |id: &str| session.measure(&requests[id], &mut Silent).expect(id);
    let store = session.store();
    let record = measured("cat");
    let scan = requests["cat"].uses.iter().find(|used| used.kind == scan::NAME);
    let scanned_record = session.measure(scan.expect("a scan"), &mut Silent).expect("a scan");
    let (rows, units) = scanned(store, &scanned_record, "mean");
    let rows: Vec<&[f64]> = rows.chunks_exact(units).collect();
    let dataset = requests["cat"].dataset.as_ref().expect("a data set");
    let shard = &dataset.shards[0];
    let listed = neuronotes_core::dataset::list(&shard.path, dataset.format, &dataset.reading());
    let samples: Vec<Sample> = listed.expect("samples").samples;
    let mean = |cats: bool| -> Vec<f64> {
        let all = rows.iter().zip(&samples);
        let all = all.filter(|(_, sample)| (sample.label.as_deref() == Some("cat")) == cats);
        let all: Vec<&[f64]> = all.map(|(row, _)| *row).collect();
        (0..units)
            .map(|unit| all.iter().map(|row| row[unit]).sum::<f64>() / all.len() as f64)
            .collect()
    };
    let difference: Vec<f64> = mean(true).iter().zip(mean(false)).map(|(a, b)| a - b).collect();
    let (shape, vector) = numbers(store, &record, direction::FILE, direction::VECTOR);
    assert_eq!(shape, [64], "the features of the dictionary");
    assert!((cosine(&vector, &difference) - 1.0).abs() < 1e-9);

    // The strongest picture along a direction is the one with the greatest product.
    let along = |id: &str, direction: &[f64]| {
        let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        let products = rows.iter().map(|row| row.iter().zip(direction).map(|(a, b)| a * b).sum());
        let most = products.fold(f64::NEG_INFINITY, |most: f64, one: f64| most.max(one)) / length;
        let outcome: dataset_examples::Outcome = measured(id).result(store).expect("examples");
        let found = outcome.top[0].activation;
        assert!((found - most).abs() < 1e-3 * most.abs(), "{id}: {found} {most}");
    };
    along("cats", &difference);
    let mut sum = vec![0.0; 64];
    (sum[5], sum[3]) = (2.0, -1.0);
    along("sum", &sum);
    assert!(!measured("drawn").outputs.is_empty() && !measured("what").outputs.is_empty());

    // A sum of one feature is that feature.
    let made = |id: &str| -> feature_vis::Outcome { measured(id).result(store).expect("pictures") };
    let (unit, units) = (made("unit"), made("units"));
    let [unit, units] = [&unit, &units].map(|made| made.images[0].activation);
    assert!((unit - units).abs() < 1e-3 * unit.abs().max(1.0), "{unit} {units}");
    let seen = &made("seen").images[0];
    assert!(seen.activation > seen.activation_at_start, "{seen:?}");
}

#[test]
fn an_attack_on_a_probe_counts_its_answers_beside_those_of_the_texts() {
    let dir = tempfile::tempdir().expect("a folder");
    let attack = |id: &str, more: &str| {
        format!(
            "id: {id}\nkind: attack\nclasses: {NAMES}\nattacks: [castle, pizza]\ntemplates: [\"{{}}\"]\n\
             size: 0.1\nexamples: 1\n{more}"
        )
    };
    let blocks = [
        format!("id: things\nkind: probe\n{LAYER}"),
        "id: features\nkind: probe\nlayer: parts\npool: max\n".to_owned(),
        attack("alone", ""),
        attack("both", "probe: things\n"),
        attack("parts", "probe: features\nimages: 20\n"),
    ];
    let requests = requests(dir.path(), &blocks.each_ref().map(|block| block.as_str()));
    let session = session(dir.path());
    let measured = |id: &str| session.measure(&requests[id], &mut Silent).expect(id);
    let store = session.store();
    let outcome = |id: &str| -> attack::Outcome { measured(id).result(store).expect("an outcome") };
    let (alone, both) = (outcome("alone"), outcome("both"));
    assert_eq!((alone.probe, both.count, both.of), (None, 90, 90));
    // Zero-shot classification does not depend on the probe.
    for (alone, both) in alone.attacks.iter().zip(&both.attacks) {
        assert_eq!((alone.changed_to, alone.neither), (both.changed_to, both.neither));
        assert!((alone.after - both.after).abs() < 1e-6);
        assert_eq!(alone.probe, None);
    }
    // Without a text the answers are those for the stored scan of the same pictures.
    let stored = Stored::of(store, &measured("things"));
    let things = &requests["things"];
    let scan = things.uses.iter().find(|used| used.kind == scan::NAME).expect("a scan");
    let scanned_record = session.measure(scan, &mut Silent).expect("a scan");
    let (rows, units) = scanned(store, &scanned_record, "mean");
    let answers: Vec<usize> = rows.chunks_exact(units).map(|row| stored.answer(row)).collect();
    let dataset = things.dataset.as_ref().expect("a data set");
    let shard = &dataset.shards[0];
    let listed = neuronotes_core::dataset::list(&shard.path, dataset.format, &dataset.reading());
    let samples: Vec<Sample> = listed.expect("samples").samples;
    let is = |answer: usize, label: &str| stored.outcome.classes[answer].label == label;
    let right = samples.iter().zip(&answers);
    let right =
        right.filter(|(sample, answer)| is(**answer, sample.label.as_deref().expect("one")));
    let probed = both.probe.expect("a probe");
    assert_eq!(probed.right, right.count() as u64);
    assert_eq!(probed.fitted, stored.outcome.train.of);
    for attack in &both.attacks {
        let probe = attack.probe.expect("answers");
        let of = [probe.changed_to, probe.already_equal, probe.changed_away, probe.neither];
        assert_eq!(of.iter().sum::<u64>(), 90, "{probe:?}");
        let before = answers.iter().filter(|answer| is(**answer, &attack.text)).count() as u64;
        assert_eq!(probe.already_equal + probe.changed_away, before);
        assert!(probe.before > 0.0 && probe.after < 1.0 && attack.examples[0].probe.is_some());
    }
    // A probe on features of a dictionary, which are pooled as they were.
    let parts = outcome("parts");
    assert!(parts.probe.is_some() && parts.attacks.iter().all(|attack| attack.probe.is_some()));
}
