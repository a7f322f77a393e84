//! Attribution: an image, a layer, and a direction of embeddings in; what each unit of the layer adds to the image's logit along
//! the direction out. Knows nothing of requests.

pub mod exact;
pub mod gradient;
pub mod logit;
mod nodes;
