//! A pass: pictures in; a model's activations at some layers, a batch at a time, out.
//!
//! Every measurement that shows pictures to a model does it here. All cores decode, a few batches ahead; this thread alone
//! owns the device. A batch that memory does not hold is halved. A pass reports progress and stops when told to. A picture
//! that cannot be decoded is skipped, and listed with the reason. Knows nothing of what the activations are for.

use std::fmt;

use neuronotes_core::model::Stage;
use tch::{Device, Tensor};

use crate::batch::Batch;
use crate::clip::Clip;
use crate::clip::activations::Activations;
use crate::failure::Failure;
use crate::feed::{Decoded, Pictures, Skipped, feed};
use crate::monitor::{Monitor, Progress};

/// How many times the usual rows a batch may have above the stage where each picture has several variants.
const MORE: usize = 4;

/// What a pass shows to a model, and where it looks.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    /// The model.
    pub clip: &'a Clip,
    /// The stages whose activations are wanted.
    pub stages: &'a [Stage],
    /// What is being done, for a person.
    pub title: &'a str,
    /// Shows each picture alone, so that the last bits of its activations depend on no other.
    pub one_by_one: bool,
    /// Whether every bit of a picture's activations is to depend on nothing else (see [`Clip::look_steadily`]); not with
    /// variants.
    pub steady: bool,
    /// How many pictures are decoded and visited together, if not as many as keep the device busy.
    pub at_once: Option<usize>,
    /// What each picture's activation at a stage is replaced by, if it is. All activations above have that many rows for each
    /// picture, as [`Replace`](crate::clip::hook::Replace) says.
    pub variants: Option<&'a Variants<'a>>,
}

/// Variants of an activation.
pub struct Variants<'a> {
    /// Where they replace it.
    pub stage: Stage,
    /// How many each picture has.
    pub count: usize,
    /// Makes them for a batch: `[n, …]` to `[count · n, …]`, the first variant of all pictures first.
    pub make: &'a dyn Fn(&Tensor) -> Result<Tensor, Failure>,
}

impl fmt::Debug for Variants<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} variants at {:?}", self.count, self.stage)
    }
}

impl<'a> Pass<'a> {
    /// A pass in batches.
    pub fn new(clip: &'a Clip, stages: &'a [Stage], title: &'a str) -> Self {
        Self {
            clip,
            stages,
            title,
            one_by_one: false,
            steady: false,
            at_once: None,
            variants: None,
        }
    }

    /// Shows all pictures, in order. `visit` is given the places of a batch and its activations, without gradients. If
    /// memory runs out, it must not have changed anything, because it is called again with parts of the batch.
    ///
    /// # Errors
    /// If the pass is cancelled, memory does not hold even one picture, or `visit` fails.
    pub fn run<P: Pictures + ?Sized>(
        &self,
        pictures: &P,
        monitor: &mut dyn Monitor,
        mut visit: impl FnMut(&[usize], &Activations) -> Result<(), Failure>,
    ) -> Result<Vec<Skipped>, Failure> {
        self.inputs(pictures, monitor, |places, input| {
            tch::no_grad(|| visit(places, &self.look(input)?))
        })
    }

    /// Like [`Pass::run`], but `visit` is given the batch as the network takes it, `[n, 3, side, side]`, and looks itself, with
    /// gradients where it wants them.
    ///
    /// # Errors
    /// As for [`Pass::run`].
    pub fn inputs<P: Pictures + ?Sized>(
        &self,
        pictures: &P,
        monitor: &mut dyn Monitor,
        mut visit: impl FnMut(&[usize], &Tensor) -> Result<(), Failure>,
    ) -> Result<Vec<Skipped>, Failure> {
        let side = self.clip.architecture.image_size;
        let bytes = side as usize * side as usize * 3; // of one picture
        let mut batch = match self.one_by_one {
            true => Batch::of(1),
            false => self.batch().halved(monitor.halves()),
        };
        let (chunk, count) = (batch.size(), pictures.count());
        if self.clip.device != Device::Cpu && count > chunk {
            // All batches but the last have one shape: worth trying which algorithm is fastest.
            tch::Cuda::cudnn_set_benchmark(true);
        }
        let mut progress = Progress {
            stage: self.title,
            step: 0,
            total: count as u64,
            unit: "image",
            picture: None,
        };
        monitor.progress(&progress);
        let mut skipped = Vec::new();
        feed(pictures, side, chunk, |Decoded { places, good, pixels, skipped: bad }| {
            monitor.check()?;
            progress.step = places.end as u64;
            skipped.extend(bad.iter().cloned());
            batch.run(good.len(), |rows| {
                let pixels = &pixels[rows.start * bytes..rows.end * bytes];
                let input = tch::no_grad(|| self.clip.input(pixels, rows.len()))?;
                visit(&good[rows], &input)
            })?;
            monitor.progress(&progress);
            Ok(())
        })?;
        Ok(skipped)
    }

    /// How many pictures are looked at together: fewer if each has several variants.
    fn batch(&self) -> Batch {
        let usual = self.at_once.map_or_else(|| Batch::on(self.clip.device), Batch::of);
        match self.variants {
            None => usual,
            Some(variants) => {
                Batch::of((usual.size() * MORE / variants.count.max(1)).min(usual.size()))
            }
        }
    }

    /// The activations for a batch, `[n, 3, side, side]`.
    fn look(&self, input: &Tensor) -> Result<Activations, Failure> {
        match self.variants {
            None if self.steady => self.clip.look_steadily(input, self.stages),
            None => self.clip.look(input, self.stages),
            Some(Variants { stage, make, .. }) => {
                self.clip.look_replacing(input, self.stages, *stage, &mut |x| make(x))
            }
        }
    }

    /// Like [`Pass::run`], but every picture is required.
    ///
    /// # Errors
    /// As for [`Pass::run`], or if a picture cannot be decoded.
    pub fn run_all<P: Pictures + ?Sized>(
        &self,
        pictures: &P,
        monitor: &mut dyn Monitor,
        visit: impl FnMut(&[usize], &Activations) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self.run(pictures, monitor, visit)?.into_iter().next() {
            Some(Skipped { why, .. }) => Err(Failure::new(why)),
            None => Ok(()),
        }
    }
}
