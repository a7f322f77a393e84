//! The tokens of 10,000 texts of every kind against open_clip's, which `tests/reference/tokens.py` wrote down.

use std::fs;
use std::path::PathBuf;

use neuronotes_core::tokenizer::Tokenizer;

/// A text, the digest of its tokens, and for some the tokens.
type Line = (String, String, Option<Vec<u32>>);

/// FNV-1a with 64 bits, over the tokens as 16-bit little-endian numbers.
fn digest(tokens: &[u32]) -> String {
    let bytes = tokens.iter().flat_map(|token| (*token as u16).to_le_bytes());
    let value = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |value, byte| {
        (value ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{value:016x}")
}

fn read(path: &PathBuf) -> Vec<Line> {
    let text = fs::read_to_string(path).expect("golden lines");
    text.lines()
        .map(|line| {
            serde_json::from_str(line)
                .or_else(|_| serde_json::from_str(line).map(|(text, digest)| (text, digest, None)))
                .expect("a golden line")
        })
        .collect()
}

/// `NEURONOTES_TOKENS` may name another file that the script wrote.
#[test]
fn every_text_has_open_clips_tokens() {
    let golden =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/tokens/lines.jsonl"));
    let path = std::env::var_os("NEURONOTES_TOKENS").map_or(golden, PathBuf::from);
    let lines = read(&path);
    assert!(lines.len() >= 10_000, "{}", lines.len());
    assert!(lines.iter().filter(|line| line.2.is_some()).count() > 300);
    let clip = Tokenizer::clip();
    let mut differences = Vec::new();
    for (at, (text, expected, tokens)) in lines.iter().enumerate() {
        let own = clip.encode(text);
        if digest(&own) != *expected || tokens.as_ref().is_some_and(|tokens| *tokens != own) {
            let shown = clip.decode(&own);
            let more = tokens.as_ref().map(|tokens| format!("\n  not {tokens:?}"));
            let more = more.unwrap_or_default();
            differences
                .push(format!("line {}: {text:?}\n  gives {own:?}{more}, {shown:?}", at + 1));
        }
    }
    let (number, of) = (differences.len(), lines.len());
    differences.truncate(20);
    assert!(number == 0, "{number} of {of} texts differ:\n{}", differences.join("\n"));
}
