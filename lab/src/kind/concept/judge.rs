//! Ways to tell two groups apart, compared: rows of pictures trained on and held out in; the AUC of one unit, of sums of units,
//! of directions and of a curved boundary, and what chance gives, out. Knows nothing of requests.

use std::sync::OnceLock;

use neuronotes_core::kind::concept::{Auc, CHANCES, Chance, MOST_TERMS, Single, Sum};
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::{Kind, Tensor};

use super::ranks::{Check, aucs};
use crate::failure::Failure;
use crate::fit::auc::Resamples;
use crate::fit::{binary, logistic};
use crate::vector::Row;

/// The most pictures of a group that the kernel regression is trained on.
const MOST_CURVED: usize = 1_000;

/// Rows of pictures and which of them are of the concept.
#[derive(Debug)]
pub struct Side {
    /// `[images, units]` in single precision.
    pub(crate) rows: Tensor,
    /// The positive ones come first: how many.
    positive: usize,
    /// Seed of the bootstrap.
    seed: u64,
    /// The resamples of the bootstrap, which all scores share.
    resamples: OnceLock<Resamples>,
}

impl Side {
    /// The positive group above the negative one; the seed is that of the bootstrap.
    pub fn of(positive: &Tensor, negative: &Tensor, seed: u64) -> Self {
        let rows = Tensor::cat(&[positive, negative], 0);
        let positive = positive.size()[0] as usize;
        Self { rows, positive, seed, resamples: OnceLock::new() }
    }

    fn count(&self) -> usize {
        self.rows.size()[0] as usize
    }

    fn labels(&self) -> Vec<bool> {
        (0..self.count()).map(|row| row < self.positive).collect()
    }

    /// 1 for each positive row and 0 for the others.
    fn truth(&self) -> Row {
        self.labels().iter().map(|&is| f64::from(u8::from(is))).collect()
    }

    /// The AUC of a score for each row.
    fn auc(&self, scores: &Tensor) -> Result<Auc, Failure> {
        let scores = Vec::<f64>::try_from(scores.to_kind(Kind::Double))?;
        let (positive, negative) = scores.split_at(self.positive);
        let odd = || Failure::new("a score is not a number");
        let resamples = || Resamples::of(positive.len(), negative.len(), self.seed);
        let resamples = self.resamples.get_or_init(resamples);
        let found = resamples.auc(positive, negative).ok_or_else(odd)?;
        Ok((found.area, found.low, found.high).into())
    }

    /// The AUC of a direction.
    pub(crate) fn along(&self, direction: &[f64]) -> Result<Auc, Failure> {
        let direction = Tensor::from_slice(direction).to_kind(Kind::Float);
        self.auc(&self.rows.mv(&direction))
    }

    /// The AUC of one unit.
    pub(crate) fn of_unit(&self, unit: u32, low: bool) -> Result<Auc, Failure> {
        let scores = self.rows.select(1, unit.into());
        self.auc(&if low { -scores } else { scores })
    }
}

/// What is compared.
#[derive(Debug)]
pub struct Task<'a> {
    /// Pictures that are trained on.
    pub train: &'a Side,
    /// Pictures that are held out.
    pub held_out: &'a Side,
    /// Strength of the L2 penalty of the regressions.
    pub regularisation: f64,
    /// Random seed.
    pub seed: u64,
}

/// Labels by chance, and what is drawn after them.
#[derive(Debug)]
pub(crate) struct Lots {
    /// `[1 + attempts, images]`: the true labels of the pictures trained on, and permutations of them.
    train: Tensor,
    /// `[attempts, images]`: permutations of the labels of those held out.
    held_out: Tensor,
    rng: ChaCha8Rng,
}

impl Task<'_> {
    /// Draws labels by chance.
    pub(crate) fn lots(&self) -> Lots {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut permuted = |side: &Side| {
            let permutation = |_| {
                let mut labels = side.truth();
                labels.shuffle(&mut rng);
                labels
            };
            let all: Vec<Row> = (0..CHANCES).map(permutation).collect();
            Tensor::from_slice(&all.concat()).view([CHANCES as i64, side.count() as i64])
        };
        let (train, held_out) = (permuted(self.train), permuted(self.held_out));
        let truth = Tensor::from_slice(&self.train.truth()).unsqueeze(0);
        Lots { train: Tensor::cat(&[truth, train], 0), held_out, rng }
    }

    /// The AUCs of all units on the pictures trained on, `[1 + attempts, units]`: for the true labels, and for each permutation.
    pub(crate) fn aucs(&self, lots: &Lots, check: &mut Check<'_>) -> Result<Tensor, Failure> {
        aucs(&self.train.rows, &lots.train, check)
    }

    /// The unit with the AUC farthest from 0.5 on the pictures trained on, of all `[units]`.
    pub(crate) fn unit(&self, aucs: &Tensor) -> Result<Single, Failure> {
        let unit = (aucs - 0.5).abs().argmax(None, false).int64_value(&[]);
        let train = aucs.double_value(&[unit]);
        let (unit, low) = (unit as u32, train < 0.5);
        let found = self.held_out.of_unit(unit, low)?;
        Ok(Single { unit, low, train: train.max(1.0 - train), auc: found })
    }

    /// Sums of 1, 2, … units: `first`, and each time the one with the greatest product with the residual.
    pub(crate) fn sums(&self, first: u32, check: &mut Check<'_>) -> Result<Vec<Sum>, Failure> {
        let labels = self.train.labels();
        let truth = Tensor::from_slice(&self.train.truth());
        let (positive, count) = (self.train.positive as f64, self.train.count() as f64);
        let share = |is: &bool| 0.5 / if *is { positive } else { count - positive };
        let share = Tensor::from_slice(&labels.iter().map(share).collect::<Row>());
        // Standardised by the pictures trained on; a constant unit stays zero.
        let middle = self.train.rows.mean_dim([0i64].as_slice(), true, Kind::Float);
        let spread = self.train.rows.std_dim([0i64].as_slice(), false, true);
        let spread = spread.where_self(&spread.gt(0.0), &spread.ones_like());
        let standard = |rows: &Tensor| (rows - &middle) / &spread;
        let (train, held_out) = (standard(&self.train.rows), standard(&self.held_out.rows));
        let (mut chosen, mut sums) = (vec![i64::from(first)], Vec::new());
        let most = MOST_TERMS.min(train.size()[1] as usize);
        loop {
            check()?;
            let index = Tensor::from_slice(&chosen);
            let own = train.index_select(1, &index);
            let fitted = binary::fit(&own, &labels, self.regularisation, check)?;
            let weights = Tensor::from_slice(&fitted.weights).to_kind(Kind::Float);
            let scores = held_out.index_select(1, &index).mv(&weights);
            let unit = chosen.last().copied().unwrap_or_default() as u32;
            sums.push(Sum { unit, auc: self.held_out.auc(&scores)? });
            if chosen.len() >= most {
                return Ok(sums);
            }
            let scores = own.mv(&weights).to_kind(Kind::Double);
            let residual = (&truth - (scores + fitted.intercept).sigmoid()) * &share;
            let products = train.tr().mv(&residual.to_kind(Kind::Float)).abs(); // [units]
            chosen.iter().for_each(|unit| drop(products.get(*unit).fill_(-1.0)));
            chosen.push(products.argmax(None, false).int64_value(&[]));
        }
    }

    /// The difference of means.
    pub(crate) fn means(&self) -> Result<Row, Failure> {
        let positive = self.train.rows.narrow(0, 0, self.train.positive as i64);
        let rest = self.train.count() - self.train.positive;
        let negative = self.train.rows.narrow(0, self.train.positive as i64, rest as i64);
        let mean = |rows: &Tensor| rows.mean_dim([0i64].as_slice(), false, Kind::Double);
        Ok(Vec::<f64>::try_from(mean(&positive) - mean(&negative))?)
    }

    /// The weights of a logistic regression on all units.
    pub(crate) fn logistic(&self, check: &mut Check<'_>) -> Result<Row, Failure> {
        let labels = self.train.labels();
        Ok(binary::fit(&self.train.rows, &labels, self.regularisation, check)?.weights)
    }

    /// A kernel logistic regression with a Gaussian kernel: its AUC, and how many pictures it was trained on.
    pub(crate) fn curved(&self) -> Result<(Auc, usize), Failure> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut some = |from: usize, to: usize| {
            let mut places: Vec<i64> = (from as i64..to as i64).collect();
            places.shuffle(&mut rng);
            places.truncate(MOST_CURVED);
            places
        };
        let positive = some(0, self.train.positive);
        let negative = some(self.train.positive, self.train.count());
        let mut labels = vec![true; positive.len()];
        labels.resize(positive.len() + negative.len(), false);
        let places = Tensor::from_slice(&[positive, negative].concat());
        let rows = self.train.rows.index_select(0, &places).to_kind(Kind::Double);
        let held_out = self.held_out.rows.to_kind(Kind::Double);
        let distances = squares(&rows, &rows);
        let width = distances.median().double_value(&[]).max(f64::MIN_POSITIVE);
        // The constant is an intercept.
        let kernel = |squares: Tensor| (squares / -width).exp() + 1.0;
        let shares = logistic::fit(&kernel(distances), &labels, self.regularisation)?;
        let scores = kernel(squares(&held_out, &rows)).mv(&shares);
        Ok((self.held_out.auc(&scores)?, labels.len()))
    }

    /// The AUCs that 95 % of random attempts do not exceed; `aucs` are those of [`Task::aucs`].
    pub(crate) fn chance(
        &self,
        lots: Lots,
        found: &Tensor,
        check: &mut Check<'_>,
    ) -> Result<Chance, Failure> {
        let Lots { train, held_out, mut rng } = lots;
        let attempts = CHANCES as i64;
        let (train, found) = (train.narrow(0, 1, attempts), found.narrow(0, 1, attempts));
        let best = (&found - 0.5).abs().argmax(1, true); // [attempts, 1]
        let sign = (found.gather(1, &best, false) - 0.5).sign().squeeze_dim(1);
        // Each attempt by its own labels: the diagonal.
        let chosen = self.held_out.rows.index_select(1, &best.squeeze_dim(1)); // [images, attempts]
        let unit = (aucs(&chosen, &held_out, check)?.diag(0) - 0.5) * sign + 0.5;
        // The mean of the positive rows less that of the others, for each permutation.
        let positive = train.sum_dim_intlist([1i64].as_slice(), true, Kind::Double);
        let others = -&positive + train.size()[1] as f64;
        let weights = &train / positive - (train.ones_like() - &train) / others;
        let means = weights.to_kind(Kind::Float).matmul(&self.train.rows); // [attempts, units]
        check()?;
        let scores = self.held_out.rows.matmul(&means.tr()); // [images, attempts]
        let direction = aucs(&scores, &held_out, check)?.diag(0);
        let units = self.train.rows.size()[1];
        let random: Vec<f32> = (0..attempts * units).map(|_| rng.sample(StandardNormal)).collect();
        let random = Tensor::from_slice(&random).view([units, attempts]);
        let truth = Tensor::from_slice(&self.held_out.truth()).unsqueeze(0);
        let random = aucs(&self.held_out.rows.matmul(&random), &truth, check)?.squeeze_dim(0);
        let high =
            |aucs: &Tensor| aucs.quantile_scalar(0.95, None, false, "linear").double_value(&[]);
        Ok(Chance { unit: high(&unit), direction: high(&direction), random: high(&random) })
    }
}

/// The squared distances between rows: `[n, d]` and `[m, d]` to `[n, m]`.
fn squares(a: &Tensor, b: &Tensor) -> Tensor {
    let length =
        |rows: &Tensor| rows.square().sum_dim_intlist([1i64].as_slice(), true, Kind::Double);
    (length(a) + length(b).tr() - a.matmul(&b.tr()) * 2.0).clamp_min(0.0)
}
