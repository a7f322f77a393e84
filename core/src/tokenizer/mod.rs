//! CLIP's tokenizer. Input: a text. Output: the numbers that CLIP's text encoder reads. Knows no model, no file and nothing
//! else of this crate.
//!
//! It gives the results of open_clip 3.3's `SimpleTokenizer` with ftfy 6.3.1. Known differences concern cases in which
//! open_clip's result depends on its Python, or which take it very long:
//!
//! - Characters that Unicode added after version 14, which is Python 3.11's, may be lower-cased, composed or reordered
//!   here and not there: U+1C89, a Cyrillic capital of version 16, becomes U+1C8A.
//! - A decimal reference of over 4,300 digits (`&#111…;`) is an error in Python, and U+FFFD here.
//! - Of a text over 5,000 characters with more than 64 layers, such as `&amp;amp;amp;…`, not all layers are removed;
//!   open_clip makes one pass per layer.

mod badness;
mod bpe;
mod budget;
mod clean;
mod codepage;
mod mojibake;
mod split;
mod unescape;
mod unicode;

use std::sync::LazyLock;

pub use self::unescape::unescape;

use self::bpe::{END, START, Vocabulary};
use self::split::Piece;

/// A text has more tokens than the model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text has {tokens} tokens, more than the maximum of {limit} (with start and end)")]
pub struct TooLong {
    /// The tokens of the text, with those for its start and end.
    pub tokens: usize,
    /// How many the model reads.
    pub limit: usize,
}

/// Turns text into tokens and tokens into text.
pub struct Tokenizer {
    vocabulary: Vocabulary,
}

impl Tokenizer {
    /// The tokenizer of OpenAI's CLIP, which is built at its first use.
    pub fn clip() -> &'static Self {
        static CLIP: LazyLock<Tokenizer> =
            LazyLock::new(|| Tokenizer { vocabulary: Vocabulary::clip() });
        &CLIP
    }

    /// The tokens of `text`, each below 49,408, without those for its start and end. If a text
    /// contains `<start_of_text>` or `<end_of_text>`, these become the marks' tokens, as in open_clip.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::new();
        self.each(text, |token| tokens.push(token));
        tokens
    }

    /// The `context` numbers that a text encoder reads: 49406, the text's tokens, 49407, and zeros. The
    /// time grows with the length of the text, and the memory to about 30 times it in the worst case.
    ///
    /// # Errors
    /// Fails if these are more than `context`, unless `truncate`: then the first of them are returned, with 49407 in the last
    /// place.
    pub fn tokens(&self, text: &str, context: usize, truncate: bool) -> Result<Vec<u32>, TooLong> {
        let mut tokens = Vec::with_capacity(context);
        let mut count = 0;
        let mut put = |token| {
            count += 1;
            if tokens.len() < context {
                tokens.push(token);
            }
        };
        put(START);
        self.each(text, &mut put);
        put(END);
        if count > context {
            if !truncate {
                return Err(TooLong { tokens: count, limit: context });
            }
            if let Some(last) = tokens.last_mut() {
                *last = END;
            }
        }
        tokens.resize(context, 0);
        Ok(tokens)
    }

    /// The text of `tokens`: in lower case, with a space after every word. A number that is not a token, and an incomplete
    /// character, become `�`.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let mut bytes = Vec::new();
        for &token in tokens {
            match token {
                START => bytes.extend_from_slice(b"<start_of_text>"),
                END => bytes.extend_from_slice(b"<end_of_text>"),
                _ => match self.vocabulary.bytes(token) {
                    Some((own, ends)) => {
                        bytes.extend(own);
                        bytes.extend(ends.then_some(b' '));
                    }
                    None => bytes.extend_from_slice("\u{fffd}".as_bytes()),
                },
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn each(&self, text: &str, mut take: impl FnMut(u32)) {
        for piece in split::pieces(&clean::clean(text)) {
            match piece {
                Piece::Start => take(START),
                Piece::End => take(END),
                Piece::Word(word) => self.vocabulary.encode(word.as_bytes(), &mut take),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stands_between_its_marks() {
        let clip = Tokenizer::clip();
        assert_eq!(clip.tokens("hello world", 6, false), Ok(vec![49406, 3306, 1002, 49407, 0, 0]));
        assert_eq!(clip.tokens("", 3, false), Ok(vec![49406, 49407, 0]));
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_or_cut() {
        let clip = Tokenizer::clip();
        let error = clip.tokens("hello world", 3, false).expect_err("four tokens");
        assert_eq!(error, TooLong { tokens: 4, limit: 3 });
        insta::assert_snapshot!(error, @"a text has 4 tokens, more than the maximum of 3 (with start and end)");
        assert_eq!(clip.tokens("hello world", 3, true), Ok(vec![49406, 3306, 49407]));
        assert_eq!(clip.tokens("hello world", 0, true), Ok(vec![]));
    }

    #[test]
    fn tokens_are_shown_as_text() {
        let clip = Tokenizer::clip();
        let text = "a photo of a café , 10 % 🙂 !!! ";
        let tokens = clip.encode(text);
        assert_eq!(clip.decode(&tokens), "a photo of a café , 1 0 % 🙂 !!! ");
        assert_eq!(
            clip.decode(&[49406, 3306, 49407, 70000]),
            "<start_of_text>hello <end_of_text>�"
        );
    }

    #[test]
    fn a_long_text_is_no_harm() {
        let clip = Tokenizer::clip();
        let check = |pattern: &str, bytes: usize| {
            let text = pattern.repeat(bytes / pattern.len());
            let start = std::time::Instant::now();
            let result = clip.tokens(&text, 77, false);
            assert!(start.elapsed().as_secs() < 120, "{pattern:?}");
            assert_eq!(result.is_ok(), pattern == "\n", "{pattern:?}");
        };
        check("\n", 10_000_000);
        check("&", 1_000_000);
        for pattern in ["a dog, ", "âœ” ", "âœ\u{94}\n", "&amp;", "\u{301}", "<", "\u{1b}[1", "Ã "]
        {
            check(pattern, 200_000);
        }
    }
}
