//! The registry's entry.

use serde_json::{Value, json};

use super::fault::{fault, naming};
use super::outcome::{Outcome, sample};
use super::params::{By, GroupBy, Params, Way};
use crate::kind::entry::{About, Data, Kind, Scan, form};
use crate::kind::field::{Field, Preset, Type};
use crate::kind::sample::Sample;
use crate::kind::scan::POOL;
use crate::kind::value::{Values, counted, named, stored};

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "selectivity",
    summary: "how well a unit or a direction finds the images of each category, and whether that is more than the best of many units reaches by chance",
    doc: "Says in numbers what \"a unit for hearts\" means. The images of a category are compared with all others by the unit's pooled activation. A category is a label of the data set, a caption, or words in captions (`by`); several of these together; or one of the garden's `lists` (`lists: hands`), whose texts are then part of the request: a changed list is measured again. For each category and unit:\n\n\
          - **AUC**: the area under the ROC curve, the fraction of pairs of an image of the category and another one in which the unit is higher for the former, equal ones counting half. 0.5 is chance, 1 perfect.\n\
          - **Average precision**: rank all images, the strongest first; at each image of the category take the fraction of images so far that are of it; the mean of these. It counts what is among the strongest, the AUC the whole range. Equal activations are taken together, as in scikit-learn's `average_precision_score`. Its chance level is the mean over all orders of the images, a little above the fraction of images that are of the category.\n\
          - **Interval**: the central 95 % of 2,000 bootstrap resamples that draw as many images of the category and as many others as there are (Efron and Tibshirani 1993). With fewer than five of either there is none. At an AUC of exactly 0 or 1 it has no length, because every resample is perfect too; `unit_search` has an interval that has one.\n\
          - **Rank and p**: among all units of the layer. The category's images are drawn by lot `permutations` times, and each time the greatest statistic of *all* units is kept (Mann and Whitney's, standardised, with the correction for ties). p is the fraction of these at least as great as the unit's own: max-T, Westfall and Young 1993, single step. So it is adjusted for the unit having been picked as the best of the layer on the same images. Rows of several categories are not adjusted for each other. `alone` is the p-value without that adjustment, right only for a unit that was chosen by other images. The smallest p is 1 / (`permutations` + 1).\n\
          - **Of its strongest images**: how many of the strongest images are of the category, of as many as the category has, and the rank of the first one that is not.\n\n\
          A unit that was chosen by the images that it is then tested on looks better than it is. `choose` and `test` are groups of the data set (`labels`, `captions` or `keys`, in which `*` stands for any text, such as `*--noto`), or `held_out` divides the images by a hash of their key, caption, label or folder. Without a `unit`, the one of the layer that stands out most on the images of `choose` is tested on those of `test`, for each category. With a `unit`, the categories are ordered by their AUC on `choose`, so that the first may be quoted as chosen. An image in both is an error.\n\n\
          Uses the same stored scan of the layer as `dataset_examples`: no forward pass. Units with a NaN or an infinite activation are left out and named; units that are the same for all images have no rank.",
    // 2: of images with equal activations, the one with the smallest digest of its key goes first.
    impl_version: 2,
    example: "id: selective\nkind: selectivity\nlayer: image_block_4/0/Add_6\nunit: 42\nby: word\ncategories: [apple, octopus]\n",
    fields: &[
        Field::compute(
            "categories",
            Type::Categories,
            "A list of labels, or a mapping of categories to the labels in each: `{ plants: [tree, flower], animals: [cat] }`. With `by`, captions or words in place of labels. Without it, each label, or each caption, is a category.",
        ),
        Field::compute(
            "lists",
            Type::Lists,
            "Names of `lists` in `neuronotes.yaml`, one or several: each list is a category, after those of `categories`, and `by` says what of an image is compared with its texts.",
        ),
        Field::compute(
            "by",
            Type::Choice(By::WORDS),
            "What makes an image one of a category: its `label` is one of the names, its whole `caption` is, or its caption contains one as whole words in any case (`word`). With words an image may be in several categories.",
        )
        .or(Preset::Text(By::Label.word())),
        Field::compute(
            "also",
            Type::Channels,
            "Other units of the layer, each with a row of its own beside that of `unit`.",
        ),
        Field::compute(
            "choose",
            Type::Group,
            "The images by which a unit or a category is chosen: `labels`, `captions` or `keys` of the data set. Without it, all that are not in `test` if there is no `unit`, and none otherwise.",
        ),
        Field::compute(
            "test",
            Type::Group,
            "The images that it is tested on, in the same way. By default, all that are not in `choose`.",
        ),
        Field::compute(
            "held_out",
            Type::Number { min: 0.05, max: 0.95 },
            "Instead of `choose` and `test`: the fraction of the images that is tested on, divided by a hash, so that an image stays on its side when others are added.",
        ),
        Field::compute(
            "group_by",
            Type::Choice(GroupBy::WORDS),
            "What images have in common that stay on the same side of `held_out`: their `caption`, their `label` or their `folder`. The default is nothing.",
        ),
        Field::compute(
            "way",
            Type::Choice(Way::WORDS),
            "Which way a unit stands out, for its choice, its rank and p: `higher` for the category, or `either` way.",
        )
        .or(Preset::Text(Way::Higher.word())),
        Field::compute(
            "permutations",
            Type::Integer { min: 100, max: 100_000 },
            "Number of permutations.",
        )
        .or(Preset::Integer(1000)),
        Field::compute(
            "seed",
            Type::Seed,
            "Random seed of the permutations, the resamples and the hash.",
        )
        .or(Preset::Configured),
        POOL,
        Field::presentation(
            "score",
            Type::Choice(&["auc", "precision"]),
            "What the figure draws: the `auc`, or the average `precision`. The table has both.",
        )
        .or(Preset::Text("auc")),
        Field::presentation(
            "curves",
            Type::Flag,
            "Whether the ROC curve and the curve of precision over recall of the first rows are drawn too.",
        )
        .or(Preset::Flag(false)),
        Field::presentation(
            "most",
            Type::Integer { min: 1, max: 200 },
            "Greatest number of rows that are drawn; the table has all.",
        )
        .or(Preset::Integer(24)),
    ],
    about: About::Target,
    data: Data::Always,
    scan: Scan::Layer,
    captions: true,
    values: Values {
        named: &[
            named("images", "images", "Number of images that are tested on."),
            counted("images_chosen_on", "chosen_on", "images", "Number of images that a unit or a category is chosen by; 0 if nothing is."),
            counted("images_unused", "unused", "images", "Number of images on neither side."),
            named("units", "units", "Number of units of the layer."),
            counted("units_compared", "compared", "units", "Number of units that p-values are adjusted for: those that vary, and the direction if there is one."),
            named("permutations_drawn", "permutations", "Number of permutations."),
            named("rows[n].name", "", "The category of the n-th row; also `rows[name=heart]`."),
            named("rows[n].unit", "", "Its unit."),
            named("rows[n].chosen", "", "Its AUC on the images of `choose`."),
            counted("rows[n].images_positive", "positive", "images", "Number of images of the category among those tested on."),
            counted("rows[n].images_negative", "negative", "images", "Number of others among them."),
            named("rows[n].auc", "", "The AUC."),
            named("rows[n].auc_low", "", "The lower end of its 95 % interval."),
            named("rows[n].auc_high", "", "The upper end."),
            named("rows[n].precision", "", "The average precision."),
            named("rows[n].precision_low", "", "The lower end of its 95 % interval."),
            named("rows[n].precision_high", "", "The upper end."),
            named("rows[n].chance", "", "The average precision by chance."),
            counted("rows[n].images_hit", "hits", "images", "How many of the strongest images are of the category, of as many as `images_positive`."),
            named("rows[n].first_other", "", "The rank of the strongest image that is not of the category, from 1."),
            named("rows[n].rank", "", "The rank of the unit among all, from 1."),
            named("rows[n].p", "", "The p-value adjusted for all units (max-T)."),
            named("rows[n].alone", "", "The p-value of the unit alone."),
            named("untested[n].name", "", "A category without images, or without others, among those tested on."),
            counted("untested[n].images_positive", "positive", "images", "Number of its images among them."),
            named("spoiled[n].unit", "", "The n-th unit that is left out because an activation of it is NaN or infinite; `spoiled.length` is their number."),
            named("spoiled[n].key", "", "The key of the first picture for which it is."),
            named("spoiled[n].is", "", "What the activation is: `NaN` or `infinite`."),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    naming,
    form: form::<Params>,
    work: |_| 4.0,
    sample: |_, number| Sample::of(&sample(number), vec![]),
    ..Kind::BASE
};

/// The ends of intervals by name. The number of permutations has another name than the field.
fn derive(outcome: Outcome, tree: &mut Value) {
    tree["permutations_drawn"] = json!(outcome.permutations);
    tree["spoiled"] = json!(outcome.spoiled);
    for (index, row) in outcome.rows.iter().enumerate() {
        let tree = &mut tree["rows"][index];
        for (name, interval) in [("auc", row.auc_interval), ("precision", row.precision_interval)] {
            tree[format!("{name}_low")] = json!(interval.map(|(low, _)| low));
            tree[format!("{name}_high")] = json!(interval.map(|(_, high)| high));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_without_an_interval_has_no_ends_of_one() {
        let tree = KIND.values.tree(serde_json::to_value(sample(0.75)).expect("JSON"));
        let tree = tree.expect("a tree");
        assert_eq!(
            (&tree["rows"][0]["auc_low"], &tree["rows"][0]["auc_high"]),
            (&json!(0.625), &json!(0.8125))
        );
        assert_eq!(tree["rows"][1]["precision_high"], Value::Null);
        assert!(tree["rows"][0].get("roc").is_none());
    }

    #[test]
    fn an_image_keeps_its_side_and_about_the_fraction_is_held_out() {
        let params = |seed: u64| -> Params {
            serde_json::from_value(json!({
                "layer": "visual.layer4.0", "unit": 1, "way": "higher", "permutations": 100, "seed": seed, "pool": "mean",
            }))
            .expect("parameters")
        };
        let held =
            |seed| (0..4000).filter(|at| params(seed).is_held_out(0.3, &at.to_string())).count();
        assert!((1100..1300).contains(&held(0)), "{}", held(0));
        let sides = |seed| {
            (0..50).map(|at| params(seed).is_held_out(0.5, &at.to_string())).collect::<Vec<_>>()
        };
        assert_eq!(sides(1), sides(1));
        assert_ne!(sides(1), sides(2));
    }
}
