//! Passes whose bits depend on no batch and on no number of threads.

use neuronotes_core::dataset::format;
use neuronotes_core::kind::scan;
use neuronotes_core::model::Stage;
use neuronotes_lab::clip::activations::by_unit;
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::pass::Pass;
use neuronotes_lab::picture::Picture;
use tch::Kind;

use crate::support::{
    dataset, emoji_weights, golden, load, model, picture, scans, session, shard, small_weights,
};

/// The bits of what a pass finds of some pictures, at a layer and at the embedding.
fn bits(weights: &std::path::Path, layer: &str, threads: i32, at_once: usize) -> Vec<u32> {
    tch::set_num_threads(threads);
    let clip = load(weights);
    let stages = [clip.layer(layer).expect("a layer").stage, Stage::Embedding];
    let pictures: Vec<Picture> = (0..17).map(|seed| picture(seed, 80 + seed, 90).into()).collect();
    let pass = Pass { steady: true, at_once: Some(at_once), ..Pass::new(&clip, &stages, "a test") };
    let mut found = Vec::new();
    pass.run_all(&pictures[..], &mut Silent, |_, activations| {
        let layer = by_unit(activations.get(stages[0])?);
        let mean = layer.mean_dim([2i64].as_slice(), false, Kind::Float);
        let embedding = activations.get(Stage::Embedding)?;
        for row in 0..mean.size()[0] {
            for table in [&mean, embedding] {
                found.extend(Vec::<f32>::try_from(table.get(row))?.iter().map(|x| x.to_bits()));
            }
        }
        Ok(())
    })
    .expect("a pass");
    found
}

#[test]
fn any_batch_and_any_number_of_threads_give_the_same_bits() {
    for (weights, layer) in [
        (small_weights(), "visual.layer4.0.add"),
        (golden("clip_vit/weights.safetensors"), "visual.transformer.resblocks.0"),
        (emoji_weights(), "visual.layer4.1.add"),
    ] {
        let expected = bits(&weights, layer, 1, 32);
        for (threads, at_once) in [(1, 1), (1, 7), (2, 1), (2, 7), (2, 32)] {
            let found = bits(&weights, layer, threads, at_once);
            let different = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
            assert!(
                found.len() == expected.len() && different == 0,
                "{layer}: {threads} threads, {at_once} at once: {different} of {} differ",
                expected.len()
            );
        }
    }
}

#[test]
fn a_scan_has_the_same_bytes_with_any_number_of_threads() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = shard(dir.path(), 20);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let request = scans(&model(&small_weights()), &data, "visual.relu1").remove(0);
    let outputs = [1, 2].map(|threads| {
        tch::set_num_threads(threads);
        let session = session(&dir.path().join(threads.to_string()));
        session.measure(&request, &mut Silent).expect("a scan").outputs
    });
    assert_eq!(outputs[0][scan::ACTIVATIONS], outputs[1][scan::ACTIVATIONS]);
    assert_eq!(outputs[0], outputs[1]);
}
