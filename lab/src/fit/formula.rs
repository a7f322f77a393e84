//! Formulas of words: which words each image shows, and the ranks of a unit's activations, in; the formulas for whose images the
//! unit is highest, by beam search, out.
//!
//! Bykov et al., *Labeling Neural Representations with Inverse Recognition*, 2023. For a formula f, one pass over its images gives the
//! number and the sum of ranks of *f and w* for every word w at once; those of *f and not w*, *f or w* and *f or not w* follow.

use std::fmt;

/// Which words the images show.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// The words of each image, each once.
    words: Vec<Vec<u32>>,
    /// The images of each word, in order.
    images: Vec<Vec<u32>>,
}

/// How formulas are searched for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    /// Maximum number of words.
    pub length: usize,
    /// Number of formulas that are kept.
    pub beam: usize,
    /// Maximum fraction of the images for which a formula holds.
    pub widest: f64,
}

/// How a word is joined to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    And,
    Or,
}

/// A formula: words, each of which is joined to all before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Formula {
    /// How it is joined (of no meaning for the first), whether it is negated, and the word.
    parts: Vec<(Join, bool, u32)>,
    /// The area under the ROC curve for the images of the formula against all others.
    pub area: f64,
}

/// Images by their number and the sum of their ranks.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sum {
    count: usize,
    ranks: f64,
}

impl Sum {
    fn less(self, other: Self) -> Self {
        Self { count: self.count - other.count, ranks: self.ranks - other.ranks }
    }

    fn and(self, other: Self) -> Self {
        Self { count: self.count + other.count, ranks: self.ranks + other.ranks }
    }

    /// The area for these images of so many.
    fn area(self, all: usize) -> f64 {
        let (m, n) = (self.count as f64, (all - self.count) as f64);
        (self.ranks - m * (m + 1.0) / 2.0) / (m * n)
    }
}

impl Shown {
    /// From the images of each word; there are `count` images.
    pub(crate) fn of(images: Vec<Vec<u32>>, count: usize) -> Self {
        let mut words = vec![Vec::new(); count];
        for (word, images) in (0u32..).zip(&images) {
            images.iter().for_each(|image| words[*image as usize].push(word));
        }
        Self { words, images }
    }

    /// Number of images.
    pub(crate) fn count(&self) -> usize {
        self.words.len()
    }

    /// The images of a word.
    pub(crate) fn images(&self, word: usize) -> &[u32] {
        &self.images[word]
    }

    /// The images for which a formula holds, in order.
    pub(crate) fn holds(&self, formula: &Formula) -> Vec<u32> {
        let all = 0..self.count() as u32;
        all.filter(|image| {
            let mut holds = false;
            for (at, (join, negated, word)) in formula.parts.iter().enumerate() {
                let has = self.words[*image as usize].contains(word) != *negated;
                holds = match join {
                    _ if at == 0 => has,
                    Join::And => holds && has,
                    Join::Or => holds || has,
                };
            }
            holds
        })
        .collect()
    }

    /// The best formulas for a unit, the best first; of equally good ones the shorter. None if no formula holds for some of the
    /// images and not for others.
    pub(crate) fn search(&self, ranks: &[f64], search: Search) -> Vec<Formula> {
        let all = Sum { count: ranks.len(), ranks: ranks.iter().sum() };
        let most = (search.widest * all.count as f64).floor() as usize;
        let fits = |sum: &Sum| sum.count > 0 && sum.count < all.count && sum.count <= most;
        let of_words: Vec<Sum> = self
            .images
            .iter()
            .map(|images| Sum {
                count: images.len(),
                ranks: images.iter().map(|image| ranks[*image as usize]).sum(),
            })
            .collect();
        let mut beam = Beam { most: search.beam, kept: Vec::new() };
        for (word, sum) in (0u32..).zip(&of_words) {
            for (negated, sum) in [(false, *sum), (true, all.less(*sum))] {
                if fits(&sum) {
                    beam.offer(sum.area(all.count), sum, &[], (Join::And, negated, word));
                }
            }
        }
        for length in 1..search.length {
            let longest: Vec<Formula> = beam.of_length(length);
            for formula in longest {
                let own = self.holds(&formula);
                let mut both = vec![Sum { count: 0, ranks: 0.0 }; of_words.len()];
                let mut whole = Sum { count: 0, ranks: 0.0 };
                for image in own {
                    let one = Sum { count: 1, ranks: ranks[image as usize] };
                    whole = whole.and(one);
                    for word in &self.words[image as usize] {
                        both[*word as usize] = both[*word as usize].and(one);
                    }
                }
                for (word, (sum, both)) in (0u32..).zip(of_words.iter().zip(&both)) {
                    if sum.count == 0 || formula.parts.iter().any(|(_, _, known)| *known == word) {
                        continue;
                    }
                    let either = whole.and(*sum).less(*both);
                    for (join, negated, sum) in [
                        (Join::And, false, *both),
                        (Join::And, true, whole.less(*both)),
                        (Join::Or, false, either),
                        (Join::Or, true, all.less(*sum).and(*both)),
                    ] {
                        if fits(&sum) {
                            let part = (join, negated, word);
                            beam.offer(sum.area(all.count), sum, &formula.parts, part);
                        }
                    }
                }
            }
        }
        beam.kept.into_iter().map(|(formula, _)| formula).collect()
    }
}

/// The best formulas so far, the best first.
struct Beam {
    most: usize,
    kept: Vec<(Formula, Sum)>,
}

impl Beam {
    fn offer(
        &mut self,
        area: f64,
        sum: Sum,
        before: &[(Join, bool, u32)],
        part: (Join, bool, u32),
    ) {
        if self.kept.len() == self.most && self.kept.last().is_none_or(|last| last.0.area >= area) {
            return;
        }
        // The same images: the formula that came first is no longer than this one.
        let same = |known: &Sum| {
            known.count == sum.count && (known.ranks - sum.ranks).abs() <= 1e-9 * sum.ranks
        };
        if self.kept.iter().any(|(_, known)| same(known)) {
            return;
        }
        let at = self.kept.partition_point(|(known, _)| known.area >= area);
        let parts = before.iter().copied().chain([part]).collect();
        self.kept.insert(at, (Formula { parts, area }, sum));
        self.kept.truncate(self.most);
    }

    fn of_length(&self, length: usize) -> Vec<Formula> {
        let all = self.kept.iter().map(|(formula, _)| formula);
        all.filter(|formula| formula.parts.len() == length).cloned().collect()
    }
}

impl Formula {
    /// The formula in words: `(face or hand) and not red`.
    pub(crate) fn text(&self, words: &[String]) -> String {
        let mut text = String::new();
        for (at, (join, negated, word)) in self.parts.iter().enumerate() {
            if at > 1 && self.parts[at - 1].0 != *join {
                text = format!("({text})");
            }
            if at > 0 {
                text.push_str(&format!(" {join} "));
            }
            if *negated {
                text.push_str("not ");
            }
            text.push_str(&words[*word as usize]);
        }
        text
    }
}

impl fmt::Display for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::And => "and",
            Self::Or => "or",
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::fit::auc::area;
    use crate::fit::rank::ranked;

    const SEARCH: Search = Search { length: 3, beam: 5, widest: 0.5 };

    fn words() -> Vec<String> {
        ["red", "face", "hand", "night"].map(str::to_owned).to_vec()
    }

    /// Images that show each of four words by chance.
    fn shown(rng: &mut ChaCha8Rng, count: u32) -> Shown {
        let images = |_| (0..count).filter(|_| rng.random_bool(0.3)).collect();
        Shown::of((0..4).map(images).collect(), count as usize)
    }

    #[test]
    fn a_planted_formula_is_found_and_its_area_is_that_of_its_images() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let shown = shown(&mut rng, 400);
        let planted = [(Join::And, false, 1), (Join::Or, false, 2), (Join::And, true, 0)];
        let planted = Formula { parts: planted.to_vec(), area: 0.0 };
        let of = shown.holds(&planted);
        let numbers: Vec<f32> = (0..400u32)
            .map(|image| {
                let noise: f64 = rng.sample(rand_distr::StandardNormal);
                (noise + if of.contains(&image) { 3.0 } else { 0.0 }) as f32
            })
            .collect();
        let found = shown.search(&ranked(&numbers), SEARCH);
        assert_eq!(shown.holds(&found[0]), of, "{}", found[0].text(&words()));
        assert!(found[0].area > 0.95 && found.windows(2).all(|two| two[0].area >= two[1].area));
        for formula in &found {
            let own = shown.holds(formula);
            let side = |wanted: bool| -> Vec<f64> {
                let all = (0..400u32).filter(|image| own.contains(image) == wanted);
                all.map(|image| f64::from(numbers[image as usize])).collect()
            };
            let expected = area(&side(true), &side(false)).expect("an area");
            assert!((formula.area - expected).abs() < 1e-9, "{}", formula.text(&words()));
            assert!(own.len() <= 200, "at most half of the images");
        }
        // One word alone is the best of all words and their negations.
        let one = shown.search(&ranked(&numbers), Search { length: 1, beam: 1, ..SEARCH });
        assert_eq!((one.len(), one[0].parts.len()), (1, 1));
    }

    #[test]
    fn formulas_are_written_as_they_are_read() {
        let text = |parts: &[(Join, bool, u32)]| {
            Formula { parts: parts.to_vec(), area: 0.5 }.text(&words())
        };
        assert_eq!(text(&[(Join::And, true, 0)]), "not red");
        assert_eq!(text(&[(Join::And, false, 1), (Join::And, true, 0)]), "face and not red");
        let three = [(Join::And, false, 1), (Join::Or, false, 2), (Join::And, true, 0)];
        assert_eq!(text(&three), "(face or hand) and not red");
        let same = [(Join::And, false, 1), (Join::Or, false, 2), (Join::Or, false, 3)];
        assert_eq!(text(&same), "face or hand or night");
    }

    #[test]
    fn words_of_no_image_and_of_all_are_no_formula() {
        let shown = Shown::of(vec![vec![], (0..6).collect()], 6);
        let ranks = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert!(shown.search(&ranks, SEARCH).is_empty());
        let wide = Shown::of(vec![(0..4).collect()], 6);
        let found = wide.search(&ranks, SEARCH);
        assert_eq!(found.len(), 1, "the negation holds for two of six");
        assert_eq!((found[0].text(&words()), found[0].area), ("not red".to_owned(), 1.0));
    }
}
