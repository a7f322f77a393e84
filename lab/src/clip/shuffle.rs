//! Shuffled weights: a tensor in, the same numbers in another order out. What such a network computes, it has not learnt.

use neuronotes_core::digest::Digest;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use tch::{TchError, Tensor};

/// The numbers of a tensor, permuted by a seed and the tensor's name.
///
/// # Errors
/// If memory runs out.
pub(super) fn shuffled(tensor: &Tensor, seed: u64, name: &str) -> Result<Tensor, TchError> {
    let lot = Digest::of(format!("shuffle\n{seed}\n{name}").as_bytes());
    let mut places: Vec<i64> = (0..tensor.numel() as i64).collect();
    places.shuffle(&mut ChaCha8Rng::from_seed(*lot.bytes()));
    let flat = tensor.f_contiguous()?.f_view(-1)?;
    flat.f_index_select(0, &Tensor::f_from_slice(&places)?)?.f_view(&tensor.size()[..])
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    #[test]
    fn a_shuffled_tensor_has_the_same_numbers_and_shape_in_an_order_by_seed_and_name() {
        let tensor = Tensor::arange(24, (Kind::Float, tch::Device::Cpu)).view([2, 3, 4]);
        let numbers = |tensor: &Tensor| Vec::<f32>::try_from(tensor.view(-1)).expect("numbers");
        let found = shuffled(&tensor, 7, "conv1").expect("a tensor");
        assert_eq!(found.size(), [2, 3, 4]);
        let mut sorted = numbers(&found);
        assert_ne!(sorted, numbers(&tensor));
        assert_eq!(sorted, numbers(&shuffled(&tensor, 7, "conv1").expect("a tensor")));
        for (seed, name) in [(8, "conv1"), (7, "conv2")] {
            assert_ne!(sorted, numbers(&shuffled(&tensor, seed, name).expect("a tensor")));
        }
        sorted.sort_by(f32::total_cmp);
        assert_eq!(sorted, numbers(&tensor));
        // A view of the file in another order is shuffled as the tensor that it is.
        let turned = tensor.transpose(0, 2).contiguous().transpose(0, 2);
        let again = shuffled(&turned, 7, "conv1").expect("a tensor");
        assert_eq!(numbers(&again), numbers(&found));
    }
}
