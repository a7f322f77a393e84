//! The optimisation loop: a model, targets and parameters in; pictures and their optimisation curves out.
//!
//! Targets that share parameters share the steps, and each gets the pictures that it would have got alone. A step splits
//! the batch into as many parts as memory requires. Knows nothing of requests, files or the store.

use neuronotes_core::kind::feature_vis::Params;
use tch::{Device, Kind, Tensor};

use super::adam::{Adam, rows};
use super::facet::Facet;
use super::film::{self, Frame};
use super::job::Job;
use super::objective::Aim;
use super::param::{Canvas, of_bytes, to_bytes};
use super::transform::Draws;
use super::{Purpose, chance};
use crate::batch::Batch;
use crate::clip::Clip;
use crate::failure::Failure;
use crate::threads::Fixed;

pub mod step;
mod teams;
use step::Slope;

/// The learning rate is divided by this after an optimisation that diverged.
const SMALLER: f64 = 4.0;
/// Steps between two reads of the values on a GPU, each of which waits for the GPU.
const LOOK: usize = 16;
/// The most pictures at once on a processor. More gain nothing; and from 16 on, libtorch with one thread uses another
/// algorithm for 1 x 1 convolutions.
const PROCESSOR: usize = 8;
/// The most pictures at once on a GPU, initially.
const GPU: usize = 64;
/// The pictures that were made for a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimised {
    /// As many as the parameters ask for.
    pub pictures: Vec<Picture>,
    /// The learning rate, if it is not the parameters': the first attempt diverged.
    pub restarted_with: Option<f64>,
}

/// A picture and its optimisation curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// 8-bit RGB, `size` x `size`, row by row.
    pub pixels: Vec<u8>,
    /// The target's value on that picture.
    pub activation: f64,
    /// The target's value on the initial picture.
    pub activation_at_start: f64,
    /// The facet's weight, if there is a facet.
    pub strength: Option<f64>,
    /// The target's value on the transformed picture before each step.
    pub values: Vec<f64>,
    /// Frames of the animation.
    pub frames: Vec<Frame>,
}

/// The state of a target's pictures between two steps.
#[derive(Debug)]
pub struct Step<'a> {
    /// Steps done.
    pub done: u32,
    canvas: &'a Canvas,
    parameters: Tensor, // [k, …]
}

impl Step<'_> {
    /// The last of the pictures in its current state: 8-bit RGB, row by row.
    pub fn pixels(&self) -> Vec<u8> {
        let last = self.parameters.size()[0] - 1;
        rendered(self.canvas, &self.parameters.narrow(0, last, 1))
    }
}

/// Called after each step with each target's place in the batch; an error ends the work on that target.
pub type Watch<'a> = dyn FnMut(usize, &Step<'_>) -> Result<(), Failure> + 'a;

/// Makes the pictures of all targets, which are at one stage of the model. Returns a result for each target, in the order
/// of `jobs`.
pub fn optimise(
    clip: &Clip,
    jobs: &[Job],
    facet: Option<&Facet>,
    params: &Params,
    halve: bool,
    watch: &mut Watch<'_>,
) -> Vec<Result<Optimised, Failure>> {
    let _fixed = Fixed::on(clip.device);
    let mut results: Vec<Option<Result<Optimised, Failure>>> = jobs.iter().map(|_| None).collect();
    let all: Vec<usize> = (0..jobs.len()).collect();
    let first = Attempt { clip, jobs, facet, params, halve, rate: params.learning_rate };
    let lost = first.run(&all, watch, &mut results);
    if !lost.is_empty() {
        let rate = params.learning_rate / SMALLER;
        neuronotes_core::say::err(format_args!(
            "neuronotes-lab: the optimisation diverged; restarting with learning rate {rate}"
        ));
        let lost = Attempt { rate, ..first }.run(&lost, watch, &mut results);
        for job in lost {
            let what = match jobs[job].target.aim {
                Aim::Unit(unit, _) => format!("the activation of unit {unit}"),
                _ => "the objective".to_owned(),
            };
            let message = format!("{what} is not a number, even with a learning rate of {rate}");
            results[job] = Some(Err(Failure::new(message).hint("try a smaller `learning_rate`")));
        }
    }
    let nothing = || Err(Failure::new("no picture was made"));
    results.into_iter().map(|result| result.unwrap_or_else(nothing)).collect()
}

/// One run through all steps.
struct Attempt<'a> {
    clip: &'a Clip,
    jobs: &'a [Job],
    facet: Option<&'a Facet>,
    params: &'a Params,
    halve: bool,
    rate: f64,
}

/// The targets that are still being optimised, and what they share.
struct Work {
    /// Their places among all jobs.
    jobs: Vec<usize>,
    parameters: Tensor, // [jobs * k, …]
    adam: Adam,
    /// The values of steps that have not been read yet, `[jobs * k]` each.
    unseen: Vec<Tensor>,
    curves: Vec<Curve>,
}

/// The optimisation curve of a picture.
#[derive(Debug, Clone, Default)]
struct Curve {
    begun: f64,
    values: Vec<f64>,
    frames: Vec<Frame>,
}

impl Attempt<'_> {
    fn images(&self) -> usize {
        self.params.images as usize
    }

    /// Optimises `jobs`; returns those that diverged.
    fn run(
        &self,
        jobs: &[usize],
        watch: &mut Watch<'_>,
        results: &mut [Option<Result<Optimised, Failure>>],
    ) -> Vec<usize> {
        let mut lost = Vec::new();
        if let Err(failure) = self.steps(jobs, watch, results, &mut lost) {
            for &job in jobs {
                if results[job].is_none() && !lost.contains(&job) {
                    results[job] = Some(Err(failure.clone()));
                }
            }
        }
        lost
    }

    fn steps(
        &self,
        jobs: &[usize],
        watch: &mut Watch<'_>,
        results: &mut [Option<Result<Optimised, Failure>>],
        lost: &mut Vec<usize>,
    ) -> Result<(), Failure> {
        let params = self.params;
        let (device, k) = (self.clip.device, self.images());
        let canvas = Canvas::new(params.parametrisation, params.size, device);
        let model = i64::from(self.clip.architecture.image_size);
        let mut draws = chance(params.seed, Purpose::Transforms);
        let sides = (i64::from(params.size), model);
        let draws = Draws::random(params.transforms, params.steps, sides, device, &mut draws);
        let slope = Slope::new(self.clip, (&canvas, &draws), self.facet, params);
        let mut work = self.begin(jobs, &canvas)?;
        let mut batch = Batch::of(self.at_once()).halved(self.halve);
        let scenes = film::scenes(params.frames, params.steps);
        let look = if device == Device::Cpu { 1 } else { LOOK };
        for step in 0..params.steps {
            if scenes.contains(&step) {
                work.film(&canvas, params.size);
            }
            let jobs: Vec<&Job> = work.jobs.iter().map(|at| &self.jobs[*at]).collect();
            let (gradient, values) = slope.of_all(step, &work.parameters, &jobs, &mut batch)?;
            work.adam.step(&mut work.parameters, &gradient);
            work.unseen.push(values);
            let done = step + 1;
            let mut stopped = Vec::new();
            if work.unseen.len() >= look || done == params.steps {
                let bad = work.look(k)?;
                lost.extend(bad.iter().map(|&at| work.jobs[at]));
                stopped.extend(bad);
            }
            for at in (0..work.jobs.len()).filter(|at| !stopped.contains(at)).collect::<Vec<_>>() {
                let parameters = work.parameters.narrow(0, (at * k) as i64, k as i64);
                let state = Step { done, canvas: &canvas, parameters };
                if let Err(failure) = watch(work.jobs[at], &state) {
                    results[work.jobs[at]] = Some(Err(failure));
                    stopped.push(at);
                }
            }
            if !stopped.is_empty() {
                work.look(k)?;
                work.drop(&stopped, k);
            }
            if work.jobs.is_empty() {
                return Ok(());
            }
        }
        if scenes.contains(&params.steps) {
            work.film(&canvas, params.size);
        }
        for (at, &job) in work.jobs.iter().enumerate() {
            let rows = work.parameters.narrow(0, (at * k) as i64, k as i64);
            if rows.isfinite().all().int64_value(&[]) == 0 {
                lost.push(job);
                continue;
            }
            results[job] =
                Some(self.finish(job, &rows, &work.curves[at * k..(at + 1) * k], &canvas));
        }
        Ok(())
    }

    /// The most targets at once, initially.
    fn at_once(&self) -> usize {
        let fixed = self.jobs.iter().any(|job| self.clip.fixes_size(job.target.stage));
        let most = match self.clip.device {
            // The order in which a product of matrices is summed depends on the number of rows.
            Device::Cpu if fixed => 1,
            Device::Cpu => PROCESSOR,
            _ => GPU,
        };
        let most = (most / self.images()).max(1);
        // Evenly: nine are split into five and four, not eight and one.
        self.jobs.len().div_ceil(self.jobs.len().div_ceil(most).max(1)).max(1)
    }

    fn begin(&self, jobs: &[usize], canvas: &Canvas) -> Result<Work, Failure> {
        let (mut rows, mut curves) = (Vec::new(), Vec::new());
        for &job in jobs {
            let mut noise = chance(self.params.seed, Purpose::Noise);
            for _ in 0..self.images() {
                let row = match &self.jobs[job].start {
                    // With noise added, so that several pictures from one start can differ.
                    Some(image) if self.images() == 1 => canvas.of_image(image),
                    Some(image) => canvas.of_image(image) + canvas.noise(&mut noise),
                    None => canvas.noise(&mut noise),
                };
                let begun = self.on_picture(job, &rendered(canvas, &row))?;
                curves.push(Curve { begun, ..Curve::default() });
                rows.push(row);
            }
        }
        let parameters = Tensor::cat(&rows, 0);
        let adam = Adam::new(&parameters, self.rate);
        Ok(Work { jobs: jobs.to_vec(), parameters, adam, unseen: Vec::new(), curves })
    }

    fn finish(
        &self,
        job: usize,
        rows: &Tensor,
        curves: &[Curve],
        canvas: &Canvas,
    ) -> Result<Optimised, Failure> {
        let strengths = self.facet.map(|_| self.params.strengths());
        let one = |(at, curve): (usize, &Curve)| {
            let pixels = rendered(canvas, &rows.narrow(0, at as i64, 1));
            Ok(Picture {
                activation: self.on_picture(job, &pixels)?,
                pixels,
                activation_at_start: curve.begun,
                strength: strengths.as_ref().map(|strengths| strengths[at]),
                values: curve.values.clone(),
                frames: curve.frames.clone(),
            })
        };
        let pictures = curves.iter().enumerate().map(one).collect::<Result<_, Failure>>()?;
        let restarted_with = (self.rate != self.params.learning_rate).then_some(self.rate);
        Ok(Optimised { pictures, restarted_with })
    }

    /// The target's value on an 8-bit picture, as the network computes it for the finished file.
    fn on_picture(&self, job: usize, pixels: &[u8]) -> Result<f64, Failure> {
        let target = &self.jobs[job].target;
        tch::no_grad(|| {
            let see = |image: &Tensor| -> Result<Tensor, Failure> {
                let input = step::prepared(self.clip, target.stage, image.shallow_clone());
                let found = self.clip.look(&input, &[target.stage])?;
                Ok(found.get(target.stage)?.shallow_clone())
            };
            let layer = see(&of_bytes(pixels, self.params.size, self.clip.device))?;
            let reference = match &target.aim {
                Aim::Image(image) => Some(see(image)?),
                _ => None,
            };
            Ok(target.value(&layer, reference.as_ref()).double_value(&[]))
        })
    }
}

impl Work {
    /// Reads the values since the last call; returns the places of targets with values that are not finite.
    fn look(&mut self, k: usize) -> Result<Vec<usize>, Failure> {
        if self.unseen.is_empty() {
            return Ok(Vec::new());
        }
        let table = Tensor::stack(&std::mem::take(&mut self.unseen), 0).to_kind(Kind::Double); // [steps, jobs * k]
        let count = self.curves.len();
        let numbers: Vec<f64> = Vec::try_from(table.to_device(Device::Cpu).contiguous().view(-1))?;
        let mut bad = Vec::new();
        for (at, number) in numbers.into_iter().enumerate() {
            let (picture, job) = (at % count, at % count / k);
            self.curves[picture].values.push(number);
            if !number.is_finite() && !bad.contains(&job) {
                bad.push(job);
            }
        }
        Ok(bad)
    }

    /// Drops targets, by their places.
    fn drop(&mut self, stopped: &[usize], k: usize) {
        let kept: Vec<usize> = (0..self.jobs.len()).filter(|at| !stopped.contains(at)).collect();
        let pictures: Vec<usize> = kept.iter().flat_map(|at| at * k..(at + 1) * k).collect();
        let places: Vec<i64> = pictures.iter().map(|&at| at as i64).collect();
        self.jobs = kept.iter().map(|&at| self.jobs[at]).collect();
        self.curves = pictures.iter().map(|&at| std::mem::take(&mut self.curves[at])).collect();
        self.parameters = rows(&self.parameters, &places);
        self.adam.keep(&places);
    }

    fn film(&mut self, canvas: &Canvas, size: u32) {
        for (at, curve) in self.curves.iter_mut().enumerate() {
            let row = self.parameters.narrow(0, at as i64, 1);
            curve.frames.push(Frame::of(rendered(canvas, &row), size));
        }
    }
}

/// One picture: 8-bit RGB, row by row.
fn rendered(canvas: &Canvas, parameters: &Tensor) -> Vec<u8> {
    tch::no_grad(|| to_bytes(&canvas.image(parameters)))
}
