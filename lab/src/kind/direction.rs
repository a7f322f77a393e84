//! Measures `direction`: a unit vector from groups of pictures, a line of a probe or terms, without what is projected out.

use neuronotes_core::kind::dataset_examples::{Example, Order};
use neuronotes_core::kind::direction::{
    FILE, GroupBy, Groups, LEAST, Method, Outcome, Params, Shown, VECTOR, Weight, pooled,
};
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::kind::spoiled::{Spoiled, together};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tch::{Kind, Tensor};

use super::line::{Lines, Probe};
use super::probe::task::Task;
use super::term::{check_asked, of_terms, sum, weightless};
use crate::clip::Clip;
use crate::failure::Failure;
use crate::fit::auc::{area, auc};
use crate::fit::binary;
use crate::gallery::Gallery;
use crate::group::{Members, Own, scaled, two};
use crate::monitor::Progress;
use crate::readout::Readout;
use crate::table::matrix::{Columns, Matrix};
use crate::table::{check_sound, check_unit, summary, tie};
use crate::vector::{Row, add, dot, project_out, unit};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[params.layer.layer()])?;
    let at = Readout::of(bench, &clip, &params.layer)?;
    let own = match bench.request.dataset {
        Some(_) => Some(Own::read(bench, &at, Pool::Mean)?),
        None => None,
    };
    let of_own: &[Spoiled] = own.as_ref().map_or(&[], |own| &own.0.spoiled);
    if let Some(unit) = params.unit {
        check_sound(at.name(), of_own, unit)?;
    }
    check_asked(at.name(), of_own, params.direction.as_deref().unwrap_or_default())?;
    let (sets, vector, steps) = if params.probe.is_some() {
        let (sets, vector) = of_probe(bench, &at, &params)?;
        (Some(sets), vector, None)
    } else if let Some(sets) = sets(bench, &clip, &at, &params, own.as_ref())? {
        bench.monitor.progress(&Progress::beginning("finding the direction"));
        let monitor = &*bench.monitor;
        let (vector, steps) = of_sets(&params, &sets.train, &mut || monitor.check())?;
        (Some(sets), vector, steps)
    } else {
        (None, of_parameters(bench, &clip, &at, &params)?, None)
    };
    let norm = dot(&vector, &vector).sqrt();
    if norm < 1e-9 {
        let message = "it has no direction: its length is zero";
        return Err(Failure::new(message).hint(match params.probe {
            Some(_) => "all weights of the probe's class are zero; allow it more `terms`",
            None => "the two groups, or the terms of a sum, are equal",
        }));
    }
    let of_sets: &[Spoiled] = sets.as_ref().map_or(&[], |sets| &sets.spoiled);
    let spoiled = together([of_sets, of_own]);
    let mut vector = weightless(unit(vector, "it")?, &spoiled, "it")?;
    let (mut cosines, mut left) = (Vec::new(), None);
    if let Some(without) = &params.without {
        let mut rows = Vec::new();
        for terms in without {
            rows.push(weightless(of_terms(bench, &clip, &at, terms)?, &spoiled, "`without`")?);
        }
        cosines = rows.iter().map(|row| dot(row, &vector)).collect();
        let (found, length) = project_out(&vector, &rows)?;
        (vector, left) = (found, Some(length));
    }
    let groups = match &sets {
        Some(sets) => Some(judged(bench, sets, &vector, steps)?),
        None => None,
    };
    let data = match &own {
        Some(own) => Some(shown(bench, own, &vector, params.pictures as usize)?),
        None => None,
    };
    let outcome = Outcome {
        units: at.units() as u32,
        spoiled,
        norm,
        left,
        cosines,
        groups,
        largest: largest(&vector, params.largest as usize),
        data,
    };
    write(bench, &vector, &outcome)
}

/// The pictures of both groups, divided into those that the direction is made of and those held out.
struct Sets {
    /// Of the positive and of the negative group, `[images, units]` each.
    train: [Tensor; 2],
    held_out: [Tensor; 2],
    /// Random seed of the bootstrap.
    seed: u64,
    /// The units that are left out.
    spoiled: Vec<Spoiled>,
}

fn sets(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    at: &Readout,
    params: &Params,
    own: Option<&Own>,
) -> Result<Option<Sets>, Failure> {
    let Some(positive) = &params.positive else { return Ok(None) };
    let groups = (positive, params.negative.as_ref());
    let (positive, negative) = two(bench, clip, (at, Pool::Mean), groups, own)?;
    let spoiled = positive.spoiled.clone();
    let (positive, held_positive) = divided("positive", &positive, params)?;
    let (negative, held_negative) = divided("negative", &negative, params)?;
    let (train, held_out) = ([positive, negative], [held_positive, held_negative]);
    Ok(Some(Sets { train, held_out, seed: params.seed.unwrap_or_default(), spoiled }))
}

/// A line of a probe, not scaled, and the pictures of its class and of the others on either side of the probe's split.
fn of_probe(
    bench: &mut Workbench<'_>,
    at: &Readout,
    params: &Params,
) -> Result<(Sets, Row), Failure> {
    let probe = Probe::of(bench)?;
    let (lines, of) = (&probe.lines, &probe.params);
    if of.pool == Pool::Max {
        return Err(pooled().into());
    }
    let name = params.class.as_ref().ok_or_else(|| Failure::new("the line has no `class`"))?;
    let class = lines.class(name)?;
    let against = params.against.as_ref().map(|name| lines.class(name)).transpose()?;
    let row = line(lines, class, against);
    if row.len() != at.units() {
        let (its, ours, name) = (row.len(), at.units(), at.name());
        return Err(Failure::new(format!("the probe has {its} units, and `{name}` has {ours}")));
    }
    let mut matrix = Matrix::read(bench, probe.dataset, Columns::Units(&of.layer, of.pool))?;
    matrix.tell(bench, probe.dataset)?;
    let task = Task::of(of, &matrix.samples)?;
    let rows = scaled(matrix.rows, at.is_scaled())?;
    let train = pictures_of(&rows, task.train(), class, against)?;
    let held_out = pictures_of(&rows, task.held_out(), class, against)?;
    Ok((Sets { train, held_out, seed: of.seed, spoiled: matrix.spoiled }, row))
}

/// The line of a class, less that of another one if there is one.
fn line(lines: &Lines, class: usize, against: Option<usize>) -> Row {
    let mut row = lines.direction(class);
    if let Some(against) = against {
        add(&mut row, &lines.direction(against), -1.0);
    }
    row
}

/// The rows of a class, and those of another one or else of all others, on one side of a split: places and classes.
fn pictures_of(
    rows: &Tensor,
    (places, truth): (Vec<usize>, Vec<u32>),
    class: usize,
    against: Option<usize>,
) -> Result<[Tensor; 2], Failure> {
    let take = |fits: &dyn Fn(usize) -> bool| {
        let places = places.iter().zip(&truth).filter(|(_, class)| fits(**class as usize));
        let places: Vec<i64> = places.map(|(place, _)| *place as i64).collect();
        rows.f_index_select(0, &Tensor::from_slice(&places))
    };
    let others = |one: usize| against.map_or(one != class, |against| one == against);
    Ok([take(&|one| one == class)?, take(&others)?])
}

/// The rows of a group that the direction is made of, and those held out.
fn divided(name: &str, group: &Members, params: &Params) -> Result<(Tensor, Tensor), Failure> {
    let (fraction, seed) = (params.held_out.unwrap_or_default(), params.seed.unwrap_or_default());
    let by_caption = params.group_by == Some(GroupBy::Caption);
    let (train, held_out) = group.divided(fraction, by_caption, seed);
    let [some, others] = [&train, &held_out].map(|rows| rows.size()[0] as usize);
    if some < LEAST || (fraction > 0.0 && others < LEAST) {
        let message = format!("`{name}` has too few pictures: {}", some + others);
        let hint = match fraction > 0.0 {
            true if params.group_by.is_some() => format!(
                "at least {LEAST} must be held out and {LEAST} be left, all of one caption together; `held_out: 0` holds none out"
            ),
            true => format!(
                "at least {LEAST} must be held out and {LEAST} be left; `held_out: 0` holds none out"
            ),
            false => format!("a group needs at least {LEAST}"),
        };
        return Err(Failure::new(message).hint(hint));
    }
    Ok((train, held_out))
}

/// The vector that distinguishes two groups, not scaled, and the steps of a regression.
fn of_sets(
    params: &Params,
    [positive, negative]: &[Tensor; 2],
    check: &mut dyn FnMut() -> Result<(), Failure>,
) -> Result<(Row, Option<u32>), Failure> {
    match params.method {
        Some(Method::Logistic) => {
            let count = |rows: &Tensor| rows.size()[0] as usize;
            let mut labels = vec![true; count(positive)];
            labels.resize(count(positive) + count(negative), false);
            let rows = Tensor::cat(&[positive, negative], 0);
            let strength = params.regularisation.unwrap_or_default();
            let fitted = binary::fit(&rows, &labels, strength, check)?;
            Ok((fitted.weights, Some(fitted.steps)))
        }
        Some(Method::MeanDifference) | None => {
            let mean = |rows: &Tensor| rows.mean_dim([0i64].as_slice(), false, Kind::Double);
            Ok((Vec::<f64>::try_from(mean(positive) - mean(negative))?, None))
        }
    }
}

/// The vector of a unit or of terms, not scaled.
fn of_parameters(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    at: &Readout,
    params: &Params,
) -> Result<Row, Failure> {
    match (params.unit, &params.direction) {
        (Some(of), None) => {
            let mut row = vec![0.0; at.units()];
            check_unit(at.name(), row.len(), of)?;
            row[of as usize] = 1.0;
            Ok(row)
        }
        (None, Some(terms)) => sum(bench, clip, at, terms),
        _ => Err(Failure::new("a direction needs two groups, a probe, a unit or terms")),
    }
}

/// How well a direction distinguishes the groups.
fn judged(
    bench: &mut Workbench<'_>,
    sets: &Sets,
    vector: &[f64],
    steps: Option<u32>,
) -> Result<Groups, Failure> {
    let scored = |groups: &[Tensor; 2]| -> Result<[Vec<f64>; 2], Failure> {
        Ok([scores(&groups[0], vector)?, scores(&groups[1], vector)?])
    };
    let [train, held_out] = [scored(&sets.train)?, scored(&sets.held_out)?];
    let count = |at: usize| (train[at].len() as u64, held_out[at].len() as u64);
    bench.monitor.check()?;
    let judged = auc(&held_out[0], &held_out[1], sets.seed);
    let odd = || Failure::new("a picture's activation of the direction is not a number");
    Ok(Groups {
        positive: count(0),
        negative: count(1),
        auc_train: area(&train[0], &train[1]).ok_or_else(odd)?,
        auc: judged.map(|auc| auc.area),
        interval: judged.map(|auc| (auc.low, auc.high)),
        steps,
    })
}

/// The dot product of each row with the direction.
fn scores(rows: &Tensor, vector: &[f64]) -> Result<Vec<f64>, Failure> {
    let vector = Tensor::from_slice(vector).to_kind(Kind::Float);
    Ok(Vec::<f64>::try_from(rows.mv(&vector).to_kind(Kind::Double))?)
}

/// The units with the largest weights, of either sign; of equal ones the first.
fn largest(vector: &[f64], count: usize) -> Vec<Weight> {
    let mut all: Vec<(u32, f64)> = (0..).zip(vector.iter().copied()).collect();
    all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    all.into_iter().take(count).map(Weight::from).collect()
}

/// The pictures of the data set at both ends of a direction; equal ones by the digests of their keys.
fn shown(
    bench: &mut Workbench<'_>,
    own: &Own,
    vector: &[f64],
    most: usize,
) -> Result<Shown, Failure> {
    let activations = scores(&own.0.rows, vector)?;
    let found = summary(&activations);
    let ties = tie::places(&own.0.samples, |sample| &sample.key);
    let mut gallery = Gallery::default();
    let mut end = |order: Order, most: usize| -> Result<Vec<Example>, Failure> {
        let mut places: Vec<usize> = (0..activations.len()).collect();
        let by_digest = |a: usize, b: usize| ties[a].cmp(&ties[b]);
        places.sort_by(|&a, &b| {
            order.compare(activations[a], activations[b]).then_with(|| by_digest(a, b))
        });
        let mut examples = Vec::new();
        for place in places.into_iter().take(most) {
            bench.monitor.check()?;
            let (shard, sample) = (own.0.shards[place], &own.0.samples[place]);
            let (stored, _) = gallery.add_sample(bench, shard, &sample.key)?;
            examples.push(Example {
                key: sample.key.clone(),
                caption: sample.caption.clone(),
                label: sample.label.clone(),
                activation: activations[place],
                picture: stored.picture,
                width: stored.width,
                height: stored.height,
                ..Example::default()
            });
        }
        Ok(examples)
    };
    let count = activations.len();
    // No picture is at both ends.
    let strongest = end(Order::Strongest, most.min(count.div_ceil(2)))?;
    let weakest = end(Order::Weakest, most.min(count / 2))?;
    Ok(Shown { count: count as u64, mean: found.mean, sd: found.sd, strongest, weakest })
}

fn write(bench: &mut Workbench<'_>, vector: &[f64], outcome: &Outcome) -> Result<(), Failure> {
    let broken = |error: safetensors::SafeTensorError| {
        Failure::new(format!("the direction cannot be written ({error})"))
    };
    let bytes: Vec<u8> = vector.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, vec![vector.len()], &bytes).map_err(broken)?;
    let file = safetensors::serialize([(VECTOR, view)], None).map_err(broken)?;
    let store = bench.store();
    bench.record.add_output(store, FILE, "application/octet-stream", &file)?;
    bench.record.set_result(store, outcome)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    use neuronotes_core::model::Place;

    use super::super::line::golden;
    use super::*;

    /// Units of the made-up layer.
    const UNITS: usize = 64;

    fn normal(rng: &mut ChaCha8Rng, count: usize) -> Row {
        (0..count).map(|_| rng.sample(StandardNormal)).collect()
    }

    /// So many pictures of noise, each with these vectors added.
    fn pictures(rng: &mut ChaCha8Rng, count: usize, added: &[(&Row, f64)]) -> Tensor {
        let mut all = Vec::new();
        for _ in 0..count {
            let mut row = normal(rng, UNITS);
            added.iter().for_each(|(vector, size)| add(&mut row, vector, *size));
            all.extend(row);
        }
        Tensor::from_slice(&all).view([count as i64, UNITS as i64]).to_kind(Kind::Float)
    }

    fn params(method: Method) -> Params {
        Params {
            layer: Place::Layer("made up".to_owned()),
            unit: None,
            direction: None,
            positive: None,
            negative: None,
            probe: None,
            class: None,
            against: None,
            method: Some(method),
            regularisation: Some(0.1),
            group_by: None,
            held_out: None,
            seed: None,
            without: None,
            largest: 10,
            pictures: 0,
        }
    }

    fn found(method: Method, sets: &[Tensor; 2]) -> Row {
        let (row, _) = of_sets(&params(method), sets, &mut || Ok(())).expect("a direction");
        unit(row, "it").expect("a direction")
    }

    #[test]
    fn a_planted_direction_is_found_by_either_method_whatever_the_seed() {
        for method in [Method::MeanDifference, Method::Logistic] {
            let mut least = 1.0f64;
            for seed in 0..100 {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let planted = unit(normal(&mut rng, UNITS), "it").expect("a direction");
                let positive = pictures(&mut rng, 400, &[(&planted, 3.0)]);
                let sets = [positive, pictures(&mut rng, 400, &[])];
                least = least.min(dot(&found(method, &sets), &planted));
            }
            assert!(least > 0.95, "{method:?}: {least}");
        }
    }

    #[test]
    fn a_planted_confound_is_in_the_direction_until_it_is_projected_out() {
        for method in [Method::MeanDifference, Method::Logistic] {
            for seed in 0..20 {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let planted = unit(normal(&mut rng, UNITS), "it").expect("a direction");
                let confound = unit(normal(&mut rng, UNITS), "it").expect("a direction");
                // Wherever the first is, the other is too, and stronger.
                let both = [(&planted, 3.0), (&confound, 4.0)];
                let train = [pictures(&mut rng, 400, &both), pictures(&mut rng, 400, &[])];
                let raw = found(method, &train);
                let (clean, _) =
                    project_out(&raw, std::slice::from_ref(&confound)).expect("something is left");
                let (pure, _) =
                    project_out(&planted, std::slice::from_ref(&confound)).expect("it differs");
                assert!(dot(&raw, &confound) > 0.6, "{method:?} {seed}");
                assert!(dot(&clean, &confound).abs() < 1e-12, "{method:?} {seed}");
                assert!(dot(&clean, &pure) > 0.95, "{method:?} {seed}: {}", dot(&clean, &pure));
                // If only the confound distinguishes the pictures, the result is at chance level.
                let only =
                    [pictures(&mut rng, 400, &[(&confound, 4.0)]), pictures(&mut rng, 400, &[])];
                let told = |vector: &Row| {
                    let [first, other] = [&only[0], &only[1]].map(|rows| scores(rows, vector));
                    area(&first.expect("scores"), &other.expect("scores")).expect("an area")
                };
                assert!(told(&raw) > 0.9 && (told(&clean) - 0.5).abs() < 0.09, "{}", told(&clean));
            }
        }
    }

    #[test]
    fn lines_of_a_probe_and_their_aucs_are_those_of_numpy() {
        let known = golden::read();
        let lines = golden::golden_lines();
        let units = lines.sd.len();
        let rows = Tensor::from_slice(&golden::numbers(&known["rows"])).view([-1, units as i64]);
        let rows = rows.to_kind(Kind::Float);
        let truth: Vec<u32> =
            golden::numbers(&known["truth"]).into_iter().map(|class| class as u32).collect();
        let train = known["train"].as_u64().expect("a number") as usize;
        let sides = [0..train, train..truth.len()];
        let sides = sides.map(|side| (side.clone().collect(), truth[side].to_vec()));
        for expected in known["lines"].as_array().expect("lines") {
            let class = expected["class"].as_u64().expect("a class") as usize;
            let against = expected["against"].as_u64().map(|class| class as usize);
            let row = line(&lines, class, against);
            let norm = dot(&row, &row).sqrt();
            assert!((norm - expected["norm"].as_f64().expect("a length")).abs() < 1e-9);
            let vector = unit(row, "it").expect("a direction");
            let numpy = golden::numbers(&expected["vector"]);
            assert!((dot(&vector, &numpy) - 1.0).abs() < 1e-12, "{class} {against:?}");
            let [train, held_out] =
                sides.clone().map(|side| pictures_of(&rows, side, class, against).expect("rows"));
            let [first, other] = held_out.map(|rows| scores(&rows, &vector).expect("scores"));
            let found = area(&first, &other).expect("an area");
            let auc = expected["auc"].as_f64().expect("an AUC");
            assert!((found - auc).abs() < 1e-9, "{class} {against:?}: {found} {auc}");
            assert!(train.iter().all(|rows| rows.size()[0] > 0));
        }
    }

    #[test]
    fn the_largest_units_are_of_either_sign() {
        let found = largest(&[0.1, -0.8, 0.5, 0.5], 3);
        let pairs: Vec<(u32, f64)> = found.iter().map(|w| (w.unit, w.weight)).collect();
        assert_eq!(pairs, [(1, -0.8), (2, 0.5), (3, 0.5)]);
    }
}
