//! The registry of measurements: how each kind of `neuronotes_core::kind` is measured.
//!
//! A new kind is one file here, under the name it has there, and one line in [`MEASURES`]. A measurement
//! reads its inputs through the [`Workbench`], which checks their digests.

mod ablate;
mod activation_histogram;
mod attack;
mod attribution;
mod category;
mod category_response;
mod composition;
pub mod concept;
mod conditional;
mod controls;
mod dataset_examples;
mod direction;
mod drawn_words;
mod facet;
mod feature_vis;
mod inline;
mod labels;
mod line;
mod moments;
mod probe;
mod quiz;
mod rows;
mod scan;
mod selectivity;
mod sheet;
mod sparse_code;
mod stroop;
mod target;
mod term;
mod text_rank;
mod text_span;
mod tiles;
mod truth;
mod unit_quality;
mod unit_rank;
mod unit_search;
mod unit_similarity;
mod unit_summary;
mod zero_shot;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{self, Kind};
use neuronotes_core::request::Request;

use crate::failure::Failure;
use crate::workbench::Workbench;

/// How a kind is measured.
#[derive(Debug)]
pub struct Measure {
    /// The kind's name in requests.
    pub name: &'static str,
    /// The version that is measured here.
    pub impl_version: u32,
    /// The function that adds outputs to the record of a workbench.
    pub run: Run,
}

/// The function that measures, for one request or several.
#[derive(Debug)]
pub enum Run {
    /// Measures one request at a time.
    Alone(fn(&mut Workbench<'_>) -> Result<(), Failure>),
    /// Measures requests that share work, each with the result that it would have alone.
    Together {
        /// Equal for requests that can be measured together.
        batch_key: fn(&Request) -> Digest,
        /// Returns a result for each workbench.
        run: fn(&mut [Workbench<'_>]) -> Vec<Result<(), Failure>>,
    },
}

/// Every measurement.
pub static MEASURES: &[Measure] = &[
    Measure {
        name: kind::scan::NAME,
        impl_version: kind::scan::IMPL_VERSION,
        run: Run::Together { batch_key: scan::batch_key, run: scan::run },
    },
    Measure::together(&kind::feature_vis::KIND, feature_vis::batch_key, feature_vis::run),
    Measure::alone(&kind::facet::KIND, facet::run),
    Measure::alone(&kind::probe::KIND, probe::run),
    Measure::alone(&kind::composition::KIND, composition::run),
    Measure::alone(&kind::attribution::KIND, attribution::run),
    Measure::alone(&kind::dataset_examples::KIND, dataset_examples::run),
    Measure::alone(&kind::controls::KIND, controls::run),
    Measure::alone(&kind::activation_histogram::KIND, activation_histogram::run),
    Measure::alone(&kind::unit_rank::KIND, unit_rank::run),
    Measure::alone(&kind::unit_summary::KIND, unit_summary::run),
    Measure::alone(&kind::category_response::KIND, category_response::run),
    Measure::alone(&kind::conditional::KIND, conditional::run),
    Measure::alone(&kind::selectivity::KIND, selectivity::run),
    Measure::alone(&kind::quiz::KIND, quiz::run),
    Measure::alone(&kind::drawn_words::KIND, drawn_words::run),
    Measure::alone(&kind::zero_shot::KIND, zero_shot::run),
    Measure::alone(&kind::text_rank::KIND, text_rank::run),
    Measure::alone(&kind::text_span::KIND, text_span::run),
    Measure::alone(&kind::direction::KIND, direction::run),
    Measure::alone(&kind::concept::KIND, concept::run),
    Measure::alone(&kind::sparse_code::KIND, sparse_code::run),
    Measure::alone(&kind::unit_search::KIND, unit_search::run),
    Measure::alone(&kind::labels::KIND, labels::run),
    Measure::alone(&kind::unit_quality::KIND, unit_quality::run),
    Measure::alone(&kind::unit_similarity::KIND, unit_similarity::run),
    Measure::alone(&kind::attack::KIND, attack::run),
    Measure::alone(&kind::stroop::KIND, stroop::run),
    Measure::alone(&kind::ablate::KIND, ablate::run),
];

impl Measure {
    /// A kind whose requests are measured one at a time.
    const fn alone(
        kind: &'static Kind,
        run: fn(&mut Workbench<'_>) -> Result<(), Failure>,
    ) -> Self {
        Self { name: kind.name, impl_version: kind.impl_version, run: Run::Alone(run) }
    }

    /// A kind whose requests share work if their `batch_key` is equal.
    const fn together(
        kind: &'static Kind,
        batch_key: fn(&Request) -> Digest,
        run: fn(&mut [Workbench<'_>]) -> Vec<Result<(), Failure>>,
    ) -> Self {
        let run = Run::Together { batch_key, run };
        Self { name: kind.name, impl_version: kind.impl_version, run }
    }

    /// Equal for requests that can be measured together; `None` for those that are measured alone.
    pub fn batch_key(request: &Request) -> Option<Digest> {
        match Self::of(&request.kind, request.impl_version).ok()?.run {
            Run::Alone(_) => None,
            Run::Together { batch_key, .. } => Some(batch_key(request)),
        }
    }

    /// The measurement of a kind, in exactly that version.
    ///
    /// # Errors
    /// If this lab does not know the kind, or measures another version of it.
    pub fn of(kind: &str, impl_version: u32) -> Result<&'static Self, Failure> {
        let hint = "build `neuronotes` and `neuronotes-lab` from the same sources";
        let measure = MEASURES.iter().find(|measure| measure.name == kind);
        let measure = measure.ok_or_else(|| {
            Failure::outside(format!("the lab knows no analysis `{kind}`")).hint(hint)
        })?;
        if measure.impl_version != impl_version {
            return Err(Failure::outside(format!(
                "the lab measures version {} of `{kind}`, and was asked for version {impl_version}",
                measure.impl_version
            ))
            .hint(hint));
        }
        Ok(measure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use neuronotes_core::kind::KINDS;

    #[test]
    fn every_kind_that_a_note_can_ask_for_is_measured() {
        for kind in KINDS {
            assert!(Measure::of(kind.name, kind.impl_version).is_ok(), "{}", kind.name);
            assert!(Measure::of(kind.name, kind.impl_version + 1).is_err());
        }
        assert!(Measure::of("astrology", 1).is_err());
    }
}
