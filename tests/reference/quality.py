"""Reference for scores of units: `lab/tests/golden/quality.safetensors`, by NumPy and scikit-learn.

    python tests/reference/quality.py

Clarity and polysemanticity (SemanticLens) of made-up embeddings of each unit's strongest images, some around one centre, some around
two, some without a centre, and some of which one image is far from the others: the mean cosine of all pairs, and 1 less the cosine of
the two centres that scikit-learn's k-means finds (n_init 10), or, where a cluster has a single image, 1 less the mean cosine of the
first ten images with the mean of all. And the monosemanticity score of made-up activations, over all pairs of images one by one.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.cluster import KMeans

COUNT, WIDTH, IMAGES, UNITS = 30, 16, 50, 8


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def clarity(vectors):
    return np.mean([a @ b for a, b in combinations(vectors, 2)])


def polysemanticity(vectors):
    groups = KMeans(2, n_init=10, random_state=0).fit_predict(vectors)
    if min(np.bincount(groups, minlength=2)) < 2:
        return 1 - np.mean(vectors[:10] @ unit(vectors.mean(0)))
    first, other = (unit(vectors[groups == group].mean(0)) for group in range(2))
    return 1 - first @ other


def monosemanticity(activations, embeddings):
    if np.ptp(activations) == 0:
        return np.nan
    scaled = (activations - activations.min()) / np.ptp(activations)
    pairs = list(combinations(range(len(scaled)), 2))
    weights = [scaled[i] * scaled[j] for i, j in pairs]
    return sum(w * embeddings[i] @ embeddings[j] for w, (i, j) in zip(weights, pairs)) / sum(weights)


def main():
    rng = np.random.default_rng(5)
    sets = []
    for kind in ["one", "two", "one", "two", "two", "lone"]:
        centres = 2.0 * rng.normal(size=(2, WIDTH))
        which = {"one": np.zeros(COUNT, int), "two": np.arange(COUNT) % 3 // 2}.get(kind, (np.arange(COUNT) == 4).astype(int))
        # One centre has noise along one axis, so that its best division is clear, too.
        noise = 0.5 * rng.normal(size=(COUNT, WIDTH))
        noise[:, 0] += 2.5 * (np.arange(COUNT) % 2) if kind == "one" else 0
        sets.append(unit(centres[which] + noise))
    vectors = np.stack(sets)
    embeddings = unit(rng.normal(size=(IMAGES, WIDTH)) + 0.5)
    activations = np.maximum(rng.normal(size=(IMAGES, UNITS)), 0)
    activations[:, 0] = np.maximum(embeddings @ embeddings[3], 0)
    activations[:, 5] = 0.25
    scores = [monosemanticity(column, embeddings) for column in activations.astype(np.float32).astype(float).T]
    tensors = {
        "vectors": vectors,
        "clarity": np.array([clarity(own) for own in vectors]),
        "polysemanticity": np.array([polysemanticity(own) for own in vectors]),
        "embeddings": embeddings,
        "activations": activations,
        "monosemanticity": np.array(scores),
    }
    path = Path(__file__).parents[2] / "lab/tests/golden/quality.safetensors"
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
