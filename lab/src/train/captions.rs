//! Captions: token numbers of texts about each name, in a vocabulary of the tokens that occur.
//!
//! Updating all 49,408 rows of CLIP's vocabulary at each step would spend most of the time on rows that no caption
//! uses. So the rows that occur are renumbered in CLIP's order; the last is still the end of a text.

use std::collections::BTreeSet;

use neuronotes_core::tokenizer::Tokenizer;
use rand::Rng;

use super::set::Name;
use crate::failure::Failure;

/// Sentences with a name. The first is the name alone; the last are those common with CLIP.
pub const TEMPLATES: &[&str] = &[
    "{}",
    "a {}",
    "the {}",
    "an emoji of a {}",
    "a picture of a {}",
    "a drawing of a {}",
    "an icon of a {}",
    "a small {}",
    "a photo of a {}.",
    "a photo of the {}.",
];

/// The captions of names.
#[derive(Debug)]
pub struct Captions {
    /// By name, token numbers in the reduced vocabulary: first for [`TEMPLATES`], then with keywords.
    by_name: Vec<Vec<Vec<u32>>>,
    /// CLIP's token numbers that occur, sorted: the reduced vocabulary.
    pub vocabulary: Vec<u32>,
}

impl Captions {
    /// Makes the captions of names, with at most `context` tokens.
    ///
    /// # Errors
    /// If a name alone is longer.
    pub fn new(names: &[Name], context: usize) -> Result<Self, Failure> {
        let tokenizer = Tokenizer::clip();
        let mut by_name = Vec::new();
        for name in names {
            let sentences = TEMPLATES.iter().map(|template| template.replace("{}", &name.name));
            let with_keywords = name
                .keywords
                .iter()
                .filter(|keyword| !name.name.contains(keyword.as_str()))
                .flat_map(|keyword| {
                    [format!("{}, {keyword}", name.name), format!("{keyword}, {}", name.name)]
                });
            let texts = sentences.chain(with_keywords);
            let tokens: Vec<Vec<u32>> =
                texts.filter_map(|text| tokenizer.tokens(&text, context, false).ok()).collect();
            if tokens.is_empty() {
                return Err(Failure::new(format!(
                    "`{}` is longer than {context} tokens",
                    name.name
                ))
                .hint("give the recipe's network a larger `context`"));
            }
            by_name.push(tokens);
        }
        let known: BTreeSet<u32> = by_name.iter().flatten().flatten().copied().collect();
        let vocabulary: Vec<u32> = known.into_iter().collect();
        for token in by_name.iter_mut().flatten().flatten() {
            *token = vocabulary.binary_search(token).unwrap_or_default() as u32;
        }
        Ok(Self { by_name, vocabulary })
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// The tokens of a name alone.
    pub fn plain(&self, name: usize) -> &[u32] {
        &self.by_name[name][0]
    }

    /// A random caption of a name: half of the time the name alone.
    pub fn draw(&self, name: usize, rng: &mut impl Rng) -> &[u32] {
        let said = &self.by_name[name];
        match rng.random_bool(0.5) {
            true => &said[0],
            false => &said[rng.random_range(0..said.len())],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    fn name(name: &str, keywords: &[&str]) -> Name {
        let keywords = keywords.iter().map(|word| (*word).to_owned()).collect();
        Name { name: name.into(), emoji: String::new(), group: String::new(), keywords }
    }

    #[test]
    fn captions_are_clips_tokens_in_a_small_vocabulary() {
        let names = [name("red apple", &["fruit", "red"]), name("cat", &[])];
        let captions = Captions::new(&names, 12).expect("captions");
        let large = |tokens: &[u32]| -> Vec<u32> {
            tokens.iter().map(|&token| captions.vocabulary[token as usize]).collect()
        };
        let clip = |text| Tokenizer::clip().tokens(text, 12, false).expect("short");
        assert_eq!(large(captions.plain(0)), clip("red apple"));
        assert_eq!(large(captions.plain(1)), clip("cat"));
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let drawn: BTreeSet<_> = (0..400).map(|_| large(captions.draw(0, &mut rng))).collect();
        for said in ["red apple", "a photo of a red apple.", "red apple, fruit", "fruit, red apple"]
        {
            assert!(drawn.contains(&clip(said)), "{said}");
        }
        assert!(!drawn.contains(&clip("red apple, red")), "a keyword that the name has already");
        // The end of a text has the greatest number, which is how the text tower finds it.
        let end = captions.plain(1).iter().max().expect("tokens");
        assert_eq!(*end as usize, captions.vocabulary.len() - 1);
    }

    #[test]
    fn a_name_that_does_not_fit_is_an_error() {
        let error = Captions::new(&[name("cat", &[]), name("a b c d e f g h i j", &[])], 8)
            .expect_err("long");
        assert!(
            error.to_string().contains("`a b c d e f g h i j` is longer than 8 tokens"),
            "{error}"
        );
    }
}
