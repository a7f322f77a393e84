//! How well a probe classifies: scores and classes in; counts, calibration bins and the loss out.

use neuronotes_core::kind::probe::{Bin, Score};
use tch::{Kind, Tensor};

use crate::failure::Failure;

/// Number of bins of a calibration.
const BINS: usize = 10;

/// The predictions for some images.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judgement {
    /// The counts.
    pub score: Score,
    /// The most probable class of each image.
    pub predicted: Vec<u32>,
    /// Its probability.
    pub probability: Vec<f64>,
}

/// Judges scores, `[classes, images]`, by the true class of each image.
pub(super) fn judge(scores: &Tensor, truth: &[u32]) -> Result<Judgement, Failure> {
    let places: Vec<i64> = truth.iter().map(|class| i64::from(*class)).collect();
    let places = Tensor::from_slice(&places).f_unsqueeze(0)?; // [1, images]
    let log = scores.f_to_kind(Kind::Double)?.f_log_softmax(0, None::<Kind>)?;
    let own = log.f_gather(0, &places, false)?; // [1, images]
    let ahead = log.f_gt_tensor(&own)?.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Int64)?;
    let (best, predicted) = log.f_max_dim(0, false)?;
    let ahead: Vec<i64> = Vec::try_from(ahead)?;
    let predicted: Vec<i64> = Vec::try_from(predicted)?;
    let predicted: Vec<u32> = predicted.into_iter().map(|class| class as u32).collect();
    let right = predicted.iter().zip(truth).filter(|(a, b)| a == b).count() as u64;
    let score = Score {
        of: truth.len() as u64,
        right,
        top5: ahead.iter().filter(|ahead| **ahead < 5).count() as u64,
        loss: -own.f_mean(Kind::Double)?.double_value(&[]),
    };
    Ok(Judgement { score, predicted, probability: Vec::try_from(best.f_exp()?)? })
}

impl Judgement {
    /// The images by the probability of their predicted class, in bins of equal width, without empty ones.
    pub(super) fn calibration(&self, truth: &[u32]) -> Vec<Bin> {
        let edge = |at: usize| at as f64 / BINS as f64;
        let bin =
            |at: usize| Bin { low: edge(at), high: edge(at + 1), of: 0, right: 0, confidence: 0.0 };
        let mut bins: Vec<Bin> = (0..BINS).map(bin).collect();
        for ((probability, predicted), truth) in
            self.probability.iter().zip(&self.predicted).zip(truth)
        {
            let at = ((probability * BINS as f64) as usize).min(BINS - 1);
            bins[at].of += 1;
            bins[at].right += u64::from(predicted == truth);
            bins[at].confidence += probability;
        }
        bins.retain(|bin| bin.of > 0);
        bins.iter_mut().for_each(|bin| bin.confidence /= bin.of as f64);
        bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_counted_by_the_rank_of_their_class() {
        // Six classes; the first image's is the most probable, the second's the last, the third's the fifth.
        let numbers: Vec<f64> = (0..6)
            .flat_map(|class| {
                let falling = -f64::from(class);
                [falling, falling, falling]
            })
            .collect();
        let scores = Tensor::from_slice(&numbers).view([6, 3]);
        let truth = [0, 5, 4];
        let found = judge(&scores, &truth).expect("a judgement");
        assert_eq!((found.score.of, found.score.right, found.score.top5), (3, 1, 2));
        let sum: f64 = (0..6).map(|class| (-f64::from(class)).exp()).sum();
        let loss = (sum.ln() * 3.0 + 0.0 + 5.0 + 4.0) / 3.0;
        assert!((found.score.loss - loss).abs() < 1e-12, "{}", found.score.loss);
        let bins = found.calibration(&truth);
        assert_eq!((bins.len(), bins[0].of, bins[0].right), (1, 3, 1));
        assert!((bins[0].confidence - 1.0 / sum).abs() < 1e-12 && bins[0].low == 0.6, "{bins:?}");
    }

    #[test]
    fn certainty_is_in_the_last_bin() {
        let found = Judgement {
            score: Score { of: 2, right: 1, top5: 2, loss: 0.1 },
            predicted: vec![0, 1],
            probability: vec![1.0, 0.05],
        };
        let bins = found.calibration(&[0, 0]);
        assert_eq!(
            bins.iter().map(|bin| (bin.of, bin.right)).collect::<Vec<_>>(),
            [(1, 0), (1, 1)]
        );
        assert!((bins[1].high - 1.0).abs() < 1e-12);
    }
}
