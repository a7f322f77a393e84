//! Directions in the space of a layer's units, or of embeddings: terms as `neuronotes_core::kind::direction` has them in;
//! a unit vector out, in double precision, with the pictures that it is made of.

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::Origin;
use neuronotes_core::kind::direction::{Source, Term};
use neuronotes_core::model::{Layer, Stage};
use tch::Kind;

use crate::batch::Batch;
use crate::clip::Clip;
use crate::clip::activations::by_unit;
use crate::clip::preprocess::prepare;
use crate::dataset::drawn_words;
use crate::failure::Failure;
use crate::picture::Picture;
use crate::table::check_unit;
use crate::vector::{Prompts, Row, add, mean, stored_mean, unit};
use crate::workbench::Workbench;

/// A picture that a term is made of.
pub(super) struct Seen<'a> {
    /// What it shows.
    pub picture: &'a Picture,
    /// The word that it was drawn of.
    pub word: Option<&'a str>,
    /// Of its file.
    pub digest: Option<Digest>,
    /// Where it is from, where another figure holds it.
    pub origin: Option<Origin>,
}

/// Is shown each picture that a direction is made of.
pub(super) type Show<'a> = dyn FnMut(&mut Workbench<'_>, &Seen<'_>) -> Result<(), Failure> + 'a;

/// The direction of a sum of terms. Texts are read as they stand.
pub(super) fn of_terms(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    layer: &Layer,
    terms: &[Term],
) -> Result<Row, Failure> {
    let templates = ["{}".to_owned()];
    let prompts = Prompts { templates: &templates, truncate: false };
    let mut sum = vec![0.0; layer.units as usize];
    for term in terms {
        let row = match &term.of {
            Source::Text(text) if layer.stage == Stage::Embedding => {
                prompts.encode(clip, &[std::slice::from_ref(text)], bench.monitor)?.remove(0)
            }
            source => of_source(bench, clip, layer, source, &mut |_, _| Ok(()))?,
        };
        add(&mut sum, &row, term.weight);
    }
    unit(sum, "the sum")
}

/// The direction of a term that is not read.
pub(super) fn of_source(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    layer: &Layer,
    source: &Source,
    show: &mut Show<'_>,
) -> Result<Row, Failure> {
    let name = &layer.name.canonical;
    let mut found = Vec::new();
    match source {
        Source::Text(text) => {
            let message = format!("the text `{text}` has no direction at `{name}`");
            return Err(Failure::new(message).hint("leave `layer` out: texts are embedded"));
        }
        Source::Units(units) => {
            let mut row = vec![0.0; layer.units as usize];
            for &(of, weight) in units {
                check_unit(name, row.len(), of)?;
                row[of as usize] += weight;
            }
            return unit(row, "the sum of units");
        }
        Source::Dataset(digest) => {
            let dataset = bench.named_dataset(digest)?;
            let at = (layer.stage != Stage::Embedding).then_some(name.as_str());
            let shards = bench.embeddings(dataset, at)?;
            return stored_mean(&shards, &format!("the mean of `{}`", dataset.name));
        }
        Source::Images(digests) => {
            for digest in digests {
                let digest = digest_of(digest)?;
                let picture = bench.picture(digest)?;
                show(
                    bench,
                    &Seen { picture: &picture, word: None, digest: Some(digest), origin: None },
                )?;
                found.push(picture);
            }
        }
        Source::Use(keys) => {
            for key in keys {
                for (origin, picture) in bench.figure(digest_of(key)?)? {
                    let origin = Some(origin);
                    show(bench, &Seen { picture: &picture, word: None, digest: None, origin })?;
                    found.push(picture);
                }
            }
        }
        Source::Words(words) => {
            let side = clip.architecture.image_size;
            let shard = drawn_words(words, side);
            for (row, word) in words.iter().enumerate() {
                let cannot = |why| Failure::new(format!("`{word}` cannot be drawn ({why})"));
                let picture = shard.picture(row).map_err(cannot)?;
                show(
                    bench,
                    &Seen { picture: &picture, word: Some(word), digest: None, origin: None },
                )?;
                found.push(picture);
            }
        }
    }
    mean(&pictures(bench, clip, layer.stage, &found)?, "a mean of pictures")
}

fn digest_of(text: &str) -> Result<Digest, Failure> {
    let malformed = |why: String| Failure::new(format!("the parameters are malformed ({why})"));
    text.parse().map_err(malformed)
}

/// A unit vector for each picture: its activations averaged over positions.
fn pictures(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    stage: Stage,
    pictures: &[Picture],
) -> Result<Vec<Row>, Failure> {
    let side = clip.architecture.image_size;
    let mut all = Vec::new();
    Batch::on(clip.device).halved(bench.monitor.halves()).run(pictures.len(), |range| {
        bench.monitor.check()?;
        let mut pixels = Vec::new();
        for picture in &pictures[range.clone()] {
            let shown = prepare(picture.clone(), side);
            pixels.extend(shown.map_err(Failure::new)?.into_raw());
        }
        let input = clip.input(&pixels, range.len())?;
        let found = tch::no_grad(|| {
            let found = clip.look(&input, &[stage])?;
            let layer = by_unit(found.get(stage)?); // [n, units, positions]
            let rows = layer.mean_dim([2i64].as_slice(), false, Kind::Double); // [n, units]
            Ok::<_, Failure>(Vec::<Vec<f64>>::try_from(rows)?)
        })?;
        let found = found.into_iter().map(|row| unit(row, "a picture"));
        all.extend(found.collect::<Result<Vec<_>, _>>()?);
        Ok(())
    })?;
    Ok(all)
}
