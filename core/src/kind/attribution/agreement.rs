//! Whether the logit without a unit changes as the unit's contribution predicts: pairs of a predicted and a measured change in,
//! how many have the same sign and their correlation out.

/// How far the changes of the logit without a unit are those that contributions predict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// The number of units whose change has the sign that was predicted.
    pub same: usize,
    /// The number of units that were checked.
    pub of: usize,
    /// Pearson's correlation of predicted and measured changes; `None` if either is the same for
    /// all, or there are fewer than three.
    pub correlation: Option<f64>,
}

impl Agreement {
    /// The size of a change, in a logit, that is rounding.
    const ROUNDING: f64 = 1e-5;

    /// Fewer pairs have no correlation that says anything.
    const LEAST: usize = 3;

    /// Over these pairs of a predicted and a measured change; `None` if there are none.
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let count = pairs.len() as f64;
        let [x, y] = pairs.iter().fold([0.0, 0.0], |[x, y], pair| [x + pair.0, y + pair.1]);
        let (x, y) = (x / count, y / count);
        let [xx, yy, xy] = pairs.iter().fold([0.0; 3], |[xx, yy, xy], pair| {
            let (a, b) = (pair.0 - x, pair.1 - y);
            [xx + a * a, yy + b * b, xy + a * b]
        });
        let same = |(predicted, change): &&(f64, f64)| {
            change.abs() > Self::ROUNDING && (*predicted > 0.0) == (*change > 0.0)
        };
        (!pairs.is_empty()).then(|| Self {
            same: pairs.iter().filter(same).count(),
            of: pairs.len(),
            correlation: (xx * yy > 0.0 && pairs.len() >= Self::LEAST)
                .then(|| xy / (xx * yy).sqrt()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_is_signs_and_pearsons_correlation() {
        // numpy.corrcoef([1, 2, 3, -1], [0.5, 1.5, -1, -2])[0, 1]
        let found = Agreement::of(&[(1.0, 0.5), (2.0, 1.5), (3.0, -1.0), (-1.0, -2.0)]);
        let found = found.expect("four pairs");
        assert_eq!((found.same, found.of), (3, 4));
        let correlation = found.correlation.expect("it varies");
        assert!((correlation - 0.470_823_615_430_758_4).abs() < 1e-9, "{correlation}");
    }

    #[test]
    fn a_change_that_is_rounding_has_no_sign_and_two_pairs_no_correlation() {
        let found = Agreement::of(&[(1.0, 1e-7), (-1.0, -0.5)]).expect("two pairs");
        assert_eq!(found, Agreement { same: 1, of: 2, correlation: None });
        let constant = Agreement::of(&[(1.0, 2.0), (1.0, 3.0), (1.0, 4.0)]).expect("three pairs");
        assert_eq!(constant.correlation, None);
        assert_eq!(Agreement::of(&[]), None);
    }
}
