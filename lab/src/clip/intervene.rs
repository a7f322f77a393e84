//! Interventions: an activation in; the same with units, directions or heads set, scaled or shifted out. For forward hooks.
//!
//! At each position an activation has c numbers: `[n, c, h, w]`, `[n, t, c]` or `[n, c]`. An intervention reads some
//! [`Coordinates`] of these c numbers and changes them by the same rule at every position. Heads stand side by side where they
//! are read (`Stage::Pooled` of a ResNet, `BlockTap::Heads` of a transformer), so that a head is a run of units there. Knows
//! nothing of data sets, and needs no gradients. n: images, p: positions, k: coordinates.

use tch::{Device, Kind, Tensor};

use super::activations::arranged;
use super::hook::units_dim;
use crate::failure::Failure;

/// What is left of a direction beside those before it, at least, for it to be another one.
const INDEPENDENT: f64 = 1e-6;

/// Coordinates in the space of c units.
#[derive(Debug)]
pub struct Coordinates {
    axes: Axes,
    units: i64,
}

#[derive(Debug)]
enum Axes {
    /// Units, by their index: `[k]`.
    Units(Tensor),
    /// Orthonormal rows: `[k, c]`, single precision.
    Basis(Tensor),
}

/// What becomes of coordinates.
#[derive(Debug)]
pub enum Change {
    /// They are set to these values: `[k]`, or `[p, k]` with values of each position.
    Set(Tensor),
    /// They are multiplied.
    Scale(f64),
    /// These values are added, at every position: `[k]`.
    Shift(Tensor),
}

/// A change of coordinates.
#[derive(Debug)]
pub struct Intervention {
    read: Coordinates,
    change: Change,
    /// Where the change is made instead, for a control of the same size.
    write: Option<Coordinates>,
}

impl Coordinates {
    /// Some of `count` units.
    ///
    /// # Errors
    /// If there are none, one is named twice, or there is no such unit.
    pub fn units(units: &[u32], count: u32, device: Device) -> Result<Self, Failure> {
        if let Some(unit) = units.iter().find(|unit| **unit >= count) {
            return Err(Failure::new(format!("there is no unit {unit} among {count}")));
        }
        let twice = units.iter().enumerate().find(|(at, unit)| units[..*at].contains(unit));
        if let Some((_, unit)) = twice {
            return Err(Failure::new(format!("unit {unit} is changed more than once")));
        }
        if units.is_empty() {
            return Err(Failure::new("an intervention changes at least one unit"));
        }
        let index: Vec<i64> = units.iter().map(|unit| i64::from(*unit)).collect();
        let axes = Axes::Units(Tensor::from_slice(&index).to_device(device));
        Ok(Self { axes, units: count.into() })
    }

    /// Heads of so many, each of `width` units side by side.
    ///
    /// # Errors
    /// If there are none, one is named twice, or there is no such head.
    pub fn heads(heads: &[u32], count: u32, width: u32, device: Device) -> Result<Self, Failure> {
        if let Some(head) = heads.iter().find(|head| **head >= count) {
            return Err(Failure::new(format!("there is no head {head} among {count}")));
        }
        let units = heads.iter().flat_map(|head| head * width..(head + 1) * width);
        Self::units(&units.collect::<Vec<_>>(), count * width, device)
    }

    /// The space that directions span, each with c numbers. The coordinates are along the directions made orthogonal, one after
    /// the other (Gram and Schmidt), so that a single one is the projection on it.
    ///
    /// # Errors
    /// If there are none, they are of different lengths, or one is a sum of those before it.
    pub fn directions(rows: &[Vec<f64>], device: Device) -> Result<Self, Failure> {
        let units = rows.first().map_or(0, Vec::len);
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for (at, row) in rows.iter().enumerate() {
            let whole = dot(row, row).sqrt();
            if row.len() != units || !(whole.is_finite() && whole > 0.0) {
                return Err(Failure::new(format!("direction {} is none", at + 1)));
            }
            let mut left: Vec<f64> = row.iter().map(|x| x / whole).collect();
            // Twice: what rounding leaves the first time is gone after the second.
            for base in basis.iter().chain(&basis) {
                let along = dot(&left, base);
                left.iter_mut().zip(base).for_each(|(x, base)| *x -= along * base);
            }
            let length = dot(&left, &left).sqrt();
            if length < INDEPENDENT {
                let message = format!("direction {} is a sum of those before it", at + 1);
                return Err(Failure::new(message).hint("name each direction once"));
            }
            basis.push(left.into_iter().map(|x| x / length).collect());
        }
        if basis.is_empty() {
            return Err(Failure::new("an intervention changes at least one direction"));
        }
        let flat = Tensor::from_slice(&basis.concat()).view([basis.len() as i64, units as i64]);
        let axes = Axes::Basis(flat.to_kind(Kind::Float).to_device(device));
        Ok(Self { axes, units: units as i64 })
    }

    /// How many there are.
    pub fn count(&self) -> i64 {
        match &self.axes {
            Axes::Units(tensor) | Axes::Basis(tensor) => tensor.size()[0],
        }
    }

    /// The coordinates of an activation: `[n, p, k]` in single precision.
    ///
    /// # Errors
    /// If the activation has another number of units.
    pub fn of(&self, activation: &Tensor) -> Result<Tensor, Failure> {
        let found = activation.size()[units_dim(activation) as usize];
        if found != self.units {
            let message = format!("the intervention is in {} units, not {found}", self.units);
            return Err(Failure::new(message));
        }
        Ok(match &self.axes {
            Axes::Units(index) => {
                let own = activation.f_index_select(units_dim(activation), index)?;
                arranged(&own).f_transpose(1, 2)?.f_to_kind(Kind::Float)?
            }
            Axes::Basis(basis) => {
                let rows = arranged(activation).f_transpose(1, 2)?.f_to_kind(Kind::Float)?;
                rows.f_matmul(&basis.tr())?
            }
        })
    }

    /// A copy of an activation with this added to its coordinates: `[n, p, k]`.
    fn added(&self, activation: &Tensor, change: &Tensor) -> Result<Tensor, Failure> {
        let dim = units_dim(activation);
        match &self.axes {
            Axes::Units(index) => {
                let change = like(&change.transpose(1, 2), activation)?;
                Ok(activation.f_index_add(dim, index, &change)?)
            }
            Axes::Basis(basis) => {
                let change = change.f_matmul(basis)?.transpose(1, 2); // [n, c, p]
                Ok(activation + like(&change, activation)?)
            }
        }
    }
}

impl Intervention {
    /// A change of these coordinates.
    ///
    /// # Errors
    /// If values are given for another number of coordinates.
    pub fn new(read: Coordinates, change: Change) -> Result<Self, Failure> {
        let fits = match &change {
            Change::Set(values) => values.size().last() == Some(&read.count()),
            Change::Shift(values) => values.size() == [read.count()],
            Change::Scale(_) => true,
        };
        match fits {
            true => Ok(Self { read, change, write: None }),
            false => Err(Failure::new("a change has a value for each coordinate")),
        }
    }

    /// The same change at other coordinates: what it would add to each of its own is added to each of these. So it is exactly
    /// as large, at each position of each image.
    ///
    /// # Errors
    /// If there are more of them, or fewer.
    pub fn elsewhere(self, write: Coordinates) -> Result<Self, Failure> {
        match write.count() == self.read.count() && write.units == self.read.units {
            true => Ok(Self { write: Some(write), ..self }),
            false => Err(Failure::new("a change is made at as many other coordinates")),
        }
    }

    /// What is added to the coordinates, `[n, p, k]`, in single precision.
    fn added(&self, activation: &Tensor) -> Result<Tensor, Failure> {
        let before = self.read.of(activation)?;
        Ok(match &self.change {
            Change::Set(values) => values.f_sub(&before)?,
            Change::Scale(factor) => before * (factor - 1.0),
            Change::Shift(values) => values.f_expand(before.size(), false)?,
        })
    }

    /// A changed copy of an activation, of the same shape and precision.
    ///
    /// # Errors
    /// If the activation has other units or positions.
    pub fn apply(&self, activation: &Tensor) -> Result<Tensor, Failure> {
        let added = self.added(activation)?;
        match (&self.change, &self.read.axes, &self.write) {
            // Exactly the value: a sum would be rounded.
            (Change::Set(values), Axes::Units(index), None) => {
                let values = values.f_expand(added.size(), false)?.f_transpose(1, 2)?;
                let dim = units_dim(activation);
                Ok(activation.f_index_copy(dim, index, &like(&values, activation)?)?)
            }
            _ => self.write.as_ref().unwrap_or(&self.read).added(activation, &added),
        }
    }

    /// The size of the change in each image, `[n]`: the sum of squares over units, averaged over positions.
    ///
    /// # Errors
    /// As for [`Intervention::apply`].
    pub fn squares(&self, activation: &Tensor) -> Result<Tensor, Failure> {
        let added = self.added(activation)?.f_square()?;
        let sum = added.f_sum_dim_intlist([2i64].as_slice(), false, Kind::Double)?;
        Ok(sum.f_mean_dim([1i64].as_slice(), false, Kind::Double)?)
    }
}

/// An activation as it is, and changed in each of these ways: variants for a forward hook, one below the other.
///
/// # Errors
/// As for [`Intervention::apply`].
pub fn beside(activation: &Tensor, interventions: &[Intervention]) -> Result<Tensor, Failure> {
    let mut all = vec![activation.shallow_clone()];
    for intervention in interventions {
        all.push(intervention.apply(activation)?);
    }
    Ok(Tensor::f_cat(&all, 0)?)
}

/// `[n, units, p]` in the layout and the precision of an activation.
fn like(rows: &Tensor, activation: &Tensor) -> Result<Tensor, Failure> {
    let (size, rows) = (activation.size(), rows.f_to_kind(activation.kind())?);
    Ok(match size[..] {
        [n, _, h, w] => rows.f_contiguous()?.f_view([n, rows.size()[1], h, w])?,
        [_, _, _] => rows.f_transpose(1, 2)?,
        _ => rows.f_squeeze_dim(2)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: Device = Device::Cpu;

    /// An activation of each shape: two images, four positions or one, three units.
    fn activations() -> [Tensor; 3] {
        [&[2i64, 3, 2, 2][..], &[2, 4, 3], &[2, 3]].map(|shape| {
            let count: i64 = shape.iter().product();
            (Tensor::arange(count, (Kind::Float, CPU)) * 1.3).sin().view(shape)
        })
    }

    fn apart(a: &Tensor, b: &Tensor) -> f64 {
        assert_eq!(a.size(), b.size());
        (a - b).abs().max().double_value(&[])
    }

    /// The activation by image, position and unit: `[n, p, c]`.
    fn rows(activation: &Tensor) -> Tensor {
        arranged(activation).transpose(1, 2).contiguous()
    }

    fn units(units: &[u32]) -> Coordinates {
        Coordinates::units(units, 3, CPU).expect("units")
    }

    fn values(values: &[f32]) -> Tensor {
        Tensor::from_slice(values)
    }

    #[test]
    fn units_are_set_scaled_and_shifted_at_every_position_and_no_others_are() {
        for before in activations() {
            for (change, expected) in [
                (Change::Set(values(&[0.5, -2.0])), [None, Some(-2.0)]),
                (Change::Scale(0.0), [Some(0.0), Some(0.0)]),
                (Change::Shift(values(&[1.0, -1.0])), [None, None]),
            ] {
                let shift = matches!(change, Change::Shift(_));
                let intervention = Intervention::new(units(&[2, 0]), change).expect("a change");
                let after = intervention.apply(&before).expect("an activation");
                assert_eq!(after.size(), before.size());
                let (after, before) = (rows(&after), rows(&before));
                assert_eq!(after.select(2, 1), before.select(2, 1), "unit 1 is as it was");
                if let Some(value) = expected[1] {
                    assert_eq!(after.select(2, 0).min().double_value(&[]), value);
                    assert_eq!(after.select(2, 0).max().double_value(&[]), value);
                }
                if shift {
                    assert!(apart(&after.select(2, 2), &(before.select(2, 2) + 1.0)) < 1e-6);
                    assert!(apart(&after.select(2, 0), &(before.select(2, 0) - 1.0)) < 1e-6);
                }
            }
        }
    }

    #[test]
    fn a_position_can_have_values_of_its_own() {
        let [map, tokens, _] = activations();
        for before in [map, tokens] {
            let own = Tensor::arange(4, (Kind::Float, CPU)).view([4, 1]);
            let change = Change::Set(own.shallow_clone());
            let intervention = Intervention::new(units(&[1]), change).expect("a change");
            let after = rows(&intervention.apply(&before).expect("an activation"));
            assert_eq!(after.narrow(2, 1, 1), own.unsqueeze(0).expand([2, 4, 1], false));
        }
    }

    #[test]
    fn a_direction_is_projected_out_of_every_position_and_the_rest_stays() {
        let (d, e) = (vec![1.0, 2.0, -2.0], vec![0.0, 3.0, 3.0]); // orthogonal
        for before in activations() {
            let one = Coordinates::directions(std::slice::from_ref(&d), CPU).expect("a direction");
            let intervention = Intervention::new(one, Change::Scale(0.0)).expect("a change");
            let after = rows(&intervention.apply(&before).expect("an activation"));
            let along = |rows: &Tensor, direction: &[f64]| {
                rows.matmul(&Tensor::from_slice(direction).to_kind(Kind::Float))
            };
            assert!(along(&after, &d).abs().max().double_value(&[]) < 1e-5);
            assert!(apart(&along(&after, &e), &along(&rows(&before), &e)) < 1e-5);
            // By hand: x - (x·d) d / |d|².
            let hand = rows(&before)
                - along(&rows(&before), &d).unsqueeze(2)
                    * Tensor::from_slice(&d).to_kind(Kind::Float)
                    / 9.0;
            assert!(apart(&after, &hand) < 1e-6);
        }
    }

    #[test]
    fn the_axes_of_units_are_units_as_directions_too() {
        let axes = [vec![1.0, 0.0, 0.0], vec![1.0, 1.0, 0.0]];
        for before in activations() {
            for (first, second) in [
                (Change::Scale(0.0), Change::Scale(0.0)),
                (Change::Set(values(&[1.0, 2.0])), Change::Set(values(&[1.0, 2.0]))),
                (Change::Shift(values(&[1.0, 2.0])), Change::Shift(values(&[1.0, 2.0]))),
            ] {
                let directions = Coordinates::directions(&axes, CPU).expect("directions");
                let [one, other] =
                    [(units(&[0, 1]), first), (directions, second)].map(|(at, c)| {
                        Intervention::new(at, c)
                            .expect("a change")
                            .apply(&before)
                            .expect("a change")
                    });
                assert!(apart(&one, &other) < 1e-6);
            }
        }
    }

    #[test]
    fn a_change_elsewhere_is_exactly_as_large() {
        let (d, e) = (vec![1.0, 2.0, -2.0], vec![0.5, 0.1, 0.3]);
        for before in activations() {
            let own = Coordinates::directions(std::slice::from_ref(&d), CPU).expect("a direction");
            let other =
                Coordinates::directions(std::slice::from_ref(&e), CPU).expect("a direction");
            let change = Intervention::new(own, Change::Scale(0.0)).expect("a change");
            let squares = change.squares(&before).expect("squares");
            let control = change.elsewhere(other).expect("a control");
            assert_eq!(control.squares(&before).expect("squares"), squares);
            let added = rows(&control.apply(&before).expect("an activation")) - rows(&before);
            let sum = added.square().sum_dim_intlist([2i64].as_slice(), false, Kind::Double);
            assert!(apart(&sum.mean_dim([1i64].as_slice(), false, Kind::Double), &squares) < 1e-5);
        }
    }

    #[test]
    fn variants_begin_with_the_activation_itself() {
        let [map, ..] = activations();
        let set = |unit| Intervention::new(units(&[unit]), Change::Scale(0.0)).expect("a change");
        let all = beside(&map, &[set(0), set(2)]).expect("variants");
        assert_eq!(all.size(), [6, 3, 2, 2]);
        assert_eq!(all.narrow(0, 0, 2), map);
        assert_eq!(all.narrow(0, 4, 2), set(2).apply(&map).expect("an activation"));
    }

    #[test]
    fn what_cannot_be_changed_is_an_error() {
        let said = |found: Result<Coordinates, Failure>| found.expect_err("a mistake").to_string();
        assert_eq!(said(Coordinates::units(&[3], 3, CPU)), "there is no unit 3 among 3");
        assert!(said(Coordinates::units(&[1, 1], 3, CPU)).contains("more than once"));
        assert!(said(Coordinates::units(&[], 3, CPU)).contains("at least one unit"));
        assert_eq!(said(Coordinates::heads(&[2], 2, 4, CPU)), "there is no head 2 among 2");
        let sum = [vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 1.0]];
        assert!(said(Coordinates::directions(&sum, CPU)).contains("a sum of those before it"));
        assert!(said(Coordinates::directions(&[vec![0.0, 0.0]], CPU)).contains("is none"));
        assert!(said(Coordinates::directions(&[], CPU)).contains("at least one direction"));
        assert!(Intervention::new(units(&[1]), Change::Set(values(&[1.0, 2.0]))).is_err());
        let one = Intervention::new(units(&[1]), Change::Scale(0.0)).expect("a change");
        assert!(one.apply(&Tensor::zeros([2, 4], (Kind::Float, CPU))).is_err());
        assert!(one.elsewhere(units(&[0, 2])).is_err());
    }
}
