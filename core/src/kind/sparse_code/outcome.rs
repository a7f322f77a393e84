//! The result of a `sparse_code`.

use serde::{Deserialize, Serialize};

use super::clean::cleaned;
use super::weighed::Weighed;
use crate::kind::text_rank::Shown;

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Rows of the regression: prompts or pictures for a contrast, else coordinates of the embedding.
    pub rows: u64,
    /// How many units or words there were to choose from.
    pub columns: u64,
    /// The texts or pictures, in the block's order.
    pub items: Vec<Coded>,
}

/// One text or picture as a sum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coded {
    /// The text; the word if it was drawn.
    pub text: Option<String>,
    /// The picture, if it is one.
    pub picture: Option<Shown>,
    /// The sum as it was found, the largest coefficients first.
    pub terms: Vec<Weighed>,
    /// The sum after the article's clean-up; none for words.
    pub cleaned: Option<Vec<Weighed>>,
    /// The cosine of the whole sum, with the mean added again, with the embedding; for a contrast, the correlation.
    pub cosine: f64,
    /// The cosine of the mean alone with the embedding, if one was subtracted.
    pub alone: Option<f64>,
    /// What sums of as many random terms reach, if the block asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<Chance>,
    /// What is left, as a part of the length of what the sum was fitted to.
    pub residual: f64,
    /// λ, for a lasso.
    pub penalty: Option<f64>,
    /// The duality gap of the lasso as a part of the squared length of what the sum was fitted to.
    pub gap: Option<f64>,
}

/// The cosines, for a contrast the correlations, of sums of random terms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chance {
    /// Their mean.
    pub mean: f64,
    /// The smallest.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Chance {
    /// Of these cosines; `None` if there are none.
    pub fn of(cosines: &[f64]) -> Option<Self> {
        let most = |sign: f64| cosines.iter().map(|one| sign * one).reduce(f64::max);
        let (low, high) = (-most(-1.0)?, most(1.0)?);
        Some(Self { mean: cosines.iter().sum::<f64>() / cosines.len() as f64, low, high })
    }
}

/// A made-up outcome of pictures or texts, whose first coefficient is this.
pub fn sample(coefficient: f64, of_pictures: bool) -> Outcome {
    let shown = Shown {
        word: Some("heart".to_owned()),
        digest: None,
        origin: None,
        picture: "001.png".to_owned(),
        width: 6,
        height: 4,
    };
    let terms = [(3, coefficient), (7, 0.5), (4, -0.25), (5, 0.01)];
    let terms = terms.map(|(unit, coefficient)| Weighed::unit(unit, coefficient)).to_vec();
    let one = |text: &str| Coded {
        text: Some(text.to_owned()),
        picture: of_pictures.then(|| shown.clone()),
        cleaned: Some(cleaned(&terms, &[7])),
        terms: terms.clone(),
        cosine: 0.75,
        alone: Some(0.5),
        chance: Some(Chance { mean: 0.625, low: 0.25, high: 0.875 }),
        residual: 0.625,
        penalty: Some(0.125),
        gap: Some(1e-9),
    };
    Outcome { rows: 6, columns: 768, items: vec![one("heart"), one("star")] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_has_a_mean_and_both_ends() {
        let chance = Chance::of(&[0.5, -0.25, 0.125]).expect("cosines");
        assert_eq!((chance.mean, chance.low, chance.high), (0.125, -0.25, 0.5));
        assert_eq!(Chance::of(&[]), None);
    }
}
