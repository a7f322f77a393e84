//! The registry's entry of `labels`: its documentation, fields and values. Knows nothing of how labels are found.

use serde_json::json;

use super::fault::{fault, naming, trim};
use super::outcome::{Outcome, sample};
use super::params::{GroupBy, Method, Params, Truth};
use crate::kind::entry::{About, Data, Kind, Scan, form};
use crate::kind::field::{Field, Preset, Type};
use crate::kind::noise::Noise;
use crate::kind::sample::Sample;
use crate::kind::scan::POOL;
use crate::kind::value::{Values, counted, named, stored};
use crate::kind::zero_shot::TRUNCATE;

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "labels",
    summary: "the words that describe the units of a layer best, tested on images held out",
    doc: "Which word says what a unit responds to? Words are chosen by one part of the images and tested on the other, so that a label is a claim that was tested. Without `unit` all units of the layer are described.\n\n\
          `method: soft_wpmi` asks the model (CLIP-Dissect): a word is good if it is similar to the images that activate the unit most, and more so than to those of other units. For each image the similarities of all words, the cosines of the embeddings times 10, go through a softmax: P(word | image). The `strongest` images of a unit (100) belong to it with a probability p that falls from 0.998 for the first to 0.97 for the last. The score is the sum over these images of log(1 + p (P(word | image) − 1)), less the logarithm of the mean of its exponential over all units of the layer. So a word's score depends on which units the layer has and which words are listed, also if only one unit is shown.\n\n\
          `method: invert` asks the data set (INVERT): a word is good if the unit is higher for the images that show it than for the others, by the area under the ROC curve (AUC). Words are joined by *and*, *or* and *not* to formulas of at most `length` words, and a beam search keeps the best `beam` of each length. Formulas that hold for more than `widest` of the images are left out. Among so many formulas the best one fits better than it deserves; the images held out show what it is worth.\n\n\
          An image *shows* a word if its caption contains it as whole words, or, with `truth: label`, if its label is the word. Of the labels, only those are tested that some of the images held out show, and not all:\n\n\
          - **AUC**: the area under the ROC curve of the unit for these images against the others held out, 0.5 being chance, with a 95 % interval as in `unit_search`.\n\
          - **MAD**: the mean activation for these images less that for the others, in standard deviations of the others (CoSy).\n\
          - **q**: the p-value of the test of Mann and Whitney, adjusted by Benjamini and Hochberg over all labels that were tested. A label *holds* if its AUC is above 0.5 and q is below 0.05.\n\n\
          Methods: Oikarinen and Weng, *CLIP-Dissect*, ICLR 2023; Bykov et al., *Labeling Neural Representations with Inverse Recognition*, NeurIPS 2023; Kopf et al., *CoSy*, NeurIPS 2024, there with generated images in place of those held out.",
    // 2: of images with equal activations, the one with the smallest digest of its key goes first.
    impl_version: 2,
    example: "id: labels\nkind: labels\nlayer: image_block_4/0/Add_6\nunit: 42\ntexts: [apple, octopus, pineapple, tennis, moon]\n",
    fields: &[
        Field::compute(
            "unit",
            Type::Unit,
            "One channel of that layer, counted from 0. By default, all units are described.",
        ),
        POOL,
        Field::compute(
            "method",
            Type::Choice(Method::WORDS),
            "How words are chosen: `soft_wpmi`, by the model's similarity of a word to the images that activate the unit most, or `invert`, by the AUC of the unit for the images that show a word or a formula of words.",
        )
        .or(Preset::Text(Method::SoftWpmi.word())),
        Field::compute(
            "texts",
            Type::Texts,
            "The words to choose from: a list, or the name of a data set that is a list of words. By default, all labels of the data set, or all captions with `truth: caption`.",
        ),
        Field::compute(
            "truth",
            Type::Choice(Truth::WORDS),
            "What says which images show a word: their `caption`, which contains it, or their `label`, which is the word. The default is `caption` if there are `texts`, and otherwise `label`.",
        ),
        Field::compute(
            "templates",
            Type::Templates,
            "With `soft_wpmi`: texts with `{}` as a placeholder for each word. Several templates are averaged.",
        )
        .or(Preset::Texts(&["{}"])),
        TRUNCATE,
        Field::compute(
            "strongest",
            Type::Integer { min: 1, max: 1000 },
            "With `soft_wpmi`: number of a unit's strongest images that words are compared with.",
        )
        .or(Preset::Integer(100)),
        Field::compute(
            "length",
            Type::Integer { min: 1, max: 4 },
            "With `invert`: maximum number of words in a formula.",
        )
        .or(Preset::Integer(3)),
        Field::compute(
            "beam",
            Type::Integer { min: 1, max: 50 },
            "With `invert`: number of formulas that are kept from one length to the next.",
        )
        .or(Preset::Integer(5)),
        Field::compute(
            "widest",
            Type::Number { min: 0.0, max: 1.0 },
            "With `invert`: maximum fraction of the images for which a formula holds.",
        )
        .or(Preset::Number(0.5)),
        Field::compute("top", Type::Integer { min: 1, max: 50 }, "Number of labels for each unit.")
            .or(Preset::Integer(3)),
        Field::compute(
            "held_out",
            Type::Number { min: 0.05, max: 0.9 },
            "The fraction of the images that is held out, of each label or caption about the same.",
        )
        .or(Preset::Number(0.3)),
        Field::compute(
            "group_by",
            Type::Choice(GroupBy::WORDS),
            "What images have in common that stay on the same side of the split: their `caption`, their `label` or their `folder`, so that no label is tested on another picture of a thing that it was chosen by. With `truth: caption` this leaves few words that can be tested. The default is nothing.",
        ),
        Field::compute("seed", Type::Seed, "Random seed of the split.").or(Preset::Configured),
    ],
    about: About::Layer,
    text: true,
    text_unless: Some(("method", Method::Invert.word())),
    data: Data::Always,
    scan: Scan::Layer,
    captions: true,
    noise: Noise::FITTED,
    values: Values {
        named: &[
            counted("images_chosen_on", "train", "images", "Number of images that labels were chosen by."),
            counted("images_held_out", "held_out", "images", "Number of images that they are tested on."),
            named("units", "units", "Number of units of the layer."),
            counted("units_constant", "constant", "units", "Number of units with the same activation for all images, which have no label."),
            named("spoiled[n].unit", "", "The n-th unit that is left out because an activation of it is NaN or infinite; `spoiled.length` is their number."),
            named("spoiled[n].key", "", "The key of the first picture for which it is."),
            named("spoiled[n].is", "", "What the activation is: `NaN` or `infinite`."),
            named("texts", "texts", "Number of words."),
            counted("texts_per_image", "shown", "texts", "Number of words that an image is said to show."),
            counted("units_tested", "tested", "units", "Number of units whose first label could be tested."),
            counted("units_holding", "holding", "units", "Number of units whose first label holds on the images held out."),
            named("median", "", "The median AUC of the first labels on these images."),
            named("rows[n].unit", "", "The n-th unit."),
            named("rows[n].labels[n].label", "", "The n-th label of a unit; also by the unit, `rows[unit=42].labels[0].label`."),
            named("rows[n].labels[n].score", "", "The score by which it was chosen: SoftWPMI, or the AUC on these images."),
            named("rows[n].labels[n].test.images", "images", "Number of images held out that show what the label says."),
            named("rows[n].labels[n].test.auc", "", "The AUC of the unit for them."),
            named("rows[n].labels[n].test.low", "", "The lower end of its 95 % interval."),
            named("rows[n].labels[n].test.high", "", "The upper end."),
            named("rows[n].labels[n].test.mad", "standard deviations", "The difference of the means."),
            named("rows[n].labels[n].test.p", "", "The p-value."),
            named("rows[n].labels[n].test.q", "", "The p-value adjusted for the number of labels that were tested."),
        ],
        of: |result| {
            stored(result, |outcome: Outcome, tree| tree["spoiled"] = json!(outcome.spoiled))
        },
    },
    fault,
    naming,
    trim,
    form: form::<Params>,
    work: |_| 8.0,
    sample: |params, number| Sample::of(&sample(params.contains_key("unit"), number), vec![]),
    ..Kind::BASE
};
