"""Reference for SoftWPMI: `lab/tests/golden/labels.safetensors`, by NumPy.

    python tests/reference/labels.py

Made-up embeddings of images and texts, of unit length, and for each of some units its strongest images, the strongest first. The scores
are those of CLIP-Dissect (`similarity.py`, `soft_wpmi`), with lambda 1: written down here from the paper's formula, not copied, and
computed in double precision with logarithms of each factor.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

IMAGES, TEXTS, UNITS, WIDTH, STRONGEST = 300, 17, 9, 24, 120


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def soft_wpmi(images, texts, strongest):
    similarities = 10 * images @ texts.T
    chances = np.exp(similarities - similarities.max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    belongs = 0.998 - np.arange(STRONGEST) / STRONGEST * (0.998 - 0.97)
    logs = np.stack(
        [np.log(1 + belongs[:, None] * (chances[own] - 1) + 1e-7).sum(0) for own in strongest]
    )
    most = logs.max(0)
    mean = most + np.log(np.exp(logs - most).mean(0))
    return logs - mean


def main():
    rng = np.random.default_rng(7)
    images, texts = unit(rng.normal(size=(IMAGES, WIDTH))), unit(rng.normal(size=(TEXTS, WIDTH)))
    # Each unit likes what a text says.
    liked = images @ texts[:UNITS].T + 0.05 * rng.normal(size=(IMAGES, UNITS))
    strongest = np.argsort(-liked, axis=0)[:STRONGEST].T
    scores = soft_wpmi(images, texts, strongest)
    assert (scores.argmax(1) == np.arange(UNITS)).mean() > 0.5
    path = Path(__file__).parents[2] / "lab/tests/golden/labels.safetensors"
    tensors = {"images": images, "texts": texts, "strongest": strongest.astype(np.float64), "scores": scores}
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
