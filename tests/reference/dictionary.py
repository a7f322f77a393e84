"""Writes lab/tests/golden/dictionary: a dictionary of random numbers over the layer visual.layer4.0.add of
golden/clip_resnet, and what its features are there, in NumPy and double precision.

relu(encoder (x - decoder_bias) + encoder_bias) at each position, then the mean and the greatest over positions. Set up as
clip.py says (NumPy and safetensors are enough), and run it after that."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden"
LAYER = "visual.layer4.0.add"
FEATURES = 6
random = np.random.default_rng(0)

x = load_file(GOLDEN / "clip_resnet/activations.safetensors")[LAYER].astype(np.float64)  # [1, units, h, w]
units = x.shape[1]
dictionary = {
    "encoder": random.standard_normal((FEATURES, units)) / np.sqrt(units),
    "encoder_bias": random.standard_normal(FEATURES) * x.std(),
    "decoder": random.standard_normal((units, FEATURES)),
    "decoder_bias": x.mean((0, 2, 3)) + random.standard_normal(units) * x.std(),
}
# The first features are zero at half of the positions: to encode and then to pool is not to pool and then to encode.
centred = x - dictionary["decoder_bias"][:, None, None]
products = np.einsum("fu,nuhw->nfhw", dictionary["encoder"], centred)
dictionary["encoder_bias"][:3] = -np.median(products, (0, 2, 3))[:3]
dictionary = {name: tensor.astype(np.float32) for name, tensor in dictionary.items()}
wide = {name: tensor.astype(np.float64) for name, tensor in dictionary.items()}
before = np.einsum("fu,nuhw->nfhw", wide["encoder"], x - wide["decoder_bias"][:, None, None])
before += wide["encoder_bias"][:, None, None]
after = np.maximum(before, 0)
folder = GOLDEN / "dictionary"
folder.mkdir(exist_ok=True)
save_file(dictionary, folder / "dictionary.safetensors")
save_file(
    {"before": before, "mean": after.mean((2, 3)), "max": after.max((2, 3))},
    folder / "features.safetensors",
)
