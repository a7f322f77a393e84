//! Answers to pictures: pictures in; the probabilities of the classes, by zero-shot classification and by a probe, out.

use half::f16;
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::model::Stage;
use tch::{Device, Kind, Tensor};

use super::super::line::{Lines, Probe};
use crate::clip::Clip;
use crate::clip::activations::by_unit;
use crate::failure::Failure;
use crate::feed::Pictures;
use crate::pass::Pass;
use crate::readout::Readout;
use crate::vector::{Row, dot, softmax, unit};
use crate::workbench::Workbench;

/// Classifies pictures.
pub(super) struct Judge<'a> {
    pub(super) clip: &'a Clip,
    /// The direction of each class's texts.
    pub(super) directions: &'a [Row],
    pub(super) scale: f64,
    pub(super) probing: Option<&'a Probing>,
}

/// The answers to one picture: the probability of each class.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// By the texts of the classes.
    pub(super) texts: Row,
    /// By the probe, if there is one.
    pub(super) probe: Option<Row>,
}

/// A probe that looks at pictures.
pub(super) struct Probing {
    readout: Readout,
    pool: Pool,
    lines: Lines,
    /// The place of each class among the probe's.
    classes: Vec<usize>,
}

impl Probing {
    /// A probe that chooses among the classes of these names.
    ///
    /// # Errors
    /// If the probe has no such class, or its weights are of another number of units than its layer has.
    pub(super) fn of<'n>(
        bench: &mut Workbench<'_>,
        clip: &Clip,
        probe: &Probe<'_>,
        names: impl Iterator<Item = &'n String>,
    ) -> Result<Self, Failure> {
        let readout = Readout::of(bench, clip, &probe.params.layer)?;
        let classes = names.map(|name| probe.lines.class(name)).collect::<Result<_, _>>()?;
        let (its, ours) = (probe.lines.sd.len(), readout.units());
        if its != ours {
            let name = readout.name();
            return Err(Failure::new(format!(
                "the probe has {its} units, and `{name}` has {ours}"
            )));
        }
        Ok(Self { readout, pool: probe.params.pool, lines: probe.lines.clone(), classes })
    }

    /// The probabilities of the classes for pictures: the activations of its layer, `[n, …]`, to a row each.
    fn answers(&self, layer: &Tensor) -> Result<Vec<Row>, Failure> {
        let (mean, greatest) = self.readout.pooled(&by_unit(layer)); // [n, units] each
        let pooled = match self.pool {
            Pool::Mean => mean,
            Pool::Max => greatest,
        };
        let (count, units) = pooled.size2()?;
        let pooled = pooled.to_kind(Kind::Float).to_device(Device::Cpu).contiguous();
        let flat: Vec<f32> = Vec::try_from(pooled.view([count * units]))?;
        // As precise as the scan that the probe was fitted to.
        let flat: Row = flat.iter().map(|x| f16::from_f32(*x).to_f64()).collect();
        let rows = flat.chunks_exact(units.max(1) as usize);
        Ok(rows.map(|row| answer(&self.lines, row, &self.classes)).collect())
    }
}

/// The probability of some of a probe's classes, as if there were no others, for one image's units.
pub(super) fn answer(lines: &Lines, row: &[f64], classes: &[usize]) -> Row {
    softmax(&lines.logits(row, classes), 1.0)
}

impl Judge<'_> {
    /// The answers to each picture; `None` for those that cannot be read.
    pub(super) fn all<P: Pictures + ?Sized>(
        &self,
        bench: &mut Workbench<'_>,
        pictures: &P,
        title: &str,
    ) -> Result<Vec<Option<Answer>>, Failure> {
        let mut found = vec![None; pictures.count()];
        let mut stages = vec![Stage::Embedding];
        let there = self.probing.map(|probing| probing.readout.layer.stage);
        stages.extend(there.filter(|stage| *stage != Stage::Embedding));
        let pass = Pass::new(self.clip, &stages, title);
        pass.run(pictures, bench.monitor, |places, activations| {
            let all = by_unit(activations.get(Stage::Embedding)?).squeeze_dim(2); // [n, embedding]
            let probed = match self.probing {
                Some(probing) => {
                    let layer = activations.get(probing.readout.layer.stage)?;
                    probing.answers(layer)?.into_iter().map(Some).collect()
                }
                None => vec![None; places.len()],
            };
            for ((row, at), probe) in places.iter().enumerate().zip(probed) {
                let one = all.select(0, row as i64).to_kind(Kind::Double).contiguous();
                let one = unit(Vec::try_from(one)?, "a picture")?;
                let cosines: Vec<f64> = self.directions.iter().map(|d| dot(d, &one)).collect();
                found[*at] = Some(Answer { texts: softmax(&cosines, self.scale), probe });
            }
            Ok(())
        })?;
        Ok(found)
    }
}
