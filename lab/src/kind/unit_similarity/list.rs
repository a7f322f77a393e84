//! A list: the units nearest to a unit or a direction.

use std::cmp::Ordering;

use neuronotes_core::kind::unit_similarity::{By, Neighbour, Order, Outcome, Params, Seen};
use tch::{Kind, Tensor};

use super::super::rows::{caption, label, named};
use crate::clip::wiring::Wiring;
use crate::failure::Failure;
use crate::fit::column::{Column, correlations_with};
use crate::gallery::{Gallery, Stored};
use crate::kind::term::{check_asked, of_terms};
use crate::readout::Readout;
use crate::table::matrix::Matrix;
use crate::table::{check_sound, check_unit, summary, tie};
use crate::workbench::Workbench;

/// What the units are compared with.
pub(super) enum Target {
    /// A unit.
    Unit(usize),
    /// A direction in the space of units, of length 1, and whether that is the space of embeddings.
    Direction(Vec<f64>, bool),
}

impl Target {
    /// The target of a request; `None` if it has none.
    ///
    /// # Errors
    /// If there is no such unit or it is left out, or the direction has no length.
    pub(super) fn of(
        bench: &mut Workbench<'_>,
        params: &Params,
        all: &Matrix,
    ) -> Result<Option<Self>, Failure> {
        match (params.unit, &params.direction) {
            (Some(unit), _) => {
                let name = bench.request.inputs.place_name(&params.layer);
                check_unit(name, all.rows.size()[1] as usize, unit)?;
                check_sound(name, &all.spoiled, unit)?;
                Ok(Some(Self::Unit(unit as usize)))
            }
            (None, Some(terms)) => {
                let clip = bench.clip(&[params.layer.layer()])?;
                let readout = Readout::of(bench, &clip, &params.layer)?;
                check_asked(readout.name(), &all.spoiled, terms)?;
                let row = of_terms(bench, &clip, &readout, terms)?;
                Ok(Some(Self::Direction(row, readout.is_scaled())))
            }
            (None, None) => Ok(None),
        }
    }

    /// Its activations over the images: those of the unit, or the products with the direction.
    fn activations(&self, matrix: &Tensor) -> Result<Vec<f64>, Failure> {
        let values = match self {
            Self::Unit(unit) => matrix.f_select(1, *unit as i64)?.f_to_kind(Kind::Double)?,
            Self::Direction(row, is_cosine) => {
                let row = Tensor::from_slice(row).f_to_kind(Kind::Float)?;
                let products = matrix.f_mv(&row)?.f_to_kind(Kind::Double)?;
                match is_cosine {
                    true => {
                        let squares = (matrix * matrix).f_sum_dim_intlist(
                            [1i64].as_slice(),
                            false,
                            Kind::Double,
                        )?;
                        products / squares.sqrt().clamp_min(1e-12)
                    }
                    false => products,
                }
            }
        };
        Ok(Vec::try_from(values.f_contiguous()?)?)
    }

    /// The cosine of each unit's weights, the rows of a matrix, with the target's; none where one of them is zero.
    fn cosines(&self, weights: &Tensor) -> Result<Vec<Option<f64>>, Failure> {
        let own = match self {
            Self::Unit(unit) => weights.f_select(0, *unit as i64)?,
            Self::Direction(row, _) => weights.f_transpose(0, 1)?.f_mv(&Tensor::from_slice(row))?,
        };
        let products = Vec::<f64>::try_from(weights.f_mv(&own)?)?;
        let squares =
            (weights * weights).f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?;
        let squares = Vec::<f64>::try_from(squares)?;
        let length = own.f_dot(&own)?.f_double_value(&[])?.sqrt();
        let one = |(product, square): (f64, f64)| {
            let lengths = length * square.sqrt();
            (lengths > 0.0).then(|| (product / lengths).clamp(-1.0, 1.0))
        };
        Ok(products.into_iter().zip(squares).map(one).collect())
    }
}

/// How similar each unit is to the target.
struct Similarities {
    correlation: Vec<Option<f64>>,
    weights_in: Vec<Option<f64>>,
    weights_out: Vec<Option<f64>>,
}

impl Similarities {
    fn of(
        bench: &mut Workbench<'_>,
        params: &Params,
        all: &Matrix,
        columns: &[Column],
        target: &Target,
    ) -> Result<Self, Failure> {
        let activations = target.activations(&all.rows)?;
        let wiring = match params.layer.dictionary() {
            None => {
                let name = params.layer.layer();
                let clip = bench.clip(&[name])?;
                clip.wiring(clip.layer(name)?.stage)
            }
            Some(_) => Wiring::default(),
        };
        let cosines = |weights: &Option<Tensor>| match weights {
            Some(weights) => target.cosines(weights),
            None => Ok(vec![None; columns.len()]),
        };
        Ok(Self {
            correlation: correlations_with(&all.rows, columns, &activations)?,
            weights_in: cosines(&wiring.into)?,
            weights_out: cosines(&wiring.out)?,
        })
    }

    /// What a list is ordered by.
    fn by(&self, by: By) -> &[Option<f64>] {
        match by {
            By::Correlation => &self.correlation,
            By::WeightsIn => &self.weights_in,
            By::WeightsOut => &self.weights_out,
        }
    }
}

/// Fills in the list of an outcome.
///
/// # Errors
/// If the units have nothing to be compared by, or an image cannot be shown.
pub(super) fn measure(
    bench: &mut Workbench<'_>,
    params: &Params,
    all: &Matrix,
    columns: &[Column],
    target: &Target,
    empty: Outcome,
) -> Result<Outcome, Failure> {
    let similarities = Similarities::of(bench, params, all, columns, target)?;
    let own = match target {
        Target::Unit(unit) => Some(*unit),
        Target::Direction(..) => None,
    };
    let mut order = ranked(similarities.by(params.by), own, params.order);
    order.retain(|unit| !all.is_spoiled(*unit));
    if order.is_empty() {
        return Err(incomparable(bench, params));
    }
    order.truncate(params.top as usize);
    let others = similarities.correlation.iter().enumerate();
    let others = others.filter(|(unit, _)| Some(*unit) != own).filter_map(|(_, r)| *r);
    let others: Vec<f64> = others.collect();
    let spread = (!others.is_empty()).then(|| summary(&others));
    let mut gallery = Gallery::default();
    let activations = target.activations(&all.rows)?;
    let single: Vec<f32> = activations.iter().map(|x| *x as f32).collect();
    let strongest = tie::greatest(&single, |row| &all.samples[row].key);
    let (stored, caption) = shown(bench, &mut gallery, all, strongest)?;
    let seen =
        Seen { caption, picture: stored.picture, width: stored.width, height: stored.height };
    let mut nearest = Vec::new();
    for unit in order {
        bench.monitor.check()?;
        let column = &columns[unit];
        let label = label(all, column).map(|(label, _)| label.to_owned());
        let (stored, caption) = shown(bench, &mut gallery, all, column.largest.first().copied())?;
        nearest.push(Neighbour {
            unit: unit as u32,
            correlation: similarities.correlation[unit],
            weights_in: similarities.weights_in[unit],
            weights_out: similarities.weights_out[unit],
            label,
            caption,
            picture: stored.picture,
            width: stored.width,
            height: stored.height,
        });
    }
    let (mean, sd) = (spread.map(|spread| spread.mean), spread.map(|spread| spread.sd));
    Ok(Outcome { mean, sd, target: Some(seen), nearest, ..empty })
}

/// Adds an image to the record. Returns it with its caption, or its key if it has none.
fn shown(
    bench: &mut Workbench<'_>,
    gallery: &mut Gallery,
    all: &Matrix,
    image: Option<usize>,
) -> Result<(Stored, String), Failure> {
    let image = image.ok_or_else(|| Failure::new("there is no image"))?;
    let (shard, key) = named(all, &[image])[0];
    let (stored, _) = gallery.add_sample(bench, shard, key)?;
    Ok((stored, caption(all, image).to_owned()))
}

/// The units that have a similarity, without the target itself, in order; of equal ones the first goes first.
fn ranked(similarities: &[Option<f64>], own: Option<usize>, order: Order) -> Vec<usize> {
    let mut found: Vec<(usize, f64)> = similarities
        .iter()
        .enumerate()
        .filter(|(unit, _)| Some(*unit) != own)
        .filter_map(|(unit, similarity)| Some((unit, (*similarity)?)))
        .collect();
    let compare = |a: f64, b: f64| -> Ordering {
        match order {
            Order::Nearest => b.total_cmp(&a),
            Order::Opposite => a.total_cmp(&b),
        }
    };
    found.sort_by(|a, b| compare(a.1, b.1));
    found.into_iter().map(|(unit, _)| unit).collect()
}

/// The failure that no unit can be compared with the target.
fn incomparable(bench: &Workbench<'_>, params: &Params) -> Failure {
    let name = bench.request.inputs.place_name(&params.layer);
    match params.by {
        By::Correlation => {
            let message = "there is nothing to correlate: the target, or every other unit, has the same activation for every image";
            Failure::new(message).hint("use another data set, or `by: weights_in`")
        }
        By::WeightsIn | By::WeightsOut => {
            let way = if params.by == By::WeightsIn { "in" } else { "out" };
            Failure::new(format!("the units of `{name}` have no weights {way} to compare"))
                .hint("use `by: correlation`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_leaves_out_the_target_and_what_has_no_similarity() {
        let all = [Some(0.25), Some(1.0), None, Some(-0.5), Some(0.25)];
        assert_eq!(ranked(&all, Some(1), Order::Nearest), [0, 4, 3]);
        assert_eq!(ranked(&all, None, Order::Nearest), [1, 0, 4, 3]);
        assert_eq!(ranked(&all, Some(1), Order::Opposite), [3, 0, 4]);
        assert!(ranked(&[Some(1.0), None], Some(0), Order::Nearest).is_empty());
    }

    #[test]
    fn weights_are_compared_by_their_angle_and_zero_weights_have_none() {
        let weights =
            Tensor::from_slice(&[3.0f64, 0.0, 1.0, 1.0, 0.0, 0.0, -2.0, 0.0]).view([4, 2]);
        let found = Target::Unit(0).cosines(&weights).expect("cosines");
        assert!((found[1].expect("a cosine") - 0.5f64.sqrt()).abs() < 1e-12);
        assert_eq!((found[0], found[2], found[3]), (Some(1.0), None, Some(-1.0)));
        // The weights of a sum of units are the sum of theirs.
        let sum =
            Target::Direction(vec![1.0, -1.0, 0.0, 0.0], false).cosines(&weights).expect("cosines");
        assert!((sum[0].expect("a cosine") - 2.0 / 5.0f64.sqrt()).abs() < 1e-12, "{sum:?}");
    }
}
