//! `stroop`: words drawn in inks, and whether a model names the ink or the word.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::entry::{Fault, Kind, form};
use super::field::{Field, Preset, Type};
use super::sample::{Painted, Sample};
use super::value::{Values, counted, named, stored};
use super::zero_shot::TRUNCATE;
use crate::statistics::part;

/// Inks, by the names that prompts have for them: CSS colours, darker where a letter in them would vanish on white.
pub const INKS: [(&str, [u8; 3]); 12] = [
    ("black", [0, 0, 0]),
    ("red", [220, 0, 0]),
    ("green", [0, 140, 0]),
    ("blue", [0, 0, 230]),
    ("purple", [128, 0, 128]),
    ("orange", [255, 140, 0]),
    ("pink", [255, 105, 180]),
    ("yellow", [235, 205, 0]),
    ("brown", [139, 69, 19]),
    ("grey", [128, 128, 128]),
    ("gray", [128, 128, 128]),
    ("turquoise", [0, 180, 180]),
];

/// Most pictures of a table.
const MOST_CELLS: usize = 400;

/// Parameters of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The inks, which are also the answers to choose from.
    pub inks: Vec<String>,
    /// The words.
    pub words: Vec<String>,
    /// Templates for the inks' names.
    pub templates: Vec<String>,
    /// Whether prompts that are too long are truncated.
    pub truncate: bool,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The inks, in the order of probabilities.
    pub inks: Vec<String>,
    /// The factor of cosines before the softmax.
    pub logit_scale: f64,
    /// Each word in each ink, ink by ink.
    pub cells: Vec<Cell>,
}

/// A word in an ink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The word.
    pub word: String,
    /// Its ink, an index of [`Outcome::inks`].
    pub ink: u32,
    /// The probability of each ink, as the model sees it.
    pub probabilities: Vec<f64>,
    /// Name of the record's output with the picture: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width and height in pixels.
    pub side: u32,
}

impl Cell {
    /// The most probable ink; of equal ones the first.
    pub fn answer(&self) -> usize {
        let all = &self.probabilities;
        (0..all.len())
            .max_by(|&a, &b| all[a].total_cmp(&all[b]).then(b.cmp(&a)))
            .unwrap_or_default()
    }
}

/// How often words in inks are named after the ink.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Words that are no ink's name.
    pub control: u64,
    /// Of these, answered by the ink.
    pub control_ink: u64,
    /// Words that are the name of their ink.
    pub congruent: u64,
    /// Of these, answered by it.
    pub congruent_ink: u64,
    /// Words that are the name of another ink.
    pub incongruent: u64,
    /// Of these, answered by the ink.
    pub ink: u64,
    /// Of these, answered by the word.
    pub word: u64,
    /// Of these, answered by neither.
    pub other: u64,
    /// The mean probability of the ink over incongruent words.
    pub mean_ink: f64,
    /// The mean probability of the word over incongruent words.
    pub mean_word: f64,
    /// The mean probability of the ink over words that are no ink's name.
    pub mean_control: f64,
}

impl Outcome {
    /// Counts the answers.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for cell in &self.cells {
            let (ink, answer) = (cell.ink as usize, cell.answer());
            let of = |at: usize| cell.probabilities.get(at).copied().unwrap_or_default();
            let right = u64::from(answer == ink);
            match self.inks.iter().position(|known| known.eq_ignore_ascii_case(&cell.word)) {
                None => {
                    counts.control += 1;
                    counts.control_ink += right;
                    counts.mean_control += of(ink);
                }
                Some(word) if word == ink => {
                    counts.congruent += 1;
                    counts.congruent_ink += right;
                }
                Some(word) => {
                    counts.incongruent += 1;
                    counts.ink += right;
                    counts.word += u64::from(answer == word);
                    counts.other += u64::from(answer != word && answer != ink);
                    counts.mean_ink += of(ink);
                    counts.mean_word += of(word);
                }
            }
        }
        let mean = |sum: f64, count: u64| if count == 0 { 0.0 } else { sum / count as f64 };
        counts.mean_control = mean(counts.mean_control, counts.control);
        counts.mean_ink = mean(counts.mean_ink, counts.incongruent);
        counts.mean_word = mean(counts.mean_word, counts.incongruent);
        counts
    }
}

/// A made-up outcome of two inks and three words; `number` is among its probabilities.
pub fn sample(number: f64) -> Outcome {
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    made_up(all(&["black", "red"]), &all(&["example", "black", "red"]), number)
}

/// A made-up outcome of these inks and words, in which every answer is the second ink.
fn made_up(inks: Vec<String>, words: &[String], number: f64) -> Outcome {
    let chances = [1.0 - number, number];
    let cell = |(at, (ink, word)): (usize, (usize, &String))| Cell {
        word: word.clone(),
        ink: ink as u32,
        probabilities: (0..inks.len()).map(|at| chances.get(at).copied().unwrap_or(0.0)).collect(),
        picture: format!("{:03}.png", at + 1),
        side: 6,
    };
    let pairs = (0..inks.len()).flat_map(|ink| words.iter().map(move |word| (ink, word)));
    let cells = pairs.enumerate().map(cell).collect();
    Outcome { inks, logit_scale: 20.0, cells }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "stroop",
    summary: "words drawn in inks: whether the model names the ink or the word",
    doc: "The Stroop test: each word is drawn in each ink, on white in DejaVu Sans Bold, and the picture is classified by the inks' names, each inserted into the templates. A word is *congruent* if it is the name of its ink, *incongruent* if it is the name of another, and a control if it is the name of none. Probabilities are the softmax of cosines times the model's logit scale.\n\n\
          Published, for RN50x4, eight inks and the words `example`, red, green, blue, purple, orange, pink and yellow: the control is answered by its ink 8 times of 8, with a mean probability of 0.82; congruent words 7 of 7; incongruent words are answered by the ink 0 times of 49 and by the word 49 times, with a mean probability of 0.912 of the word and 0.082 of the ink. The article does not give the inks' colours or the font; these are our own.\n\n\
          Method: Goh et al., *Multimodal Neurons in Artificial Neural Networks*, Distill 2021, section *Typographic attacks in the wild*, figure of the Stroop effect.",
    example: "id: stroop\nkind: stroop\ninks: [black, red, green, blue]\nwords: [example, red, green, blue]\ntemplates: [\"{}\"]\n",
    impl_version: 2,
    fields: &[
        Field::compute(
            "inks",
            Type::Texts,
            "The inks, which are also the answers: among black, red, green, blue, purple, orange, pink, yellow, brown, grey, gray and turquoise.",
        )
        .or(Preset::Texts(&[
            "black", "red", "green", "blue", "purple", "orange", "pink", "yellow",
        ])),
        Field::compute("words", Type::Texts, "The words that are drawn.").or(Preset::Texts(&[
            "example", "red", "green", "blue", "purple", "orange", "pink", "yellow",
        ])),
        Field::compute(
            "templates",
            Type::Templates,
            "Texts with `{}` as a placeholder for an ink's name. Several templates are averaged.",
        )
        .or(Preset::Texts(&["my favorite word, written in the color {}"])),
        TRUNCATE,
    ],
    text: true,
    values: Values {
        named: &[
            counted("images_control", "control", "images", "Number of words that are no ink's name, in each ink."),
            counted("images_control_by_ink", "control_ink", "images", "Of these, the number that are answered by their ink."),
            counted("images_congruent", "congruent", "images", "Number of words in the ink that they name."),
            counted("images_congruent_by_ink", "congruent_ink", "images", "Of these, the number that are answered by it."),
            counted("images_incongruent", "incongruent", "images", "Number of words in another ink than they name."),
            counted("images_by_ink", "ink", "images", "Of these, the number that are answered by the ink."),
            counted("images_by_word", "word", "images", "Of these, the number that are answered by the word."),
            counted("images_by_neither", "other", "images", "Of these, the number that are answered by neither."),
            named("ink_share", "fraction", "`images_by_ink` divided by `images_incongruent`."),
            named("word_share", "fraction", "`images_by_word` divided by `images_incongruent`."),
            named("mean_ink", "fraction", "The mean probability of the ink over incongruent words."),
            named("mean_word", "fraction", "The mean probability of the word over incongruent words."),
            named("mean_control", "fraction", "The mean probability of the ink over words that are no ink's name."),
        ],
        of: |result| {
            stored(result, |outcome: Outcome, tree| {
                let counts = outcome.counts();
                *tree = json!(counts);
                tree["ink_share"] = part(counts.ink, counts.incongruent).into();
                tree["word_share"] = part(counts.word, counts.incongruent).into();
            })
        },
    },
    fault,
    form: form::<Params>,
    sample: |params, number| {
        let number = 0.5 + 0.5 / (1.0 + number.abs());
        let list = |name: &str| -> Option<Vec<String>> {
            serde_json::from_value(params.get(name)?.clone()).ok()
        };
        let outcome = match (list("inks"), list("words")) {
            (Some(inks), Some(words)) => made_up(inks, &words, number),
            _ => sample(number),
        };
        let pictures = outcome.cells.iter().map(|cell| Painted::png(&cell.picture, 6, 6)).collect();
        Sample::of(&outcome, pictures)
    },
    ..Kind::BASE
};

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let list = |name: &str| {
        let items = fields.get(name).and_then(Value::as_array);
        items.map(|items| items.iter().filter_map(Value::as_str).collect::<Vec<_>>())
    };
    let wrong = |field, message: String, hint| Some(Fault { field, message, hint });
    let hint = "the inks are black, red, green, blue, purple, orange, pink, yellow, brown, grey, gray and turquoise";
    let inks = list("inks");
    if let Some(inks) = &inks {
        let known = |ink: &&&str| INKS.iter().any(|(name, _)| *name == **ink);
        if let Some(unknown) = inks.iter().find(|ink| !known(ink)) {
            return wrong("inks", format!("there is no ink `{unknown}`"), hint);
        }
        if inks.len() < 2 {
            return wrong("inks", "a choice needs at least two inks".to_owned(), hint);
        }
    }
    let words = list("words");
    let count = |list: &Option<Vec<&str>>| list.as_ref().map_or(8, Vec::len);
    let cells = count(&inks).saturating_mul(count(&words));
    if cells > MOST_CELLS {
        let field = if count(&words) > count(&inks) { "words" } else { "inks" };
        let message = format!("{cells} pictures are too many; a table has at most {MOST_CELLS}");
        return wrong(field, message, "use fewer words or inks");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_what_the_word_names() {
        // Every answer is the second ink, red.
        let counts = sample(0.75).counts();
        assert_eq!((counts.control, counts.control_ink), (2, 1));
        assert_eq!((counts.congruent, counts.congruent_ink), (2, 1));
        assert_eq!((counts.incongruent, counts.ink, counts.word, counts.other), (2, 1, 1, 0));
        assert_eq!((counts.mean_ink, counts.mean_word, counts.mean_control), (0.5, 0.5, 0.5));
    }

    #[test]
    fn unknown_inks_and_tables_too_large_are_named() {
        let field = |block: Value| {
            let Value::Object(fields) = block else { unreachable!() };
            fault(&fields).map(|fault| (fault.field, fault.message))
        };
        assert_eq!(field(json!({})), None);
        assert_eq!(field(json!({ "inks": ["red", "black"], "words": ["a"] })), None);
        let (at, message) = field(json!({ "inks": ["red", "mauve"] })).expect("a fault");
        assert!(at == "inks" && message.contains("mauve"), "{message}");
        assert_eq!(field(json!({ "inks": ["red"] })).map(|(at, _)| at), Some("inks"));
        let many: Vec<String> = (0..51).map(|n| format!("w{n}")).collect();
        assert_eq!(field(json!({ "words": many })).map(|(at, _)| at), Some("words"));
    }
}
