//! Parameters of a direction: what it is made of.

use crate::kind::about::about;
use crate::kind::group::Group;
use crate::kind::term::Term;
use crate::kind::words::words;

about! {
    /// Parameters of the direction: a unit, a sum of terms, two groups of pictures, or a line of a probe.
    pub struct Params {
        /// The pictures that it points towards.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub positive: Option<Group>,
        /// The pictures that it points away from; all others of the data set if it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub negative: Option<Group>,
        /// The request key of the probe among the requests that this one uses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub probe: Option<String>,
        /// The class of the probe whose line it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub class: Option<String>,
        /// The class whose line is subtracted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub against: Option<String>,
        /// How it is found from groups.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub method: Option<Method>,
        /// Strength of the L2 penalty of the logistic regression.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub regularisation: Option<f64>,
        /// What pictures have in common that are held out together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub group_by: Option<GroupBy>,
        /// The fraction of each group that is held out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub held_out: Option<f64>,
        /// Random seed for the split and the bootstrap.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub seed: Option<u64>,
        /// Directions that are projected out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub without: Option<Vec<Vec<Term>>>,
        /// Number of its largest units that are listed.
        pub largest: u32,
        /// Number of strongest and of weakest pictures.
        pub pictures: u32,
    }
}

words! {
    /// How a direction is found from two groups.
    pub enum Method {
        /// The mean of the positive pictures less the mean of the negative ones.
        MeanDifference = "mean_difference",
        /// The weights of a logistic regression.
        Logistic = "logistic",
    }
}

words! {
    /// What pictures have in common that are held out together.
    pub enum GroupBy {
        /// Their caption.
        Caption = "caption",
    }
}
