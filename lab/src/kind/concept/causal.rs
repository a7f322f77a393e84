//! The causal half of a concept: held-out pictures and its name in; the logit of the name without the best unit, the units and
//! the direction, and with random changes of the same size, out.

use std::collections::BTreeSet;

use neuronotes_core::kind::class::PLACE;
use neuronotes_core::kind::concept::{Auc, CONTROLS, Causal, MOST_SHOWN, Outcome, Params, Removed};
use neuronotes_core::model::{Layer, Stage};
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::{Device, Kind, Tensor};

use super::judge::Side;
use crate::attribution::logit::Logit;
use crate::clip::Clip;
use crate::clip::intervene::{Change, Coordinates, Intervention, beside};
use crate::failure::Failure;
use crate::fit::auc::{Resamples, area};
use crate::gallery::Gallery;
use crate::group::Own;
use crate::pass::{Pass, Variants};
use crate::vector::{Prompts, Row};
use crate::workbench::Workbench;

/// What is removed, and from where.
#[derive(Debug)]
pub(super) struct Removal<'a> {
    pub clip: &'a Clip,
    pub layer: &'a Layer,
    /// The data set, if the block has one.
    pub own: Option<&'a Own>,
    /// The places in it of held-out pictures, of the concept and others; as many as there are rows only if the groups are
    /// parts of it.
    pub held_out: [Vec<usize>; 2],
    /// The pictures trained on, whose means take the place of what is removed.
    pub train: &'a Side,
    /// The best unit, the sums and the verdict.
    pub outcome: &'a Outcome,
    /// The direction, `[units]`, of length 1.
    pub direction: &'a [f64],
}

impl Removal<'_> {
    /// What the block asks for; `None` if it names no name.
    ///
    /// # Errors
    /// If there is no text tower, the groups are not of the data set, or a picture cannot be read.
    pub(super) fn causal(
        &self,
        bench: &mut Workbench<'_>,
        params: &Params,
    ) -> Result<Option<Causal>, Failure> {
        let Some(name) = &params.name else { return Ok(None) };
        if params.layer.dictionary().is_some() {
            let message =
                "with `name` a concept needs a layer: features of a dictionary are not removed";
            return Err(Failure::new(message).hint("name the layer, or remove `name`"));
        }
        let own = self.own.filter(|_| self.held_out.iter().all(|places| !places.is_empty()));
        let own = own.ok_or_else(|| {
            Failure::new("`name` needs groups of pictures of the block's own data set")
                .hint("use `labels`, `captions` or `dataset` for both groups, or remove `name`")
        })?;
        let hint = "remove `name`, or use weights with both towers of a CLIP";
        self.clip.context().map_err(|failure| failure.hint(hint))?;
        let alone = [PLACE.to_owned()];
        let templates = params.templates.as_deref().unwrap_or(&alone);
        let prompts = Prompts { templates, truncate: false };
        let text = prompts.encode(self.clip, &[std::slice::from_ref(name)], bench.monitor);
        let text = text?.remove(0);
        let logit = Logit::new(&text, self.clip.logit_scale(), self.clip.device);
        let mut rng = ChaCha8Rng::seed_from_u64(params.seed);
        let some = |places: &[usize], rng: &mut ChaCha8Rng| {
            let mut places = places.to_vec();
            places.shuffle(rng);
            places.truncate(MOST_SHOWN);
            places
        };
        let positive = some(&self.held_out[0], &mut rng);
        let negative = some(&self.held_out[1], &mut rng);
        let changes = self.changes(&mut rng)?;
        let logits =
            self.logits(bench, own, &[&*positive, &*negative].concat(), &changes, &logit)?;
        let resamples = Resamples::of(positive.len(), negative.len(), params.seed);
        let read = Read { positive: positive.len(), logits: &logits, resamples: &resamples };
        let removed = |at: usize, count: usize| read.removed(1 + at * (1 + CONTROLS), count);
        let units = self.units().len();
        Ok(Some(Causal {
            positive: positive.len() as u64,
            negative: negative.len() as u64,
            auc: read.auc(0)?,
            logit: mean(read.positive(0)),
            unit: removed(0, 1)?,
            units: removed(1, units)?,
            direction: removed(2, 1)?,
        }))
    }

    /// The units of the smallest sum that is as good as the direction, or of the longest.
    fn units(&self) -> Vec<u32> {
        let most = self.outcome.terms().unwrap_or(self.outcome.sums.len());
        self.outcome.sums.iter().take(most).map(|sum| sum.unit).collect()
    }

    /// The changes: for the unit, the units and the direction, each itself and then the same elsewhere.
    fn changes(&self, rng: &mut ChaCha8Rng) -> Result<Vec<Intervention>, Failure> {
        let (device, count) = (self.clip.device, self.layer.units);
        let middle = self.train.rows.mean_dim([0i64].as_slice(), false, Kind::Float); // [units]
        // A picture's row at the embedding is scaled, and the activation is not.
        let scaled = self.layer.stage == Stage::Embedding;
        let change = |values: Tensor| match scaled {
            true => Change::Scale(0.0),
            false => Change::Set(values.to_device(device)),
        };
        let mut all = Vec::new();
        for units in [vec![self.outcome.unit.unit], self.units()] {
            let index: Vec<i64> = units.iter().map(|unit| i64::from(*unit)).collect();
            let values = middle.index_select(0, &Tensor::from_slice(&index));
            let one = || Coordinates::units(&units, count, device);
            all.push(Intervention::new(one()?, change(values.shallow_clone()))?);
            let taken: BTreeSet<u32> = units.iter().copied().collect();
            let mut others: Vec<u32> = (0..count).filter(|unit| !taken.contains(unit)).collect();
            if others.len() < units.len() {
                // Of a layer that has hardly more units any may be taken.
                others = (0..count).collect();
            }
            for _ in 0..CONTROLS {
                others.shuffle(rng);
                let elsewhere = Coordinates::units(&others[..units.len()], count, device)?;
                let change = Intervention::new(one()?, change(values.shallow_clone()))?;
                all.push(change.elsewhere(elsewhere)?);
            }
        }
        let row = Tensor::from_slice(self.direction).to_kind(Kind::Float);
        let value = middle.dot(&row).view(1);
        let one = || Coordinates::directions(&[self.direction.to_vec()], device);
        all.push(Intervention::new(one()?, change(value.shallow_clone()))?);
        for _ in 0..CONTROLS {
            let random: Row = (0..count).map(|_| rng.sample(StandardNormal)).collect();
            let elsewhere = Coordinates::directions(&[random], device)?;
            let change = Intervention::new(one()?, change(value.shallow_clone()))?;
            all.push(change.elsewhere(elsewhere)?);
        }
        Ok(all)
    }

    /// The logits of these pictures of the data set, as they are and after each change: a row for each.
    fn logits(
        &self,
        bench: &mut Workbench<'_>,
        own: &Own,
        places: &[usize],
        changes: &[Intervention],
        logit: &Logit,
    ) -> Result<Vec<Row>, Failure> {
        let mut gallery = Gallery::default();
        let key = |place: &usize| (own.0.shards[*place], own.0.samples[*place].key.as_str());
        let samples: Vec<(usize, &str)> = places.iter().map(key).collect();
        let pictures = gallery.find(bench, &samples)?;
        let count = 1 + changes.len();
        let variants = Variants {
            stage: self.layer.stage,
            count,
            make: &|activation| beside(activation, changes),
        };
        let stages = [Stage::Embedding];
        let pass = Pass {
            variants: Some(&variants),
            ..Pass::new(self.clip, &stages, "removing the unit, the units and the direction")
        };
        let mut rows = vec![Row::new(); count];
        pass.run_all(&pictures[..], bench.monitor, |_, found| {
            let logits = logit.of(found.get(Stage::Embedding)?).to_device(Device::Cpu);
            let logits =
                Vec::<f64>::try_from(logits.view([count as i64, -1]).contiguous().view(-1))?;
            let images = logits.len() / count;
            for (row, own) in rows.iter_mut().zip(logits.chunks_exact(images)) {
                row.extend(own);
            }
            Ok(())
        })?;
        Ok(rows)
    }
}

/// The logits, read as the outcome has them.
struct Read<'a> {
    /// How many pictures of the concept come first.
    positive: usize,
    /// As the pictures are, and after each change.
    logits: &'a [Row],
    resamples: &'a Resamples,
}

impl Read<'_> {
    fn positive(&self, at: usize) -> &[f64] {
        &self.logits[at][..self.positive]
    }

    fn auc(&self, at: usize) -> Result<Auc, Failure> {
        let (positive, negative) = self.logits[at].split_at(self.positive);
        let found = self.resamples.auc(positive, negative).ok_or_else(odd)?;
        Ok((found.area, found.low, found.high).into())
    }

    /// What a change does, and the changes of the same size behind it.
    fn removed(&self, at: usize, count: usize) -> Result<Removed, Failure> {
        let changes = |at: usize| -> Row {
            self.positive(at)
                .iter()
                .zip(self.positive(0))
                .map(|(after, before)| after - before)
                .collect()
        };
        let random = (at + 1..=at + CONTROLS).map(|at| {
            let (positive, negative) = self.logits[at].split_at(self.positive);
            Ok((area(positive, negative).ok_or_else(odd)?, mean(&changes(at))))
        });
        Ok(Removed {
            count: count as u32,
            auc: self.auc(at)?,
            change: interval(&changes(at)).into(),
            random: random.collect::<Result<_, Failure>>()?,
        })
    }
}

fn odd() -> Failure {
    Failure::new("a logit is not a number")
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len().max(1) as f64
}

/// The mean, and the normal 95 % interval of it.
fn interval(numbers: &[f64]) -> (f64, f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let (middle, count) = (mean(numbers), numbers.len() as f64);
    let square = numbers.iter().map(|x| (x - middle).powi(2)).sum::<f64>();
    let half = Z * (square / (count - 1.0).max(1.0) / count.max(1.0)).sqrt();
    (middle, middle - half, middle + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_read_with_its_interval_and_the_changes_behind_it() {
        let mut logits = vec![vec![4.0, 6.0, 1.0, 2.0, 3.0], vec![2.0, 2.0, 1.0, 2.0, 3.0]];
        logits.extend((0..CONTROLS).map(|_| vec![4.5, 6.5, 1.0, 2.0, 3.0]));
        let resamples = Resamples::of(2, 3, 0);
        let read = Read { positive: 2, logits: &logits, resamples: &resamples };
        let found = read.removed(1, 3).expect("a change");
        assert_eq!((read.auc(0).expect("an area").area, found.auc.area), (1.0, 0.5));
        assert_eq!((found.count, found.change.mean), (3, -3.0));
        // The changes are −2 and −4: their deviation is √2, and that of their mean 1.
        assert!((found.change.low + 3.0 + 1.96).abs() < 1e-3, "{:?}", found.change);
        assert_eq!(found.random, vec![(1.0, 0.5); CONTROLS]);
        assert_eq!(found.as_far(), 0);
    }
}
