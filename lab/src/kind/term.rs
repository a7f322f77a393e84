//! Directions in the space of a layer's units, or of embeddings: terms as `neuronotes_core::kind::term` has them in;
//! a unit vector out, in double precision, with the pictures that it is made of.

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::spoiled::Spoiled;
use neuronotes_core::kind::term::{Source, Term};
use neuronotes_core::kind::{Kind, Origin, direction};
use neuronotes_core::store::{Record, Store};
use safetensors::{Dtype, SafeTensors};

use crate::clip::Clip;
use crate::dataset::drawn_words;
use crate::failure::Failure;
use crate::gallery::pictures_of;
use crate::picture::Picture;
use crate::readout::Readout;
use crate::table::{check_sound, check_unit, embeddings};
use crate::vector::{Prompts, Row, add, dot, mean, pictures_at, stored_mean, unit};
use crate::workbench::{Used, Workbench};

/// A picture that is part of a term.
pub(crate) struct TermPicture<'a> {
    /// The picture.
    pub picture: &'a Picture,
    /// The word that it shows, if it was drawn.
    pub word: Option<&'a str>,
    /// The digest of its file, if it is one.
    pub digest: Option<Digest>,
    /// The figure that it is from, if any.
    pub origin: Option<Origin>,
}

/// Called with each picture that is part of a direction.
pub(crate) type OnPicture<'a> =
    dyn FnMut(&mut Workbench<'_>, &TermPicture<'_>) -> Result<(), Failure> + 'a;

/// The vector that a block of the kind `direction` stores.
pub(crate) struct Stored(Row);

impl Used for Stored {
    const KIND: &'static Kind = &direction::KIND;

    fn read(store: &Store, record: &Record, _: &Clip) -> Result<Option<Self>, Failure> {
        let output = record.outputs.get(direction::FILE);
        let Some(bytes) = output.and_then(|output| store.blob(&output.digest)) else {
            return Ok(None);
        };
        let malformed = |why: &dyn std::fmt::Display| {
            Failure::new(format!(
                "the stored direction {} is malformed ({why})",
                record.key.short()
            ))
        };
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| malformed(&e))?;
        let view = tensors.tensor(direction::VECTOR).map_err(|e| malformed(&e))?;
        if view.dtype() != Dtype::F32 || view.shape().len() != 1 {
            return Err(malformed(&"it is not a vector in single precision"));
        }
        let number = |b: &[u8]| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let row = view.data().chunks_exact(4).map(number).collect();
        Ok(Some(Self(unit(row, "a stored direction")?)))
    }
}

/// Checks that no term names one of these units, which are left out.
///
/// # Errors
/// If one does: names the unit and the picture.
pub(crate) fn check_asked(place: &str, spoiled: &[Spoiled], terms: &[Term]) -> Result<(), Failure> {
    for term in terms {
        let Source::Units(units) = &term.of else { continue };
        for (unit, _) in units.iter().filter(|(_, weight)| *weight != 0.0) {
            check_sound(place, spoiled, *unit)?;
        }
    }
    Ok(())
}

/// A unit vector whose weights of these units, which are left out, are zero.
///
/// # Errors
/// If nothing else is left of it.
pub(crate) fn weightless(mut row: Row, spoiled: &[Spoiled], what: &str) -> Result<Row, Failure> {
    let mut weights = 0.0;
    for one in spoiled {
        weights += std::mem::take(&mut row[one.unit as usize]).abs();
    }
    match (weights == 0.0, dot(&row, &row) > 1e-18) {
        (true, _) => Ok(row),
        (false, true) => unit(row, what),
        (false, false) => {
            let first = &spoiled[0];
            let why = format!(
                "nothing is left of {what} without unit {}, which is {} for the picture `{}`",
                first.unit,
                first.said(),
                first.key
            );
            Err(Failure::new(why).hint("check that picture and the weights"))
        }
    }
}

/// The direction of a sum of terms. Texts are encoded without a template.
pub(crate) fn of_terms(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    at: &Readout,
    terms: &[Term],
) -> Result<Row, Failure> {
    unit(sum(bench, clip, at, terms)?, "the sum")
}

/// A sum of terms, which is not scaled to length 1. Texts are encoded without a template.
pub(crate) fn sum(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    at: &Readout,
    terms: &[Term],
) -> Result<Row, Failure> {
    let templates = ["{}".to_owned()];
    let prompts = Prompts { templates: &templates, truncate: false };
    let mut sum = vec![0.0; at.units()];
    for term in terms {
        let row = match &term.of {
            Source::Text(text) if at.is_scaled() => {
                prompts.encode(clip, &[std::slice::from_ref(text)], bench.monitor)?.remove(0)
            }
            source => of_source(bench, clip, at, source, &mut |_, _| Ok(()))?,
        };
        add(&mut sum, &row, term.weight);
    }
    Ok(sum)
}

/// The direction of a term other than a text.
pub(crate) fn of_source(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    at: &Readout,
    source: &Source,
    show: &mut OnPicture<'_>,
) -> Result<Row, Failure> {
    let name = at.name();
    let mut found = Vec::new();
    match source {
        Source::Text(text) => {
            let message = format!("the text `{text}` has no direction at `{name}`");
            return Err(Failure::new(message).hint("leave `layer` out: texts are embedded"));
        }
        Source::Units(units) => {
            let mut row = vec![0.0; at.units()];
            for &(of, weight) in units {
                check_unit(name, row.len(), of)?;
                row[of as usize] += weight;
            }
            return unit(row, "the sum of units");
        }
        Source::Target(key) => {
            let Stored(row) = bench.used_by_key(digest_of(key)?, clip)?;
            if row.len() != at.units() {
                let (its, ours) = (row.len(), at.units());
                let why = format!("the direction has {its} units, and `{name}` has {ours}");
                return Err(Failure::new(why));
            }
            return Ok(row);
        }
        Source::Dataset(digest) => {
            let dataset = bench.named_dataset(digest)?;
            let place = (!at.is_scaled()).then_some(&at.place);
            let shards = embeddings(bench, dataset, place)?;
            return stored_mean(&shards, &format!("the mean of `{}`", dataset.name));
        }
        Source::Images(digests) => {
            for digest in digests {
                let digest = digest_of(digest)?;
                let picture = bench.picture(digest)?;
                show(
                    bench,
                    &TermPicture {
                        picture: &picture,
                        word: None,
                        digest: Some(digest),
                        origin: None,
                    },
                )?;
                found.push(picture);
            }
        }
        Source::Use(keys) => {
            for key in keys {
                for (origin, picture) in pictures_of(bench, digest_of(key)?)? {
                    let origin = Some(origin);
                    show(
                        bench,
                        &TermPicture { picture: &picture, word: None, digest: None, origin },
                    )?;
                    found.push(picture);
                }
            }
        }
        Source::Words(words) => {
            let side = clip.architecture.image_size;
            let shard = drawn_words(words, side);
            for (row, word) in words.iter().enumerate() {
                let cannot = |why: String| Failure::undrawn(word, why);
                let picture = shard.picture(row).map_err(cannot)?;
                show(
                    bench,
                    &TermPicture {
                        picture: &picture,
                        word: Some(word),
                        digest: None,
                        origin: None,
                    },
                )?;
                found.push(picture);
            }
        }
    }
    let rows = pictures_at(clip, at, &found, false, bench.monitor)?;
    mean(&rows, "a mean of pictures")
}

fn digest_of(text: &str) -> Result<Digest, Failure> {
    let malformed = |why: String| Failure::new(format!("the parameters are malformed ({why})"));
    text.parse().map_err(malformed)
}
