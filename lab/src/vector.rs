//! Unit vectors in the space of embeddings: texts in their templates, pictures, and stored embeddings in; one
//! direction each out, in double precision.
//!
//! Ensembling is that of openai/CLIP's notebooks: embeddings of prompts are normalised, averaged, and normalised
//! again.

use neuronotes_core::kind::class::PLACE;
use neuronotes_core::tokenizer::Tokenizer;
use tch::{Kind, Tensor};

use crate::batch::Batch;
use crate::clip::Clip;
use crate::clip::preprocess::prepare;
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};
use crate::picture::Picture;
use crate::table::Embedded;

/// A vector.
pub(crate) type Row = Vec<f64>;

/// Texts as prompts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prompts<'a> {
    /// What the texts are put into.
    pub templates: &'a [String],
    /// Whether a prompt that is too long is cut.
    pub truncate: bool,
}

impl Prompts<'_> {
    /// A unit vector for each group of texts, each text in each template.
    pub(crate) fn encode(
        self,
        clip: &Clip,
        groups: &[&[String]],
        monitor: &mut dyn Monitor,
    ) -> Result<Vec<Row>, Failure> {
        let context = clip.context()?;
        let texts: Vec<(usize, &String)> = groups
            .iter()
            .enumerate()
            .flat_map(|(group, texts)| texts.iter().map(move |text| (group, text)))
            .collect();
        let mut sums = vec![vec![0.0; clip.architecture.embedding as usize]; groups.len()];
        let count = texts.len() * self.templates.len();
        let prompt = |at: usize| {
            let (group, text) = texts[at / self.templates.len()];
            (group, self.templates[at % self.templates.len()].replace(PLACE, text))
        };
        Batch::on(clip.device).halved(monitor.halves()).run(count, |range| {
            monitor.check()?;
            let end = range.end as u64;
            let prompts: Vec<(usize, String)> = range.map(prompt).collect();
            let tokens: Vec<Vec<u32>> = prompts
                .iter()
                .map(|(_, text)| self.tokens(text, context))
                .collect::<Result<_, _>>()?;
            let rows = rows(&tch::no_grad(|| clip.encode_texts(&tokens))?)?;
            for ((group, text), row) in prompts.iter().zip(rows) {
                let row = unit(row, &format!("the text `{text}`"))?;
                add(&mut sums[*group], &row, 1.0);
            }
            let progress = Progress {
                stage: "reading texts",
                step: end,
                total: count as u64,
                unit: "text",
                picture: None,
            };
            monitor.progress(&progress);
            Ok(())
        })?;
        sums.into_iter().map(|sum| unit(sum, "a mean of texts")).collect()
    }

    fn tokens(self, text: &str, context: usize) -> Result<Vec<u32>, Failure> {
        Tokenizer::clip().tokens(text, context, self.truncate).map_err(|long| {
            let message = format!(
                "the prompt `{text}` has {} tokens, but the model takes {context}",
                long.tokens
            );
            Failure::new(message).hint("`truncate: true` cuts what is too long")
        })
    }
}

/// A unit vector for each picture.
pub(crate) fn pictures(
    clip: &Clip,
    pictures: &[Picture],
    monitor: &mut dyn Monitor,
) -> Result<Vec<Row>, Failure> {
    let side = clip.architecture.image_size;
    let mut all = Vec::new();
    Batch::on(clip.device).halved(monitor.halves()).run(pictures.len(), |range| {
        monitor.check()?;
        let mut pixels = Vec::new();
        for picture in &pictures[range.clone()] {
            let shown = prepare(picture.clone(), side);
            pixels.extend(shown.map_err(Failure::new)?.into_raw());
        }
        let input = clip.input(&pixels, range.len())?;
        let found = rows(&tch::no_grad(|| clip.encode_images(&input))?)?;
        let found = found.into_iter().map(|row| unit(row, "a picture"));
        all.extend(found.collect::<Result<Vec<_>, _>>()?);
        Ok(())
    })?;
    Ok(all)
}

/// The direction of the mean of unit vectors.
pub(crate) fn mean(rows: &[Row], what: &str) -> Result<Row, Failure> {
    let mut sum = vec![0.0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        add(&mut sum, row, 1.0);
    }
    unit(sum, what)
}

/// The direction of the mean of a data set's embeddings, each normalised.
pub(crate) fn stored_mean(shards: &[Embedded], what: &str) -> Result<Row, Failure> {
    let mut sum = vec![0.0; shards.first().map_or(0, |shard| shard.columns)];
    for shard in shards {
        for row in shard.embeddings.chunks_exact(shard.columns.max(1)) {
            let row = unit(row.iter().map(|&x| f64::from(x)).collect(), what)?;
            add(&mut sum, &row, 1.0);
        }
    }
    unit(sum, what)
}

/// Adds a multiple of a vector.
pub(crate) fn add(sum: &mut [f64], row: &[f64], weight: f64) {
    for (sum, x) in sum.iter_mut().zip(row) {
        *sum += x * weight;
    }
}

/// The inner product.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A vector made one long; an error where nothing of it is left, as of a difference of equal things.
pub(crate) fn unit(mut row: Row, what: &str) -> Result<Row, Failure> {
    let length = dot(&row, &row).sqrt();
    if !(length.is_finite() && length > 1e-9) {
        return Err(Failure::new(format!(
            "{what} has no direction: its embedding is zero, or no number"
        )));
    }
    row.iter_mut().for_each(|x| *x /= length);
    Ok(row)
}

/// `[n, embedding]` as rows.
fn rows(tensor: &Tensor) -> Result<Vec<Row>, Failure> {
    let (count, columns) = tensor.size2()?;
    let flat: Vec<f64> = Vec::try_from(tensor.to_kind(Kind::Double).contiguous().view(-1))?;
    debug_assert_eq!(flat.len() as i64, count * columns);
    Ok(flat.chunks_exact(columns.max(1) as usize).map(<[f64]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_of_directions_and_nothing_has_none() {
        let row = mean(&[vec![3.0, 0.0], vec![0.0, 3.0]], "rows").expect("a direction");
        assert!((row[0] - 0.5f64.sqrt()).abs() < 1e-12 && (row[0] - row[1]).abs() < 1e-12);
        let error = mean(&[vec![1.0, 0.0], vec![-1.0, 0.0]], "the sum").expect_err("nothing");
        assert!(error.to_string().contains("the sum has no direction"), "{error}");
        assert!(mean(&[], "none").is_err());
    }

    #[test]
    fn stored_rows_count_alike_however_long_they_are() {
        let shard = |embeddings: &[f32]| Embedded {
            samples: vec![],
            columns: 2,
            embeddings: embeddings.to_vec(),
        };
        let all = [shard(&[100.0, 0.0]), shard(&[0.0, 0.5])];
        let row = stored_mean(&all, "a data set").expect("a direction");
        assert!((row[0] - row[1]).abs() < 1e-12, "{row:?}");
    }
}
