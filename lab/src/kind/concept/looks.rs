//! What the best unit and the direction of a concept respond to: the two, and the data set, in; their strongest pictures and
//! visualisations among the record's outputs out.

use std::collections::BTreeSet;

use neuronotes_core::kind::concept::{Look, Looks, Params, Single, Strongest, Vis};
use neuronotes_core::kind::dataset_examples::{Example, Order};
use neuronotes_core::kind::feature_vis;
use tch::{Kind, Tensor};

use crate::clip::Clip;
use crate::encode::png;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::group::Own;
use crate::monitor::Progress;
use crate::readout::Readout;
use crate::table::{summary, tie};
use crate::vis::job::Job;
use crate::vis::objective::{Aim, Place, Target};
use crate::vis::optimise::{Step, optimise};
use crate::workbench::Workbench;

/// The outputs with visualisations, of the unit and of the direction.
const PICTURES: [&str; 2] = ["unit.png", "direction.png"];

/// What is looked at.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub clip: &'a Clip,
    pub at: &'a Readout,
    /// The data set, if the block has one.
    pub own: Option<&'a Own>,
    /// The places of the concept's pictures in it.
    pub positive: &'a [usize],
    /// The best unit.
    pub unit: &'a Single,
    /// The direction, `[units]`, of length 1.
    pub direction: &'a [f64],
}

impl Subject<'_> {
    /// What the block asks for; `None` if it asks for nothing.
    ///
    /// # Errors
    /// If there is no data set to take pictures of, one cannot be read, or an optimisation fails.
    pub(super) fn looks(
        &self,
        bench: &mut Workbench<'_>,
        params: &Params,
    ) -> Result<Option<Looks>, Failure> {
        if params.pictures.is_none() && params.visualise.is_none() {
            return Ok(None);
        }
        let [mut unit, mut direction] = [None, None];
        if let Some(most) = params.pictures {
            let own = self.own.ok_or_else(|| {
                Failure::new("there is no data set of which `pictures` can be shown")
                    .hint("add a `dataset`, or remove `pictures`")
            })?;
            let along = Tensor::from_slice(self.direction).to_kind(Kind::Float);
            let column = own.0.rows.select(1, self.unit.unit.into());
            let ends = [
                (column, if self.unit.low { Order::Weakest } else { Order::Strongest }),
                (own.0.rows.mv(&along), Order::Strongest),
            ];
            let mut gallery = Gallery::default();
            let [first, second] = ends;
            unit = Some(self.strongest(bench, own, &mut gallery, first, most as usize)?);
            direction = Some(self.strongest(bench, own, &mut gallery, second, most as usize)?);
        }
        let [of_unit, of_direction] = match &params.visualise {
            Some(recipe) => self.visualised(bench, params, recipe)?.map(Some),
            None => [None, None],
        };
        Ok(Some(Looks {
            unit: Look { strongest: unit, vis: of_unit },
            direction: Look { strongest: direction, vis: of_direction },
        }))
    }

    /// The pictures of the data set at one end of a column of activations, `[images]`; of equal ones those with the smallest digests
    /// of their keys.
    fn strongest(
        &self,
        bench: &mut Workbench<'_>,
        own: &Own,
        gallery: &mut Gallery,
        (column, order): (Tensor, Order),
        most: usize,
    ) -> Result<Strongest, Failure> {
        let activations = Vec::<f64>::try_from(column.to_kind(Kind::Double))?;
        let found = summary(&activations);
        let positive: BTreeSet<usize> = self.positive.iter().copied().collect();
        let mut places: Vec<usize> = (0..activations.len()).collect();
        let ties = tie::places(&own.0.samples, |sample| &sample.key);
        places.sort_by(|&a, &b| {
            order.compare(activations[a], activations[b]).then(ties[a].cmp(&ties[b]))
        });
        places.truncate(most);
        let mut pictures = Vec::new();
        for &place in &places {
            bench.monitor.check()?;
            let (shard, sample) = (own.0.shards[place], &own.0.samples[place]);
            let (stored, _) = gallery.add_sample(bench, shard, &sample.key)?;
            pictures.push(Example {
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
        let of_concept = places.iter().map(|place| positive.contains(place)).collect();
        Ok(Strongest { mean: found.mean, sd: found.sd, pictures, of_concept })
    }

    /// Both are optimised together, from the same noise.
    fn visualised(
        &self,
        bench: &mut Workbench<'_>,
        params: &Params,
        recipe: &str,
    ) -> Result<[Vis; 2], Failure> {
        let params = feature_vis::by_recipe(&params.layer, recipe, params.seed);
        let params = params.map_err(Failure::new)?;
        let device = self.clip.device;
        let along = self.at.aim_along(self.direction, Place::Everywhere, device)?;
        let job = |aim: Aim, sign: f64| {
            let (stage, cosine_power) = (self.at.layer.stage, params.cosine_power);
            Job { target: Target { stage, aim, sign, cosine_power }, start: None }
        };
        let jobs = [
            job(
                self.at.aim(self.unit.unit, Place::Everywhere)?,
                if self.unit.low { -1.0 } else { 1.0 },
            ),
            job(along, 1.0),
        ];
        let halve = bench.monitor.halves();
        // Each step transforms the picture to another size, so that trying algorithms would never pay.
        tch::Cuda::cudnn_set_benchmark(false);
        let mut watch = |_: usize, step: &Step<'_>| {
            bench.monitor.check()?;
            bench.monitor.progress(&Progress {
                stage: "visualising the unit and the direction",
                step: step.done.into(),
                total: params.steps.into(),
                unit: "step",
                picture: None,
            });
            Ok(())
        };
        let mut made = Vec::new();
        for one in optimise(self.clip, &jobs, None, &params, halve, &mut watch) {
            made.push(one?.pictures.into_iter().next());
        }
        let mut all = Vec::new();
        for (picture, name) in made.into_iter().zip(PICTURES) {
            let picture = picture.ok_or_else(|| Failure::new("a visualisation has no picture"))?;
            let bytes = png(&picture.pixels, params.size, params.size)?;
            bench.record.add_output(bench.store(), name, "image/png", &bytes)?;
            let (picture, activation) = (name.to_owned(), picture.activation);
            all.push(Vis { picture, size: params.size, activation });
        }
        <[Vis; 2]>::try_from(all).map_err(|_| Failure::new("a visualisation is missing"))
    }
}
