//! The registry's entry of `sparse_code`: its documentation, fields and values. Knows nothing of how sums are found.

use serde_json::{Value, json};

use super::fault::{fault, naming};
use super::outcome::{Coded, Outcome, sample};
use super::params::{Method, Objective, Params, Sign};
use super::weighed::equation;
use crate::kind::entry::{Data, Kind, Scan, form};
use crate::kind::field::{Field, Preset, Takes, Type};
use crate::kind::noise::Noise;
use crate::kind::sample::{Painted, Sample};
use crate::kind::value::{Values, counted, named, stored};
use crate::kind::zero_shot::TRUNCATE;

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "sparse_code",
    summary: "texts or pictures as short sums of units of a layer, or of words",
    doc: "Each text (`texts`), picture (`images`, `use`) or drawn word (`words`) becomes an equation: a sum of few terms, each a number times a unit of `layer`, or times a word of `vocabulary`.\n\n**Units.** Up to the embedding, a layer directly below the attention pool (`image_block_4/5/Add_6` in RN50x4), and the output of the last LayerNorm of a vision transformer, is read by a matrix W (below the pool, for activations that are the same everywhere); the attribution vector of an embedding x is W x, how much each unit adds to the similarity with x. With `objective: contrast`, the article's emotion table, the attribution vectors of all prompts and texts are the rows of a sparse regression whose target is 1 for the prompts of one text and 0 for those of all others: the coefficients tell the text from the rest of the list. The article's regression is logistic; this one is by least squares. With `objective: rebuild`, the sum of units' own directions (the rows of W) is fitted to the embedding.\n\nEach equation is given twice: as it was found, and after the article's clean-up, which leaves out the units in `drop`, divides by the largest coefficient, puts positive terms first, keeps four, and omits what is then at most 0.05.\n\n**Words.** With `vocabulary`, the embedding is fitted by the sum of the words' embeddings, as SpLiCE does: the words' mean is subtracted from each word, that of the data set's pictures (for texts, that of the words) from the embedding, all are normalised, and `|z − Cᵀw|² + λ |w|₁` is minimised with no negative coefficient. For the cosine that is shown, the mean is added again.\n\nA lasso is exact: its duality gap is at most 10⁻⁸ of the squared length of the target, or the measurement fails. Its coefficients are shrunk by the penalty; those of a pursuit are not. `residual` is the length of what is left, as a part of the length of what was fitted.\n\nWith few rows or many columns, sums of anything fit well. `random` is the control: each unit or word is replaced by a vector of the same length and a random direction in the embedding, and sums of at most as many terms are found among these in the same way. A cosine or a correlation says something about the units or words as far as it is above that of random ones.\n\nMethods: Goh et al., *Multimodal Neurons in Artificial Neural Networks*, Distill 2021; Bhalla et al., *Interpreting CLIP with Sparse Linear Concept Embeddings (SpLiCE)*, NeurIPS 2024; Tibshirani, *Regression Shrinkage and Selection via the Lasso*, 1996; Pati, Rezaiifar and Krishnaprasad, *Orthogonal Matching Pursuit*, 1993.",
    example: "id: hearts\nkind: sparse_code\ntexts: [red heart, blue heart, star, sun, wolf, guitar]\nlayer: image_block_4/1/Add_6\nterms: 4\ndrop: [12]\n",
    impl_version: 2,
    fields: &[
        Field::compute(
            "texts",
            Type::Texts,
            "The texts: a list, or the name of a data set that is a list of words. At most 200.",
        ),
        Field::compute(
            "images",
            Type::Pictures,
            "Pictures instead of texts: paths in the garden.",
        ),
        Field::compute(
            "words",
            Type::Texts,
            "Words, each drawn as a picture, instead of texts: a list, or the name of a data set that is a list of words. At most 200.",
        ),
        Field::compute(
            "use",
            Type::Blocks(Takes::PICTURES),
            "Figures whose pictures are coded instead of texts: the id of a `feature_vis` or `dataset_examples`, `note#id` for another note's, or a list of those.",
        ),
        Field::compute(
            "layer",
            Type::Layer,
            "The layer whose units are the terms; it must be one that the embedding reads by a matrix: the sum or the output of a ResNet's last block, or the output of a vision transformer's last LayerNorm.",
        ),
        Field::compute(
            "vocabulary",
            Type::Texts,
            "The words that are the terms, instead of `layer`: a list, or the name of a data set that is a list of words. They are embedded without a template.",
        ),
        Field::compute(
            "templates",
            Type::Templates,
            "Texts with `{}` as a placeholder for each text. For a contrast, each template is a row of its own; otherwise several templates are averaged.",
        )
        .or(Preset::Texts(&["{}"])),
        TRUNCATE,
        Field::compute(
            "objective",
            Type::Choice(Objective::WORDS),
            "What a sum is fitted to: `contrast`, which of the listed texts or pictures it is; `rebuild`, the embedding. The default is `contrast` for units, and `rebuild`, the only one, for words.",
        ),
        Field::compute(
            "method",
            Type::Choice(Method::WORDS),
            "How the terms are found: `lasso`, or `pursuit`, orthogonal matching pursuit.",
        )
        .or(Preset::Text(Method::Lasso.word())),
        Field::compute(
            "sign",
            Type::Choice(Sign::WORDS),
            "Whether coefficients may be negative. The default is `any` for units and for a pursuit, and `positive` for words.",
        ),
        Field::compute(
            "terms",
            Type::Integer { min: 1, max: 64 },
            "The most terms of a sum. A lasso follows a path of falling penalties and takes the last one before there are more. The default is 6, unless `penalty` is given or the terms are words.",
        ),
        Field::compute(
            "penalty",
            Type::Number { min: 1e-6, max: 1000.0 },
            "The lasso's λ in `|y − Xw|² + λ |w|₁`, instead of `terms`. The default for words is 0.25, SpLiCE's for a single picture.",
        ),
        Field::compute(
            "center",
            Type::Flag,
            "Whether a mean is subtracted before a sum is fitted to embeddings: for words as in SpLiCE, for units that of the listed texts or pictures.",
        )
        .or(Preset::Flag(true)),
        Field::compute(
            "drop",
            Type::Channels,
            "Units that the cleaned equations leave out, such as those for spelling or for bigrams in the article. The equations as they were found keep them.",
        ),
        Field::compute(
            "random",
            Type::Integer { min: 1, max: 100 },
            "Number of random dictionaries for comparison: the figure shows the mean cosine or correlation of sums of as many terms of these. The time rises in proportion. The default is none.",
        ),
        // Not a `Type::Seed`, whose default is written into every request, also those without anything random.
        Field::compute(
            "seed",
            Type::Integer { min: 0, max: u32::MAX as i64 },
            "Random seed of `random`. The default is 0.",
        ),
    ],
    text: true,
    data: Data::Unless(&["texts", "layer"]),
    scan: Scan::Embedding,
    noise: Noise { aside: &["items[n].gap"], ..Noise::FITTED },
    values: Values {
        named: &[
            named("rows", "", "Rows of the regression."),
            counted("terms_available", "columns", "terms", "How many units or words there were to choose from."),
            named("items[n].text", "", "The n-th text, or the word that was drawn."),
            counted("items[n].terms_found", "count", "terms", "The number of terms as found, also called L0."),
            named("items[n].equation", "", "The equation as found, in one line; also by the text, `items[text=heart].equation`."),
            named("items[n].cleaned_equation", "", "The equation after the clean-up, in one line; only for units."),
            named("items[n].terms[n].unit", "", "A term's unit; only for units."),
            named("items[n].terms[n].word", "", "A term's word; only for words."),
            named("items[n].terms[n].coefficient", "", "A term's coefficient; also by the unit, `terms[unit=5].coefficient`."),
            named("items[n].cleaned[n].unit", "", "The unit of a term after the clean-up."),
            named("items[n].cleaned[n].word", "", "Always empty: only equations of units are cleaned."),
            named("items[n].cleaned[n].coefficient", "", "Its coefficient."),
            named("items[n].cosine", "", "The cosine of the sum as found, its mean added again, with the embedding; for a contrast, the correlation with what it was fitted to."),
            named("items[n].alone", "", "The cosine of the mean alone with the embedding, if one was subtracted."),
            named("items[n].chance.mean", "", "The same for sums of random terms, with `random`: the mean."),
            named("items[n].chance.low", "", "The smallest of these."),
            named("items[n].chance.high", "", "The greatest of these."),
            named("items[n].residual", "fraction", "The length of what is left, divided by the length of what the sum was fitted to."),
            named("items[n].penalty", "", "λ, for a lasso."),
            named("items[n].gap", "", "The lasso's duality gap, divided by the squared length of what the sum was fitted to."),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    naming,
    form: form::<Params>,
    sample: |params, number| {
        let of_pictures = !params.contains_key("texts");
        let pictures = of_pictures.then(|| Painted::png("001.png", 6, 4));
        Sample::of(&sample(number, of_pictures), pictures.into_iter().collect())
    },
    ..Kind::BASE
};

fn derive(outcome: Outcome, tree: &mut Value) {
    let item = |coded: &Coded| {
        json!({
            "text": coded.text,
            "count": coded.terms.len(),
            "equation": equation(&coded.terms),
            "cleaned_equation": coded.cleaned.as_deref().map(equation),
            "terms": coded.terms,
            "cleaned": coded.cleaned,
            "cosine": coded.cosine,
            "alone": coded.alone,
            "chance": coded.chance,
            "residual": coded.residual,
            "penalty": coded.penalty,
            "gap": coded.gap,
        })
    };
    tree["items"] = outcome.items.iter().map(item).collect();
}
