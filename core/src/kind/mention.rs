//! Which words are said where: labels or captions in; the places of those that say a word out.

use std::collections::HashMap;

use super::group::{has, words};
use super::probe::Truth;

/// Labels or captions by the words that they say.
#[derive(Debug, Clone)]
pub struct Mentions {
    truth: Truth,
    /// Each as words; a label as one.
    said: Vec<Vec<String>>,
    /// The places at which a word is, in order.
    by_word: HashMap<String, Vec<usize>>,
}

impl Mentions {
    /// Reads labels or captions.
    pub fn of<'a>(truth: Truth, texts: impl Iterator<Item = &'a str>) -> Self {
        let said: Vec<Vec<String>> = texts.map(|text| split(truth, text)).collect();
        let mut by_word: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, words) in said.iter().enumerate() {
            for word in words {
                let places = by_word.entry(word.clone()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        Self { truth, said, by_word }
    }

    /// The places of the labels that are a text, in any case, or of the captions that contain it as whole words, in order.
    pub fn places(&self, text: &str) -> Vec<usize> {
        let wanted = split(self.truth, text);
        let Some(places) = wanted.first().and_then(|first| self.by_word.get(first)) else {
            return vec![];
        };
        places.iter().copied().filter(|place| has(&self.said[*place], &wanted)).collect()
    }
}

fn split(truth: Truth, text: &str) -> Vec<String> {
    match truth {
        Truth::Label => vec![text.to_lowercase()],
        Truth::Caption => words(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_contain_whole_words_and_labels_are_equal() {
        let texts = ["a black cat", "Black Cat", "a cat, asleep", "category"];
        let captions = Mentions::of(Truth::Caption, texts.into_iter());
        assert_eq!(captions.places("black cat"), [0, 1]);
        assert_eq!(captions.places("CAT"), [0, 1, 2]);
        assert_eq!(captions.places("cat black"), [0usize; 0]);
        assert_eq!(captions.places("…"), [0usize; 0]);
        let labels = Mentions::of(Truth::Label, texts.into_iter());
        assert_eq!(labels.places("black cat"), [1]);
        assert_eq!(labels.places("cat"), [0usize; 0]);
    }
}
