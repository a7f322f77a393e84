"""Trains models/emoji-parts.safetensors: a sparse autoencoder with 64 features over the layer image_block_4/1/Relu_2 of
Emoji-CLIP, on all nine positions of the demonstration's 1,494 pictures.

    python3 -m venv venv && venv/bin/pip install numpy safetensors
    mkdir pictures && tar xf data/emoji.tar -C pictures
    (cd pictures && neuronotes-lab activations --model ../models/emoji-clip.safetensors --layers visual.layer4.1 \
        --image "$(ls *.png | paste -sd,)" --out ../activations.safetensors)
    venv/bin/python tests/reference/parts.py activations.safetensors models/emoji-parts.safetensors

relu(E (x - b) + c) is the code, D code + b the reconstruction; the loss is the mean squared error plus 0.1 times the sum of
the code, with columns of D of length one and activations scaled to a mean squared length of one. Adam, 4,000 steps of 512
positions, seed 0. Prints the fraction of variance that is not explained, and how many features are active at a position. A
processor takes about a minute; the last digits may differ from machine to machine."""

import sys

import numpy as np
from safetensors.numpy import load_file, save_file

FEATURES, STEPS, BATCH, RATE, SPARSITY = 64, 4000, 512, 1e-3, 0.1

x = load_file(sys.argv[1])["visual.layer4.1"]  # [pictures, units, h, w]
x = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1]).astype(np.float64)  # [positions, units]
mean = x.mean(0)
scale = np.sqrt(((x - mean) ** 2).sum(1).mean())
x = (x - mean) / scale
random = np.random.default_rng(0)
# Columns begin at positions that are there, and the encoder as their transpose.
decoder = x[random.choice(len(x), FEATURES, replace=False)].T.copy()  # [units, features]
decoder /= np.linalg.norm(decoder, axis=0)
weights = {"encoder": decoder.T.copy(), "bias": np.zeros(FEATURES), "decoder": decoder, "centre": np.zeros(x.shape[1])}
first, second = ({name: np.zeros_like(w) for name, w in weights.items()} for _ in range(2))


def encode(rows):
    return np.maximum((rows - weights["centre"]) @ weights["encoder"].T + weights["bias"], 0)


for step in range(1, STEPS + 1):
    rows = x[random.choice(len(x), BATCH)]
    code = encode(rows)
    error = code @ weights["decoder"].T + weights["centre"] - rows
    slope = 2 * error / BATCH  # of the reconstruction
    into = (slope @ weights["decoder"] + SPARSITY / BATCH) * (code > 0)  # of the code before its ReLU
    gradients = {
        "encoder": into.T @ (rows - weights["centre"]),
        "bias": into.sum(0),
        "decoder": slope.T @ code,
        "centre": slope.sum(0) - into.sum(0) @ weights["encoder"],
    }
    for name, gradient in gradients.items():
        first[name] = 0.9 * first[name] + 0.1 * gradient
        second[name] = 0.999 * second[name] + 0.001 * gradient**2
        mean_of, square = first[name] / (1 - 0.9**step), second[name] / (1 - 0.999**step)
        weights[name] -= RATE * mean_of / (np.sqrt(square) + 1e-8)
    weights["decoder"] /= np.linalg.norm(weights["decoder"], axis=0)

code = encode(x)
error = code @ weights["decoder"].T + weights["centre"] - x
print("variance not explained", round((error**2).sum() / (x**2).sum(), 4))
print("active features at a position", round((code > 0).sum(1).mean(), 2))
print("features that are never active", int((code.max(0) == 0).sum()))
# The features by how much they add, the greatest first.
order = np.argsort(-code.mean(0))
save_file(
    {
        "encoder": (weights["encoder"][order] / scale).astype(np.float16),
        "encoder_bias": weights["bias"][order].astype(np.float32),
        # Columns in another order lie in memory in another way, which is not what the file says.
        "decoder": np.ascontiguousarray((weights["decoder"][:, order] * scale).astype(np.float16)),
        "decoder_bias": (weights["centre"] * scale + mean).astype(np.float32),
    },
    sys.argv[2],
)
