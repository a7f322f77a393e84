//! Unit vectors in the space of embeddings, or of a layer's units: texts in their templates, pictures, and stored embeddings
//! in; one direction each out, in double precision.
//!
//! Ensembling is that of openai/CLIP's notebooks: embeddings of prompts are normalised, averaged, and normalised
//! again.

use neuronotes_core::kind::class::{Class, PLACE};
use neuronotes_core::tokenizer::Tokenizer;
use tch::{Kind, Tensor};

use crate::attribution::logit::against;
use crate::batch::Batch;
use crate::clip::Clip;
use crate::clip::activations::by_unit;
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};
use crate::pass::Pass;
use crate::picture::Picture;
use crate::readout::Readout;
use crate::table::Embedded;

/// The least that is left of a unit vector after projecting out; less is rounding.
const LEFT: f64 = 1e-3;

/// A vector.
pub(crate) type Row = Vec<f64>;

/// How texts become prompts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prompts<'a> {
    /// Each text is put into each of these, in place of `{}`.
    pub templates: &'a [String],
    /// Whether to cut a prompt that is too long; otherwise it is an error.
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

    /// The direction of embeddings along which a logit is: that of a text, or that of a class minus the mean of the others'.
    ///
    /// # Errors
    /// If there is neither a text nor a class among the classes, or a prompt is too long.
    pub(crate) fn along(
        self,
        clip: &Clip,
        text: Option<&String>,
        (classes, class): (&[Class], Option<&String>),
        monitor: &mut dyn Monitor,
    ) -> Result<Row, Failure> {
        if let Some(text) = text {
            return Ok(self.encode(clip, &[std::slice::from_ref(text)], monitor)?.remove(0));
        }
        let own = classes.iter().position(|of| Some(&of.label) == class);
        let own = own.ok_or_else(|| Failure::new("`class` is not one of the classes"))?;
        let groups: Vec<&[String]> = classes.iter().map(|class| &*class.names).collect();
        let rows = self.encode(clip, &groups, monitor)?;
        let others = rows.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, row)| &**row);
        Ok(against(&rows[own], &others.collect::<Vec<_>>()))
    }

    fn tokens(self, text: &str, context: usize) -> Result<Vec<u32>, Failure> {
        Tokenizer::clip().tokens(text, context, self.truncate).map_err(|long| {
            let message = format!(
                "the prompt `{text}` has {} tokens, but the model takes {context}",
                long.tokens
            );
            Failure::new(message).hint("`truncate: true` cuts prompts that are too long")
        })
    }
}

/// A unit vector for each picture: its embedding. `one_by_one` is that of a [`Pass`].
pub(crate) fn pictures(
    clip: &Clip,
    pictures: &[Picture],
    one_by_one: bool,
    monitor: &mut dyn Monitor,
) -> Result<Vec<Row>, Failure> {
    let embedding = Readout::of_layer(clip.architecture.embedding_layer());
    pictures_at(clip, &embedding, pictures, one_by_one, monitor)
}

/// A unit vector for each picture: the units of a place, averaged over positions. `one_by_one` is that of a [`Pass`].
pub(crate) fn pictures_at(
    clip: &Clip,
    at: &Readout,
    pictures: &[Picture],
    one_by_one: bool,
    monitor: &mut dyn Monitor,
) -> Result<Vec<Row>, Failure> {
    let mut all = Vec::new();
    let stages = [at.layer.stage];
    let pass = Pass { one_by_one, ..Pass::new(clip, &stages, "looking at pictures") };
    pass.run_all(pictures, monitor, |_, found| {
        let layer = by_unit(found.get(at.layer.stage)?); // [n, units, positions]
        let found = rows(&at.means(&layer))?; // [n, units]
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
    unit(stored_middle(shards, what)?, what)
}

/// The mean of a data set's embeddings, each normalised; zeros if there are none.
pub(crate) fn stored_middle(shards: &[Embedded], what: &str) -> Result<Row, Failure> {
    let mut sum = vec![0.0; shards.first().map_or(0, |shard| shard.columns)];
    let mut count = 0_u32;
    for shard in shards {
        for row in shard.embeddings.chunks_exact(shard.columns.max(1)) {
            let row = unit(row.iter().map(|&x| f64::from(x)).collect(), what)?;
            add(&mut sum, &row, 1.0);
            count += 1;
        }
    }
    sum.iter_mut().for_each(|x| *x /= f64::from(count.max(1)));
    Ok(sum)
}

/// The mean of unit vectors, not normalised.
pub(crate) fn middle(rows: &[Row]) -> Row {
    let mut sum = vec![0.0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        add(&mut sum, row, 1.0 / rows.len() as f64);
    }
    sum
}

/// A vector's direction after subtracting what it has in common with others.
pub(crate) fn without(mut row: Row, common: &[f64], what: &str) -> Result<Row, Failure> {
    add(&mut row, common, -1.0);
    unit(row, what)
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

pub(crate) fn softmax(similarities: &[f64], scale: f64) -> Vec<f64> {
    let most = similarities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<f64> = similarities.iter().map(|x| ((x - most) * scale).exp()).collect();
    let sum: f64 = parts.iter().sum();
    parts.into_iter().map(|part| part / sum).collect()
}

/// A vector scaled to length 1; an error if it has no length, such as the difference of equal vectors.
pub(crate) fn unit(mut row: Row, what: &str) -> Result<Row, Failure> {
    let length = dot(&row, &row).sqrt();
    if !(length.is_finite() && length > 1e-9) {
        return Err(Failure::new(format!("{what} has no direction: its embedding is zero or NaN")));
    }
    row.iter_mut().for_each(|x| *x /= length);
    Ok(row)
}

/// A unit vector without its parts along others, and the length that was left of it.
///
/// # Errors
/// If nothing is left.
pub(crate) fn project_out(vector: &[f64], others: &[Row]) -> Result<(Row, f64), Failure> {
    left_of(vector, others).ok_or_else(|| {
        let message = "nothing of the direction is left after projecting out `without`";
        Failure::new(message).hint("it is a sum of those directions")
    })
}

/// The same; `None` if nothing is left.
pub(crate) fn left_of(vector: &[f64], others: &[Row]) -> Option<(Row, f64)> {
    let without = |row: &[f64], basis: &[Row]| {
        let mut row = row.to_vec();
        // Twice: what rounding leaves of the first time is gone after the second.
        for _ in 0..2 {
            for base in basis {
                let along = dot(&row, base);
                add(&mut row, base, -along);
            }
        }
        let length = dot(&row, &row).sqrt();
        (row, length)
    };
    let mut basis: Vec<Row> = Vec::new();
    for other in others {
        let (row, length) = without(other, &basis);
        // What is a sum of those before has been projected out with them.
        if length > 1e-6 {
            basis.push(row.into_iter().map(|x| x / length).collect());
        }
    }
    let (row, left) = without(vector, &basis);
    (left >= LEFT).then(|| (row.into_iter().map(|x| x / left).collect(), left))
}

/// `[n, columns]` as rows.
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
    fn what_is_projected_out_is_gone_however_it_is_given() {
        let vector = unit(vec![1.0, 2.0, 3.0, 4.0], "it").expect("a direction");
        let other = unit(vec![1.0, 1.0, 0.0, 0.0], "it").expect("a direction");
        let sum = unit(vec![2.0, 1.0, 1.0, 0.0], "it").expect("a direction");
        let (row, left) = project_out(&vector, &[other.clone(), sum.clone(), other.clone()])
            .expect("something is left");
        assert!((dot(&row, &row) - 1.0).abs() < 1e-12 && left < 1.0);
        assert!(dot(&row, &other).abs() < 1e-12 && dot(&row, &sum).abs() < 1e-12, "{row:?}");
        // By hand: without the first two coordinates' mean, (−½, ½, 3, 4) / √30 is left.
        let (row, left) = project_out(&vector, &[other]).expect("something is left");
        assert!((left - (25.5f64 / 30.0).sqrt()).abs() < 1e-12);
        assert!((row[1] - 0.5 / 25.5f64.sqrt()).abs() < 1e-12 && (row[0] + row[1]).abs() < 1e-12);
        let nothing =
            project_out(&vector, std::slice::from_ref(&vector)).expect_err("nothing is left");
        assert!(nothing.to_string().contains("nothing of the direction is left"), "{nothing}");
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
