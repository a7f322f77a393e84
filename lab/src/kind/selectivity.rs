//! Measures `selectivity`: a unit's activations over a data set, by stored scans, against categories of its images.

mod family;
mod sides;

use neuronotes_core::kind::selectivity::{self, FEWEST, Outcome, Params, Row, Untested};
use neuronotes_core::kind::spoiled::{Odd, Spoiled};

use super::target::Target;
use crate::failure::Failure;
use crate::fit::permuted::{Doubled, Lots, Way};
use crate::fit::retrieval::{RESAMPLES, Ranking, by_chance};
use crate::monitor::Progress;
use crate::readout::Readout;
use crate::table::by_unit::Unread;
use crate::table::{check_unit, tie};
use crate::workbench::Workbench;
use family::{Family, Passed, Wanted, picked};
use sides::{Category, Divided, categories};

/// Rows with curves.
const CURVES: usize = 8;
/// Statistics that differ by less are equal.
const SAME: f64 = 1e-9;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[params.layer.layer()])?;
    let at = Readout::of(bench, &clip, &params.layer)?;
    let along = match &params.direction {
        None => None,
        Some(terms) => {
            let about = (None, Some(terms.as_slice()));
            let scans = Target::of(bench, &params.layer, about, params.pool)?.scans(bench)?;
            let numbers = scans.iter().flat_map(|scan| scan.activations.iter());
            Some(numbers.map(|number| *number as f32).collect::<Vec<f32>>())
        }
    };
    let family = Family::open(bench, &params, &at)?;
    let name = bench.request.inputs.place_name(&params.layer).to_owned();
    for unit in params.unit.iter().chain(params.also.iter().flatten()) {
        check_unit(&name, family.units, *unit)?;
    }
    let outcome = match measured(bench, &params, &family, along.as_deref()) {
        Err(Unread::Damaged) => {
            let family = Family::whole(bench, &params, &at)?;
            measured(bench, &params, &family, along.as_deref())
        }
        found => found,
    };
    let outcome = outcome.map_err(|unread| match unread {
        Unread::Failed(failure) => failure,
        Unread::Damaged => Failure::new("a stored scan is damaged").hint("measure again"),
    })?;
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// A category with images and others among those tested on.
struct Tested {
    name: String,
    /// Its images among those that are tested on, by their places there.
    test: Vec<u32>,
    /// The same among those that are chosen by.
    choose: Vec<u32>,
}

/// What a row is about.
#[derive(Clone, Copy)]
enum Column {
    Unit(u32),
    Direction,
}

fn measured(
    bench: &mut Workbench<'_>,
    params: &Params,
    family: &Family,
    along: Option<&[f32]>,
) -> Result<Outcome, Unread> {
    let divided = Divided::of(params, &family.samples, &family.shards)?;
    let Divided { choose, test } = &divided;
    let all = categories(params, &family.samples)?;
    let (tested, untested) = testable(all, &divided);
    if tested.is_empty() {
        let count = test.len();
        let why = format!("no category can be tested: each has all or none of the {count} images");
        let hint = "list `categories` that some of the images tested on are in";
        return Err(Failure::new(why).hint(hint).into());
    }
    let way = match params.way {
        selectivity::Way::Higher => Way::Higher,
        selectivity::Way::Either => Way::Either,
    };
    let sizes = tested.iter().map(|category| category.test.len());
    let lots = Lots::draw(test.len(), sizes, (params.permutations, params.seed), way);
    let groups: Vec<Vec<u32>> = tested.iter().map(|category| category.test.clone()).collect();
    let chosen: Vec<Vec<u32>> = tested.iter().map(|category| category.choose.clone()).collect();
    let is_layer = params.unit.is_none() && along.is_none();
    let wanted = Wanted {
        test,
        choose: if is_layer { choose } else { &[] },
        groups: &groups,
        chosen: &chosen,
        lots: &lots,
        way,
    };
    let mut passed = family.pass(bench, &wanted)?;
    let ranked = along.map(|along| Doubled::of(&picked(along, test)));
    if let Some(Some(direction)) = &ranked {
        lots.take_in(std::slice::from_ref(direction), &mut passed.greatest)?;
        for (statistics, group) in passed.statistics.iter_mut().zip(&groups) {
            statistics.push(way.counted(direction.told(group).0));
        }
    }
    let mut outcome = Outcome {
        images: test.len() as u64,
        chosen_on: choose.len() as u64,
        unused: (family.samples.len() - test.len() - choose.len()) as u64,
        units: family.units as u64,
        compared: passed.statistics[0].iter().filter(|z| !z.is_nan()).count() as u64,
        resamples: RESAMPLES,
        permutations: params.permutations,
        spoiled: std::mem::take(&mut passed.spoiled),
        untested,
        rows: vec![],
    };
    let ties = tie::places(&family.samples, |sample| &sample.key);
    let ties: Vec<u32> = test.iter().map(|row| ties[*row]).collect();
    let shared =
        Shared { params, divided: &divided, ties: &ties, lots: &lots, passed: &passed, way };
    let about = |at: usize| -> Result<Vec<Column>, Failure> {
        match (params.unit, is_layer) {
            (Some(unit), _) => {
                let mut units = vec![unit];
                let also = params.also.iter().flatten();
                also.for_each(|unit| {
                    units.extend(Some(*unit).filter(|unit| !units.contains(unit)))
                });
                Ok(units.into_iter().map(Column::Unit).collect())
            }
            (None, true) => match passed.best[at] {
                Some((_, unit)) => Ok(vec![Column::Unit(unit)]),
                None => {
                    let name = &tested[at].name;
                    let why = format!(
                        "no unit can be chosen for `{name}`: it has all or none of the {} images of `choose`",
                        choose.len()
                    );
                    Err(Failure::new(why).hint("divide the images in another way, or leave it out"))
                }
            },
            (None, false) => Ok(vec![Column::Direction]),
        }
    };
    let total = tested.len() as u64;
    for (at, category) in tested.iter().enumerate() {
        bench.monitor.check()?;
        let (stage, step) = ("drawing resamples", at as u64);
        bench.monitor.progress(&Progress { stage, step, total, unit: "category", picture: None });
        for column in about(at)? {
            let (unit, numbers) = match column {
                Column::Direction => (None, along.unwrap_or_default().to_vec()),
                Column::Unit(unit) => {
                    let sound = |found: Spoiled| spoiled(&found, &outcome.spoiled);
                    let numbers = family.unit(bench, unit as usize)?.map_err(sound)?;
                    (Some(unit), numbers)
                }
            };
            outcome.rows.push(shared.row((at, category), unit, &numbers)?);
        }
    }
    ordered(&mut outcome.rows, params.way);
    for row in outcome.rows.iter_mut().skip(CURVES) {
        (row.roc, row.curve) = (vec![], vec![]);
    }
    Ok(outcome)
}

/// The failure that a unit of the block has an activation that is no number.
fn spoiled(Spoiled { unit, key, is }: &Spoiled, others: &[Spoiled]) -> Failure {
    let others = others.len().saturating_sub(1);
    let is = is.map_or("NaN or infinite", Odd::word);
    let why = format!("the activation of unit {unit} for the image `{key}` is {is}");
    let hint = match others {
        0 => "check that image and the weights; other units are not affected".to_owned(),
        _ => format!(
            "check that image and the weights; {others} other units have such an activation, too"
        ),
    };
    Failure::new(why).hint(hint)
}

/// The first is the best: by what it was chosen by if there is that; of equal ones by the category's name.
fn ordered(rows: &mut [Row], way: selectivity::Way) {
    let away = |area: f64| match way {
        selectivity::Way::Higher => area,
        selectivity::Way::Either => (area - 0.5).abs(),
    };
    let score = |row: &Row| away(row.chosen.unwrap_or(row.auc));
    rows.sort_by(|a, b| {
        let by_test = || away(b.auc).total_cmp(&away(a.auc));
        score(b).total_cmp(&score(a)).then_with(by_test).then_with(|| a.name.cmp(&b.name))
    });
}

/// Categories with images on both sides of the question, and those that have all or none of the images tested on.
fn testable(all: Vec<Category>, divided: &Divided) -> (Vec<Tested>, Vec<Untested>) {
    let places = |rows: &[usize], of: &[usize]| -> Vec<u32> {
        let found = rows.iter().filter_map(|row| of.binary_search(row).ok());
        found.map(|place| place as u32).collect()
    };
    let (mut tested, mut untested) = (vec![], vec![]);
    for Category { name, rows } in all {
        let test = places(&rows, &divided.test);
        match test.is_empty() || test.len() == divided.test.len() {
            true => untested.push(Untested { name, positive: test.len() as u64 }),
            false => tested.push(Tested { choose: places(&rows, &divided.choose), name, test }),
        }
    }
    (tested, untested)
}

/// What all rows are computed with.
struct Shared<'a> {
    params: &'a Params,
    divided: &'a Divided,
    /// Which of two images tested on goes first if their activations are equal: the one with the smaller number.
    ties: &'a [u32],
    lots: &'a Lots,
    passed: &'a Passed,
    way: Way,
}

impl Shared<'_> {
    fn row(
        &self,
        (at, category): (usize, &Tested),
        unit: Option<u32>,
        numbers: &[f32],
    ) -> Result<Row, Failure> {
        let Divided { choose, test } = self.divided;
        let tested = picked(numbers, test);
        let mut is_positive = vec![false; test.len()];
        category.test.iter().for_each(|place| is_positive[*place as usize] = true);
        let scores: Vec<f64> = tested.iter().copied().map(f64::from).collect();
        let cannot = || Failure::new(format!("`{}` cannot be tested", category.name));
        let ranking = Ranking::of(&scores, &is_positive, self.ties).ok_or_else(cannot)?;
        let positive = category.test.len() as u64;
        let (all, negative) = (test.len() as u64, test.len() as u64 - positive);
        let seed = (positive >= FEWEST && negative >= FEWEST).then_some(self.params.seed);
        let [area, precision] = ranking.estimate(seed);
        let (hits, other) = ranking.first();
        let (roc, curve) = ranking.curves();
        let ranks = Doubled::of(&tested);
        let statistic = ranks.as_ref().map(|ranks| ranks.told(&category.test).0);
        let counted = statistic.map(|z| self.way.counted(z));
        let above = |own: f64| {
            let above = self.passed.statistics[at].iter().filter(|z| **z > own + SAME);
            above.count() as u64 + 1
        };
        let chances = ranks.as_ref().zip(statistic).and_then(|(ranks, z)| {
            self.lots.chances(&self.passed.greatest, ranks, category.test.len(), z)
        });
        let is_apart = !category.choose.is_empty() && category.choose.len() < choose.len();
        let chosen = is_apart.then(|| match Doubled::of(&picked(numbers, choose)) {
            Some(ranks) => ranks.told(&category.choose).1,
            None => 0.5,
        });
        Ok(Row {
            name: category.name.clone(),
            unit,
            chosen,
            positive,
            negative,
            auc: area.value,
            auc_interval: area.interval,
            precision: precision.value,
            precision_interval: precision.interval,
            chance: by_chance(positive, all),
            hits,
            first_other: other + 1,
            rank: counted.map(above),
            p: chances.map(|(p, _)| p),
            alone: chances.map(|(_, alone)| alone),
            roc,
            curve,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_without_images_or_without_others_are_listed_and_not_tested() {
        let category =
            |name: &str, rows: &[usize]| Category { name: name.into(), rows: rows.to_vec() };
        let divided = Divided { choose: vec![0, 3], test: vec![1, 2, 4] };
        let all = vec![
            category("some", &[0, 2, 4]),
            category("none", &[0, 3]),
            category("all", &[1, 2, 3, 4]),
        ];
        let (tested, untested) = testable(all, &divided);
        assert_eq!(tested.len(), 1);
        assert_eq!((&*tested[0].test, &*tested[0].choose), ([1, 2].as_slice(), [0].as_slice()));
        let untested: Vec<(&str, u64)> = untested.iter().map(|x| (&*x.name, x.positive)).collect();
        assert_eq!(untested, [("none", 0), ("all", 3)]);
    }
}
