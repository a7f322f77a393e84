//! Steady passes: images in; activations out whose every bit depends on the image and the weights alone, on a processor.
//!
//! libtorch computes the same image with other last bits in a batch of another size, or by another number of threads. Here images
//! go through the network in groups of one size, the last one filled up with zeros, and each group on one thread; the cores
//! share the groups, which also keeps them busier than the operations of one large batch do.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use neuronotes_core::model::Stage;
use tch::{Device, Tensor};

use super::Clip;
use super::activations::Activations;
use crate::failure::Failure;
use crate::threads;

/// Images of a group.
const GROUP: i64 = 8;

/// A network that several threads look through.
#[derive(Clone, Copy)]
struct Shared<'a>(&'a Clip);

// SAFETY: a pass through the visual tower only reads the weights. Tensors are not `Sync` because functions whose names end by
// `_` write to them; none is applied to weights. The text tower's cell is not touched.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl Shared<'_> {
    fn look(self, images: &Tensor, wanted: &[Stage]) -> Result<Activations, Failure> {
        tch::no_grad(|| self.0.look(images, wanted))
    }
}

impl Clip {
    /// Like [`Clip::look`], without gradients; on a processor, the last bits of an image's activations depend neither on the
    /// images beside it nor on the number of threads.
    ///
    /// # Errors
    /// The same as of [`Clip::look`].
    pub fn look_steadily(&self, images: &Tensor, wanted: &[Stage]) -> Result<Activations, Failure> {
        if self.device != Device::Cpu {
            return Shared(self).look(images, wanted);
        }
        let count = images.size()[0];
        let mut groups = VecDeque::new();
        for start in (0..count).step_by(GROUP as usize) {
            let own = images.f_narrow(0, start, GROUP.min(count - start))?; // [≤ 8, 3, h, w]
            let mut size = own.size();
            size[0] = GROUP - size[0];
            let group = match size[0] {
                0 => own,
                _ => {
                    Tensor::f_cat(&[own, Tensor::f_zeros(size, (images.kind(), self.device))?], 0)?
                }
            };
            groups.push_back((groups.len(), group));
        }
        let before = tch::get_num_threads();
        let workers = threads::workers().clamp(1, groups.len().max(1));
        let (shared, groups) = (Shared(self), Mutex::new(groups));
        let next = || groups.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let mut found = thread::scope(|scope| {
            let work = || {
                // Of this thread alone.
                tch::set_num_threads(1);
                let mut found = Vec::new();
                while let Some((at, group)) = next() {
                    found.push((at, shared.look(&group, wanted)));
                }
                found
            };
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let joined = workers.into_iter().flat_map(|worker| match worker.join() {
                Ok(found) => found,
                Err(panic) => resume_unwind(panic),
            });
            joined.collect::<Vec<_>>()
        });
        // What threads that begin later take over.
        tch::set_num_threads(before);
        found.sort_by_key(|(at, _)| *at);
        let parts = found.into_iter().map(|(_, part)| part).collect::<Result<Vec<_>, _>>()?;
        Activations::joined(&parts, count)
    }
}
