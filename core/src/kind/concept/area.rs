//! An area under the ROC curve with its interval.

use crate::kind::tuple::tuple;

tuple! {
    /// An area under the ROC curve of held-out pictures.
    pub struct Auc {
        /// The area.
        pub area: f64,
        /// The lower end of its 95 % interval.
        pub low: f64,
        /// The upper end.
        pub high: f64,
    }
}
