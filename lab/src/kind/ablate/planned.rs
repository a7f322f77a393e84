//! The change and its controls: what a request changes, and the activations of the layer over the data set, in; interventions
//! out. Knows nothing of what is read.

use neuronotes_core::kind::ablate::By;
use neuronotes_core::model::Heads;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::{Device, Kind, Tensor};

use super::matched::matched;
use super::moments::Moments;
use crate::clip::intervene::{Change, Coordinates, Intervention};
use crate::failure::Failure;
use crate::vector::{Row, project_out};

/// How things are changed, and beside how many controls.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub by: By,
    /// Standard deviations of a shift.
    pub sd: f64,
    /// Number of controls.
    pub controls: usize,
    pub seed: u64,
    pub device: Device,
}

/// A change and its controls.
#[derive(Debug)]
pub(super) struct Planned {
    /// The change, and then each control.
    pub changes: Vec<Intervention>,
    /// The units or heads of each control; none for directions.
    pub of: Vec<Vec<u32>>,
    /// The mean and the standard deviation over the data set of each changed unit or direction.
    pub spread: Vec<(f64, f64)>,
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>, Failure> {
    let wide = tensor.f_to_kind(Kind::Double)?.f_to_device(Device::Cpu)?.f_contiguous()?;
    Ok(Vec::try_from(wide.f_view(-1)?)?)
}

/// The mean and the standard deviation of each column of `[images, k]`.
fn spread(rows: &Tensor) -> Result<[Vec<f64>; 2], Failure> {
    let rows = rows.f_to_kind(Kind::Double)?;
    let mean = rows.f_mean_dim([0i64].as_slice(), true, Kind::Double)?;
    let square = (&rows - &mean).f_square()?;
    let sd = square.f_mean_dim([0i64].as_slice(), false, Kind::Double)?.f_sqrt()?;
    Ok([numbers(&mean)?, numbers(&sd)?])
}

fn values(of: impl Iterator<Item = f64>, device: Device) -> Tensor {
    Tensor::from_slice(&of.map(|x| x as f32).collect::<Vec<f32>>()).to_device(device)
}

/// Units, given the activations of the layer, averaged over positions, `[images, units]`, and their moments.
pub(super) fn units(
    units: &[u32],
    rows: &Tensor,
    moments: &Moments,
    how: How,
) -> Result<Planned, Failure> {
    let [mean, sd] = spread(rows)?;
    let sizes = match how.by {
        By::Shift => sd.iter().map(|sd| how.sd.abs() * sd).collect(),
        By::Mean => moments.around(&mean)?,
        By::Zero | By::ProjectOut => moments.sizes(1)?,
    };
    let count = mean.len() as u32;
    let change = |units: &[u32]| {
        let of = |of: &dyn Fn(usize) -> f64| {
            values(units.iter().map(|unit| of(*unit as usize)), how.device)
        };
        let at = Coordinates::units(units, count, how.device)?;
        let change = match how.by {
            By::Zero | By::ProjectOut => Change::Set(of(&|_| 0.0)),
            By::Mean => Change::Set(of(&|unit| mean[unit])),
            By::Shift => Change::Shift(of(&|unit| how.sd * sd[unit])),
        };
        Intervention::new(at, change)
    };
    let own = change(units)?;
    let of = matched(units, &sizes, how.controls, how.seed);
    let controls = of.iter().map(|set| change(set));
    let changes = std::iter::once(Ok(own)).chain(controls).collect::<Result<Vec<_>, Failure>>()?;
    let spread = units.iter().map(|unit| (mean[*unit as usize], sd[*unit as usize])).collect();
    Ok(Planned { changes, of, spread })
}

/// Directions, each of length 1, given the activations of the layer, averaged over positions: `[images, units]`.
pub(super) fn directions(directions: &[Row], rows: &Tensor, how: How) -> Result<Planned, Failure> {
    let flat = Tensor::from_slice(&directions.concat()).view([directions.len() as i64, -1]);
    let along = rows.f_to_kind(Kind::Double)?.f_matmul(&flat.tr())?; // [images, k]
    let [mean, sd] = spread(&along)?;
    let at = || Coordinates::directions(directions, how.device);
    // By the axes of the space that they span.
    let middle = rows.f_mean_dim([0i64].as_slice(), true, Kind::Float)?; // [1, units]
    let on_axes = |row: &Tensor| -> Result<Tensor, Failure> {
        Ok(at()?.of(&row.f_to_kind(Kind::Float)?.f_to_device(how.device)?)?.f_view(-1)?)
    };
    let shift = Tensor::from_slice(&sd).f_view([1, -1])?.f_matmul(&flat)? * how.sd; // [1, units]
    let (to, by) = (on_axes(&middle)?, on_axes(&shift)?);
    let change = || {
        let change = match how.by {
            By::Zero | By::ProjectOut => Change::Scale(0.0),
            By::Mean => Change::Set(to.shallow_clone()),
            By::Shift => Change::Shift(by.shallow_clone()),
        };
        Intervention::new(at()?, change)
    };
    let mut changes = vec![change()?];
    for others in random(directions, &(rows - &middle), how)? {
        changes.push(change()?.elsewhere(Coordinates::directions(&others, how.device)?)?);
    }
    Ok(Planned { changes, of: Vec::new(), spread: mean.into_iter().zip(sd).collect() })
}

/// Sets of as many random directions, orthogonal to the changed ones and to each other: sums of the rows of `centred`,
/// `[images, units]`, with normally distributed weights. Fewer sets if the rows do not span so many directions.
fn random(directions: &[Row], centred: &Tensor, how: How) -> Result<Vec<Vec<Row>>, Failure> {
    let (images, k) = (centred.size()[0], directions.len());
    let count = how.controls * k;
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(how.seed);
    let weights: Vec<f32> =
        (0..count as i64 * images).map(|_| rng.sample(StandardNormal)).collect();
    let weights = Tensor::from_slice(&weights).view([count as i64, images]);
    let scale = (images.max(1) as f64).sqrt();
    let sums = (weights.f_matmul(centred)? / scale).to_kind(Kind::Double); // [count, units]
    let mut sets = Vec::new();
    for set in 0..how.controls {
        let mut known = directions.to_vec();
        for at in 0..k {
            let row = numbers(&sums.get((set * k + at) as i64))?;
            let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            if !(length.is_finite() && length > 0.0) {
                return Ok(sets);
            }
            let row: Row = row.iter().map(|x| x / length).collect();
            let Ok((left, _)) = project_out(&row, &known) else { return Ok(sets) };
            known.push(left);
        }
        sets.push(known.split_off(k));
    }
    Ok(sets)
}

/// Some of so many heads, given the moments of what they read.
pub(super) fn heads(
    heads: &[u32],
    of: Heads,
    moments: &Moments,
    how: How,
) -> Result<Planned, Failure> {
    let Heads { count, width, .. } = of;
    let mean = moments.mean()?; // [positions, units]
    let change = |heads: &[u32]| {
        let at = Coordinates::heads(heads, count, width, how.device)?;
        let index: Vec<i64> =
            heads.iter().flat_map(|head| head * width..(head + 1) * width).map(i64::from).collect();
        let own = || mean.f_index_select(1, &Tensor::from_slice(&index).to_device(how.device));
        let change = match how.by {
            By::Zero | By::ProjectOut => Change::Scale(0.0),
            By::Mean => Change::Set(own()?),
            By::Shift => return Err(Failure::new("heads cannot be shifted")),
        };
        Intervention::new(at, change)
    };
    let own = change(heads)?;
    let sizes = match how.by {
        By::Mean => moments.centred(width)?,
        _ => moments.sizes(width)?,
    };
    let of = matched(heads, &sizes, how.controls, how.seed);
    let controls = of.iter().map(|set| change(set));
    let changes = std::iter::once(Ok(own)).chain(controls).collect::<Result<Vec<_>, Failure>>()?;
    Ok(Planned { changes, of, spread: Vec::new() })
}

#[cfg(test)]
mod tests;
