//! Measures `category_response`: the median and the quartiles of a unit's activations in each category of images.

use neuronotes_core::kind::category_response::{Outcome, Params, Response};
use neuronotes_core::statistics::quantile;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use super::category::{Names, Rest, Sorted, by_dataset, by_raters};
use super::target::Target;
use crate::failure::Failure;
use crate::table::{Scanned, nothing_read, summary};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let about = (params.unit, params.direction.as_deref());
    let scans = Target::of(bench, &params.layer, about, params.pool)?.scans(bench)?;
    let categories = params.categories.as_deref();
    let sorted = match &params.labels {
        None => by_dataset(bench, &scans, categories, params.by, Rest::Out)?,
        Some(files) => {
            let names = Names::of(&scans);
            by_raters(bench, &names, categories, (files.as_slice(), params.decide), None)?
        }
    };
    let outcome = outcome(&scans, sorted).ok_or_else(|| nothing_read(bench))?;
    if outcome.labelled == 0 {
        return Err(Failure::new("no image of the data set is in one of the categories"));
    }
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The responses; `None` if there are no images.
fn outcome(scans: &[Scanned], sorted: Sorted) -> Option<Outcome> {
    let values: Vec<f64> = scans.iter().flat_map(|scan| scan.activations.clone()).collect();
    if values.is_empty() {
        return None;
    }
    let summary = summary(&values);
    let mut found = vec![Vec::new(); sorted.names.len()];
    for (value, category) in values.iter().zip(sorted.of.iter().flatten()) {
        if let Some(category) = category {
            found[*category as usize].push(*value);
        }
    }
    let labelled = found.iter().map(Vec::len).sum::<usize>() as u64;
    let response = |(name, mut values): (String, Vec<f64>)| {
        // Equal bits have no order.
        values.sort_unstable_by(f64::total_cmp);
        let at = |fraction| quantile(&values, fraction);
        let (low, median, high) = (at(0.25)?, at(0.5)?, at(0.75)?);
        Some(Response { name, count: values.len() as u64, low, median, high })
    };
    // Categories without images have no median.
    let mut categories: Vec<Response> =
        sorted.names.into_par_iter().zip(found).filter_map(response).collect();
    categories.sort_by(|a, b| b.median.total_cmp(&a.median).then_with(|| a.name.cmp(&b.name)));
    let count = values.len() as u64;
    let agreement = sorted.agreement;
    Some(Outcome { count, labelled, mean: summary.mean, sd: summary.sd, categories, agreement })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn scan(activations: &[f64]) -> Scanned {
        Scanned { activations: activations.to_vec(), keys: Arc::default() }
    }

    #[test]
    fn medians_are_those_of_numpy_and_fall() {
        let scans = [scan(&[1.0, 2.0, 9.0, -4.0]), scan(&[4.0, 3.0, 0.5])];
        let sorted = Sorted {
            names: ["low", "high", "none", "alone"].map(str::to_owned).to_vec(),
            of: vec![vec![Some(1), Some(1), None, Some(0)], vec![Some(1), Some(1), Some(3)]],
            agreement: None,
        };
        let outcome = outcome(&scans, sorted).expect("images");
        assert_eq!((outcome.count, outcome.labelled), (7, 6));
        let names: Vec<&str> = outcome.categories.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["high", "alone", "low"], "a category without images is left out");
        // np.quantile([1, 2, 3, 4], [.25, .5, .75])
        let high = &outcome.categories[0];
        assert_eq!((high.count, high.low, high.median, high.high), (4, 1.75, 2.5, 3.25));
        let alone = &outcome.categories[1];
        assert_eq!((alone.low, alone.median, alone.high), (0.5, 0.5, 0.5));
    }

    #[test]
    fn without_images_there_is_nothing() {
        let sorted = Sorted { names: vec![], of: vec![], agreement: None };
        assert_eq!(outcome(&[], sorted), None);
    }
}
