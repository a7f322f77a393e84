//! The loop: a model, targets and a recipe in; pictures and the way there out.
//!
//! Targets that share a recipe share its steps, each in the pictures that it would have got alone. A step goes through
//! the batch in as many pieces as memory asks for. Knows nothing of requests, files or the store.

use neuronotes_core::kind::feature_vis::{Parametrisation, Transforms};
use tch::{Device, Kind, Tensor};

use super::adam::{Adam, rows};
use super::facet::Facet;
use super::film::{self, Frame};
use super::objective::{Aim, Target};
use super::param::{Canvas, of_bytes, to_bytes};
use super::transform::Draws;
use super::{Purpose, chance};
use crate::batch::Batch;
use crate::clip::Clip;
use crate::failure::Failure;

pub mod step;
use step::Slope;

/// What the learning rate is divided by after numbers that were none.
const SMALLER: f64 = 4.0;
/// Steps between two looks at the numbers on a GPU, which has to be waited for.
const LOOK: usize = 16;
/// Most pictures at once on a processor. More gain nothing; and from 16 on, libtorch with one thread takes another
/// algorithm for 1 x 1 convolutions.
const PROCESSOR: usize = 8;
/// Most pictures at once on a GPU, to begin with.
const GPU: usize = 64;
/// The first picture of a ramp of strengths has this part of the last one's.
const RAMP: f64 = 0.02;

/// How pictures are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// How they are held.
    pub parametrisation: Parametrisation,
    /// Side, in pixels.
    pub size: u32,
    /// Steps of Adam.
    pub steps: u32,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Disturbances before each step.
    pub transforms: Transforms,
    /// First steps in which silent ReLUs pass gradients on.
    pub redirect: u32,
    /// Pictures a target.
    pub images: u32,
    /// Weight of what tells a target's pictures apart.
    pub diversity: f64,
    /// Weight of the facet.
    pub strength: f64,
    /// Weight of the mean square of the distance from grey.
    pub penalty: f64,
    /// Frames of a film; none for 0.
    pub frames: u32,
    /// Of the noise and the transforms.
    pub seed: u64,
    /// With half as many targets at once as usual. The pictures are the same.
    pub halve: bool,
}

/// One target of a batch.
#[derive(Debug)]
pub struct Job {
    /// What is to grow.
    pub target: Target,
    /// The image to begin from, `[1, 3, size, size]`, colours in 0…1; else noise.
    pub start: Option<Tensor>,
}

/// What was made for a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimised {
    /// As many as the recipe asks for.
    pub pictures: Vec<Picture>,
    /// The learning rate, where it is not the recipe's: the first attempt ended in numbers that were none.
    pub restarted_with: Option<f64>,
}

/// A picture, and the way there.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// 8-bit RGB, `size` x `size`, row by row.
    pub pixels: Vec<u8>,
    /// The target on that picture.
    pub activation: f64,
    /// The target on what it began from.
    pub activation_at_start: f64,
    /// The facet's weight, where there is one.
    pub strength: Option<f64>,
    /// The target on the disturbed picture before each step.
    pub values: Vec<f64>,
    /// Frames of the film.
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
    /// The last of the pictures as it stands: 8-bit RGB, row by row.
    pub fn pixels(&self) -> Vec<u8> {
        let last = self.parameters.size()[0] - 1;
        rendered(self.canvas, &self.parameters.narrow(0, last, 1))
    }
}

/// Sees each step of each target, by its place in the batch; may end that target's work by an error.
pub type Watch<'a> = dyn FnMut(usize, &Step<'_>) -> Result<(), Failure> + 'a;

/// Makes the pictures of all targets, all at one stage of the model. What comes out stands in the order of `jobs`, an
/// error for each target alone.
pub fn optimise(
    clip: &Clip,
    jobs: &[Job],
    facet: Option<&Facet>,
    recipe: &Recipe,
    watch: &mut Watch<'_>,
) -> Vec<Result<Optimised, Failure>> {
    let mut results: Vec<Option<Result<Optimised, Failure>>> = jobs.iter().map(|_| None).collect();
    let all: Vec<usize> = (0..jobs.len()).collect();
    let first = Attempt { clip, jobs, facet, recipe, rate: recipe.learning_rate };
    let lost = first.run(&all, watch, &mut results);
    if !lost.is_empty() {
        let rate = recipe.learning_rate / SMALLER;
        neuronotes_core::say::err(format_args!(
            "neuronotes-lab: numbers that are none; again with a learning rate of {rate}"
        ));
        let lost = Attempt { rate, ..first }.run(&lost, watch, &mut results);
        for job in lost {
            let what = match jobs[job].target.aim {
                Aim::Unit(unit, _) => format!("the activation of unit {unit}"),
                _ => "the objective".to_owned(),
            };
            let message = format!("{what} is not a number, nor with a learning rate of {rate}");
            results[job] = Some(Err(Failure::new(message).hint("try a smaller `learning_rate`")));
        }
    }
    let nothing = || Err(Failure::new("nothing was made"));
    results.into_iter().map(|result| result.unwrap_or_else(nothing)).collect()
}

/// One way through all steps.
struct Attempt<'a> {
    clip: &'a Clip,
    jobs: &'a [Job],
    facet: Option<&'a Facet>,
    recipe: &'a Recipe,
    rate: f64,
}

/// Targets still at work, and what they share.
struct Work {
    /// By their place among all jobs.
    jobs: Vec<usize>,
    parameters: Tensor, // [jobs * k, …]
    adam: Adam,
    /// Steps' values that were not looked at yet, `[jobs * k]` each.
    unseen: Vec<Tensor>,
    ways: Vec<Way>,
}

/// What is kept of a picture's way.
#[derive(Debug, Clone, Default)]
struct Way {
    begun: f64,
    values: Vec<f64>,
    frames: Vec<Frame>,
}

impl Attempt<'_> {
    fn images(&self) -> usize {
        self.recipe.images as usize
    }

    /// Works on `jobs`; returns those whose numbers are none.
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
        let recipe = self.recipe;
        let (device, k) = (self.clip.device, self.images());
        let canvas = Canvas::new(recipe.parametrisation, recipe.size, device);
        let model = i64::from(self.clip.architecture.image_size);
        let mut draws = chance(recipe.seed, Purpose::Transforms);
        let sides = (i64::from(recipe.size), model);
        let draws = Draws::random(recipe.transforms, recipe.steps, sides, device, &mut draws);
        let slope = Slope::new(self.clip, (&canvas, &draws), self.facet, recipe);
        let mut work = self.begin(jobs, &canvas)?;
        let mut batch = Batch::of(self.at_once()).halved(recipe.halve);
        let scenes = film::scenes(recipe.frames, recipe.steps);
        let look = if device == Device::Cpu { 1 } else { LOOK };
        for step in 0..recipe.steps {
            if scenes.contains(&step) {
                work.film(&canvas, recipe.size);
            }
            let (mut gradients, mut values) = (Vec::new(), Vec::new());
            batch.run(work.jobs.len(), |range| {
                let jobs: Vec<&Job> = range.clone().map(|at| &self.jobs[work.jobs[at]]).collect();
                let rows =
                    work.parameters.narrow(0, (range.start * k) as i64, (range.len() * k) as i64);
                let (gradient, value) = slope.of(step, &rows, &jobs)?;
                gradients.push(gradient);
                values.push(value);
                Ok(())
            })?;
            work.adam.step(&mut work.parameters, &Tensor::cat(&gradients, 0));
            work.unseen.push(Tensor::cat(&values, 0));
            let done = step + 1;
            let mut stopped = Vec::new();
            if work.unseen.len() >= look || done == recipe.steps {
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
        if scenes.contains(&recipe.steps) {
            work.film(&canvas, recipe.size);
        }
        for (at, &job) in work.jobs.iter().enumerate() {
            let rows = work.parameters.narrow(0, (at * k) as i64, k as i64);
            if rows.isfinite().all().int64_value(&[]) == 0 {
                lost.push(job);
                continue;
            }
            results[job] = Some(self.finish(job, &rows, &work.ways[at * k..(at + 1) * k], &canvas));
        }
        Ok(())
    }

    /// Targets at once at most, to begin with.
    fn at_once(&self) -> usize {
        let fixed = self.jobs.iter().any(|job| self.clip.fixes_size(job.target.stage));
        let most = match self.clip.device {
            // Products of matrices are summed up in an order that depends on how many rows there are.
            Device::Cpu if fixed => 1,
            Device::Cpu => PROCESSOR,
            _ => GPU,
        };
        let most = (most / self.images()).max(1);
        // Evenly: nine are five and four, and not eight and one.
        self.jobs.len().div_ceil(self.jobs.len().div_ceil(most).max(1)).max(1)
    }

    fn begin(&self, jobs: &[usize], canvas: &Canvas) -> Result<Work, Failure> {
        let (mut rows, mut ways) = (Vec::new(), Vec::new());
        for &job in jobs {
            let mut noise = chance(self.recipe.seed, Purpose::Noise);
            for _ in 0..self.images() {
                let row = match &self.jobs[job].start {
                    // Noise on top, so that several pictures of one start can differ.
                    Some(image) if self.images() == 1 => canvas.of_image(image),
                    Some(image) => canvas.of_image(image) + canvas.noise(&mut noise),
                    None => canvas.noise(&mut noise),
                };
                let begun = self.on_picture(job, &rendered(canvas, &row))?;
                ways.push(Way { begun, ..Way::default() });
                rows.push(row);
            }
        }
        let parameters = Tensor::cat(&rows, 0);
        let adam = Adam::new(&parameters, self.rate);
        Ok(Work { jobs: jobs.to_vec(), parameters, adam, unseen: Vec::new(), ways })
    }

    fn finish(
        &self,
        job: usize,
        rows: &Tensor,
        ways: &[Way],
        canvas: &Canvas,
    ) -> Result<Optimised, Failure> {
        let strengths = self.facet.map(|_| self.recipe.strengths());
        let one = |(at, way): (usize, &Way)| {
            let pixels = rendered(canvas, &rows.narrow(0, at as i64, 1));
            Ok(Picture {
                activation: self.on_picture(job, &pixels)?,
                pixels,
                activation_at_start: way.begun,
                strength: strengths.as_ref().map(|strengths| strengths[at]),
                values: way.values.clone(),
                frames: way.frames.clone(),
            })
        };
        let pictures = ways.iter().enumerate().map(one).collect::<Result<_, Failure>>()?;
        let restarted_with = (self.rate != self.recipe.learning_rate).then_some(self.rate);
        Ok(Optimised { pictures, restarted_with })
    }

    /// The target on an 8-bit picture: what anybody finds who shows the network the file.
    fn on_picture(&self, job: usize, pixels: &[u8]) -> Result<f64, Failure> {
        let target = &self.jobs[job].target;
        tch::no_grad(|| {
            let see = |image: &Tensor| -> Result<Tensor, Failure> {
                let input = step::prepared(self.clip, target.stage, image.shallow_clone());
                let found = self.clip.look(&input, &[target.stage])?;
                Ok(found.get(target.stage)?.shallow_clone())
            };
            let layer = see(&of_bytes(pixels, self.recipe.size, self.clip.device))?;
            let reference = match &target.aim {
                Aim::Image(image) => Some(see(image)?),
                _ => None,
            };
            Ok(target.value(&layer, reference.as_ref()).double_value(&[]))
        })
    }
}

impl Recipe {
    /// The facet's weight in each of a target's pictures: the whole for one, a ramp for several.
    pub fn strengths(&self) -> Vec<f64> {
        let last = f64::from(self.images.saturating_sub(1));
        (0..self.images)
            .map(|at| match last {
                0.0 => self.strength,
                last => self.strength * (RAMP + (1.0 - RAMP) * f64::from(at) / last),
            })
            .collect()
    }
}

impl Work {
    /// Reads the values that came since the last look; returns the places of targets with numbers that are none.
    fn look(&mut self, k: usize) -> Result<Vec<usize>, Failure> {
        if self.unseen.is_empty() {
            return Ok(Vec::new());
        }
        let table = Tensor::stack(&std::mem::take(&mut self.unseen), 0).to_kind(Kind::Double); // [steps, jobs * k]
        let count = self.ways.len();
        let numbers: Vec<f64> = Vec::try_from(table.to_device(Device::Cpu).contiguous().view(-1))?;
        let mut bad = Vec::new();
        for (at, number) in numbers.into_iter().enumerate() {
            let (picture, job) = (at % count, at % count / k);
            self.ways[picture].values.push(number);
            if !number.is_finite() && !bad.contains(&job) {
                bad.push(job);
            }
        }
        Ok(bad)
    }

    /// Lets targets go, by their places.
    fn drop(&mut self, stopped: &[usize], k: usize) {
        let kept: Vec<usize> = (0..self.jobs.len()).filter(|at| !stopped.contains(at)).collect();
        let pictures: Vec<usize> = kept.iter().flat_map(|at| at * k..(at + 1) * k).collect();
        let places: Vec<i64> = pictures.iter().map(|&at| at as i64).collect();
        self.jobs = kept.iter().map(|&at| self.jobs[at]).collect();
        self.ways = pictures.iter().map(|&at| std::mem::take(&mut self.ways[at])).collect();
        self.parameters = rows(&self.parameters, &places);
        self.adam.keep(&places);
    }

    fn film(&mut self, canvas: &Canvas, size: u32) {
        for (at, way) in self.ways.iter_mut().enumerate() {
            let row = self.parameters.narrow(0, at as i64, 1);
            way.frames.push(Frame::of(rendered(canvas, &row), size));
        }
    }
}

/// One picture: 8-bit RGB, row by row.
fn rendered(canvas: &Canvas, parameters: &Tensor) -> Vec<u8> {
    tch::no_grad(|| to_bytes(&canvas.image(parameters)))
}
