//! `unit_rank`: where a unit stands among the units of its layer.

use serde::{Deserialize, Serialize};

use super::about::about;
use super::entry::{About, Data, Kind, Scan, form};
use super::field::{Field, Preset, Type};
use super::sample::Sample;
use super::scan::{POOL, Pool};
use super::target;
use super::value::{Values, counted, named, stored};

/// Default of [`Params::deviations`].
pub const DEVIATIONS: f64 = 3.0;

/// The names of the measures, in the order of the documentation.
pub const MEASURES: [&str; 5] = ["mean", "sd", "kurtosis", "peak", "above"];

about! {
    /// Parameters of the ranks.
    pub struct Params {
        /// The pooling of an activation map to one number.
        pub pool: Pool,
        /// Number of standard deviations above the mean beyond which images are counted.
        pub deviations: f64,
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images in the data set.
    pub count: u64,
    /// Number of other units of the layer that it is compared with.
    pub units: u64,
    /// Number of others that are left out, since they have the same activation for every image, or one that is NaN or infinite.
    pub left_out: u64,
    /// The ranks, in the order of [`MEASURES`].
    pub ranks: Vec<Rank>,
}

/// The rank by one measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rank {
    /// The measure, one of [`MEASURES`].
    pub measure: String,
    /// The unit's own number; `None` if its activations are all the same, so that the measure is not defined.
    pub value: Option<f64>,
    /// Number of other units with a greater number.
    pub greater: u64,
    /// Number of other units with the same number.
    pub equal: u64,
    /// The median of the other units' numbers; `None` if there are no others.
    pub median: Option<f64>,
}

impl Rank {
    /// 1 for the greatest number; equal ones share the first of their ranks. `None` if the unit has no number.
    pub fn rank(&self) -> Option<u64> {
        self.value.map(|_| self.greater + 1)
    }
}

/// A made-up outcome in which the unit's kurtosis is this.
pub fn sample(kurtosis: f64) -> Outcome {
    let rank = |(at, name): (usize, &&str)| Rank {
        measure: (*name).to_owned(),
        value: Some(if *name == "kurtosis" { kurtosis } else { 0.25 * (at + 1) as f64 }),
        greater: 30 * at as u64,
        equal: u64::from(at == 4),
        median: Some(0.5),
    };
    let ranks = MEASURES.iter().enumerate().map(rank).collect();
    Outcome { count: 6, units: 159, left_out: 1, ranks }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "unit_rank",
    summary: "where a unit or a direction stands among the units of its layer",
    doc: "A unit whose distribution has a heavy tail is remarkable only if its neighbours' do not. This kind ranks the unit (or the direction) among the other units of the layer by five numbers of their pooled activations over the data set:\n\n\
          - `mean`, and `sd`, the standard deviation of the population;\n\
          - `kurtosis`: the excess kurtosis;\n\
          - `peak`: how many standard deviations the greatest activation is above the mean;\n\
          - `above`: the fraction of images more than `deviations` standard deviations above the mean.\n\n\
          Rank 1 is the greatest number; equal numbers share the first of their ranks. Other units with the same activation for every image, or with one that is NaN or infinite, are left out and counted. A direction is compared with the units, which have their own scale: of its ranks, those by mean and standard deviation depend on its length. Everything comes from the stored scan of the layer, without a forward pass.\n\n\
          With `controls:` in `neuronotes.yaml`, every `activation_histogram` has these ranks in a fold under the figure.",
    example: "id: rank\nkind: unit_rank\nlayer: image_block_4/0/Add_6\nunit: 42\n",
    fields: &[
        POOL,
        Field::compute(
            "deviations",
            Type::Number { min: 0.0, max: 1000.0 },
            "Number of standard deviations above the mean beyond which images are counted.",
        )
        .or(Preset::Number(DEVIATIONS)),
    ],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    values: Values {
        named: &[
            counted("images", "count", "images", "Number of images in the data set."),
            named("units", "units", "Number of other units that it is compared with."),
            counted(
                "units_left_out",
                "left_out",
                "units",
                "Number of other units that do not vary over the data set, or have an activation that is NaN or infinite.",
            ),
            named("ranks[n].measure", "", "The n-th measure, in the order above."),
            named(
                "ranks[n].value",
                "",
                "The unit's own number; also by the measure, `ranks[measure=kurtosis].value`.",
            ),
            named("ranks[n].rank", "", "Its rank; 1 is the greatest number."),
            counted(
                "ranks[n].units_greater",
                "greater",
                "units",
                "Number of other units with a greater number.",
            ),
            counted(
                "ranks[n].units_equal",
                "equal",
                "units",
                "Number of other units with the same number.",
            ),
            named("ranks[n].median", "", "The median of the other units' numbers."),
        ],
        of: |result| {
            stored(result, |outcome: Outcome, tree| {
                for (at, rank) in outcome.ranks.iter().enumerate() {
                    tree["ranks"][at]["rank"] = serde_json::json!(rank.rank());
                }
            })
        },
    },
    fault: target::pooling,
    form: form::<Params>,
    work: |_| 2.0,
    sample: |_, number| Sample::of(&sample(number), vec![]),
    ..Kind::BASE
};
