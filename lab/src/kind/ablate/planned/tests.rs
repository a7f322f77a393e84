//! Changes and controls of small tables of activations.

use neuronotes_core::model::Stage;

use super::*;
use crate::clip::intervene::beside;

/// Ten pictures, six units of various sizes, of which the last is silent.
fn rows() -> Tensor {
    let scale = Tensor::from_slice(&[1.0f32, 1.2, 0.9, 5.0, 0.1, 0.0]);
    ((Tensor::arange(60, (Kind::Float, Device::Cpu)) * 1.7).sin().view([10, 6]) + 0.3) * scale
}

fn moments(rows: &Tensor) -> Moments {
    let mut moments = Moments::default();
    moments.add(rows).expect("moments");
    moments
}

fn how(by: By) -> How {
    How { by, sd: 2.0, controls: 3, seed: 5, device: Device::Cpu }
}

fn apart(a: &Tensor, b: &Tensor) -> f64 {
    (a - b).abs().max().double_value(&[])
}

#[test]
fn units_become_zero_their_mean_or_other_by_deviations() {
    let rows = rows();
    let (mean, sd) = (
        rows.mean_dim([0i64].as_slice(), false, None),
        rows.std_dim([0i64].as_slice(), false, false),
    );
    for by in [By::Zero, By::Mean, By::Shift] {
        let found = units(&[1, 2], &rows, &moments(&rows), how(by)).expect("a plan");
        let after = found.changes[0].apply(&rows).expect("activations");
        for unit in [1, 2] {
            let own = rows.select(1, unit);
            let expected = match by {
                By::Zero => own.zeros_like(),
                By::Mean => own.zeros_like() + mean.get(unit),
                _ => own + sd.get(unit) * 2.0,
            };
            assert!(apart(&after.select(1, unit), &expected) < 1e-5, "{by:?}");
        }
        assert_eq!(after.select(1, 0), rows.select(1, 0));
        let (middle, deviation) = found.spread[1];
        assert!((middle - mean.double_value(&[2])).abs() < 1e-6);
        assert!((deviation - sd.double_value(&[2])).abs() < 1e-6);
        // Pairs of other units that are active.
        assert_eq!((found.changes.len(), found.of.len()), (4, 3));
        for set in &found.of {
            assert!(set.len() == 2 && set.iter().all(|unit| [0, 3, 4].contains(unit)), "{set:?}");
        }
    }
}

#[test]
fn random_directions_carry_exactly_the_same_change_and_are_orthogonal_to_it() {
    let rows = rows();
    let d = crate::vector::unit(vec![1.0, -1.0, 0.5, 0.0, 2.0, 0.0], "d").expect("a direction");
    for by in [By::ProjectOut, By::Mean, By::Shift] {
        let found = directions(std::slice::from_ref(&d), &rows, how(by)).expect("a plan");
        assert_eq!(found.changes.len(), 4);
        let all = beside(&rows, &found.changes).expect("variants").view([5, 10, 6]);
        let added = |at: i64| (all.get(at) - &rows).to_kind(Kind::Double);
        let direction = Tensor::from_slice(&d);
        let along = added(1).mv(&direction);
        assert!(apart(&added(1), &(along.unsqueeze(1) * &direction)) < 1e-5, "{by:?}");
        let own = added(1).square().sum_dim_intlist([1i64].as_slice(), false, None);
        for control in 2..5 {
            let added = added(control);
            assert!(added.mv(&direction).abs().max().double_value(&[]) < 1e-5, "{by:?}");
            let size = added.square().sum_dim_intlist([1i64].as_slice(), false, None);
            assert!(apart(&size, &own) < 1e-5 * own.max().double_value(&[]).max(1.0), "{by:?}");
            // A direction in which pictures differ does not touch a unit that is silent.
            assert!(added.select(1, 5).abs().max().double_value(&[]) < 1e-6, "{by:?}");
        }
        let (mean, sd) = found.spread[0];
        let projections = rows.to_kind(Kind::Double).mv(&direction);
        assert!((mean - projections.mean(None).double_value(&[])).abs() < 1e-6);
        let after = all.get(1).to_kind(Kind::Double).mv(&direction);
        let expected = match by {
            By::Mean => projections.zeros_like() + mean,
            By::Shift => projections + 2.0 * sd,
            _ => projections.zeros_like(),
        };
        assert!(apart(&after, &expected) < 1e-5, "{by:?}");
    }
}

#[test]
fn two_directions_are_shifted_each_by_its_own_deviations() {
    let rows = rows();
    let directions_of = |rows: &[Vec<f64>]| -> Vec<Row> {
        rows.iter().map(|row| crate::vector::unit(row.clone(), "d").expect("one")).collect()
    };
    // They are not orthogonal.
    let all =
        directions_of(&[vec![1.0, 1.0, 0.0, 0.0, 0.0, 0.0], vec![1.0, 0.0, 1.0, 0.0, 0.0, 0.0]]);
    let found = directions(&all, &rows, how(By::Shift)).expect("a plan");
    let after = found.changes[0].apply(&rows).expect("activations");
    let expected: Tensor = all
        .iter()
        .zip(&found.spread)
        .map(|(row, (_, sd))| Tensor::from_slice(row) * (2.0 * sd))
        .sum();
    let added = (after - &rows).to_kind(Kind::Double);
    assert!(apart(&added, &expected.unsqueeze(0).expand([10, 6], false)) < 1e-5);
}

#[test]
fn there_are_no_more_random_directions_than_pictures_differ_in() {
    // All pictures lie on a line.
    let along = Tensor::from_slice(&[1.0f32, 2.0, 0.0]);
    let line = Tensor::arange(10, (Kind::Float, Device::Cpu)).unsqueeze(1) * along;
    let d = crate::vector::unit(vec![1.0, 2.0, 0.0], "d").expect("a direction");
    let found = directions(&[d], &line, how(By::ProjectOut)).expect("a plan");
    assert_eq!(found.changes.len(), 1, "the change, without a control");
}

#[test]
fn heads_become_their_mean_at_each_position() {
    let heads_of = Heads { stage: Stage::Pooled, count: 3, width: 2 };
    let read = (Tensor::arange(48, (Kind::Float, Device::Cpu)) * 0.9).cos().view([2, 4, 6]);
    let moments = moments(&read);
    let found = heads(&[1], heads_of, &moments, how(By::Mean)).expect("a plan");
    let after = found.changes[0].apply(&read).expect("activations");
    let mean = read.mean_dim([0i64].as_slice(), true, None).expand([2, 4, 6], false);
    assert!(apart(&after.narrow(2, 2, 2), &mean.narrow(2, 2, 2)) < 1e-6);
    assert_eq!(after.narrow(2, 0, 2), read.narrow(2, 0, 2));
    assert_eq!(after.narrow(2, 4, 2), read.narrow(2, 4, 2));
    let mut others = found.of.concat();
    others.sort_unstable();
    assert_eq!(others, [0, 2], "all other heads");
    assert!(heads(&[1], heads_of, &moments, how(By::Shift)).is_err());
    let zero = heads(&[1], heads_of, &moments, how(By::Zero)).expect("a plan");
    let after = zero.changes[0].apply(&read).expect("activations");
    assert_eq!(after.narrow(2, 2, 2).abs().max().double_value(&[]), 0.0);
}
