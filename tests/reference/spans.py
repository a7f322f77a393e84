"""Writes lab/tests/golden/spans.safetensors: TextSpan by its published steps, in NumPy and double precision, on random heads.

    venv/bin/python tests/reference/spans.py

texts [candidates, d], of length 1. Of each head: contributions [images, d], the most singular vectors that are kept, how many
were, the variance, the chosen texts with the fraction of the variance along each, the fractions along 1, 2, … principal
components, the fraction within the span of some texts, and the contributions along the second chosen text in standard
deviations. One head is wide, one writes along five directions only, and one has more directions than are kept. NumPy and
safetensors are enough. The steps are those of the paper, Algorithm 1, and of the
authors' code, yossigandelsman/clip_prs."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden/spans.safetensors"
IMAGES, WIDTH, TEXTS, TOP = 60, 16, 50, 5
random = np.random.default_rng(0)

texts = random.standard_normal((TEXTS, WIDTH)) + 0.8 * random.standard_normal(WIDTH)
texts /= np.linalg.norm(texts, axis=1, keepdims=True)


def text_span(contributions, candidates, most, top):
    """The rank, and the chosen candidates with the fraction of the variance that each removes."""
    _, values, directions = np.linalg.svd(contributions, full_matrices=False)
    rank = min(most, int((values > 1e-5 * values[0]).sum()))
    directions = directions[:rank]
    t = candidates @ directions.T @ directions
    mean = contributions.mean(0)
    c = contributions - mean
    whole = (c**2).sum()
    chosen, explained, along = [], [], []
    for _ in range(top):
        at = int((c @ t.T).std(0).argmax())
        direction = t[at] / np.linalg.norm(t[at])
        before = (c**2).sum()
        along.append((contributions - mean) @ direction)
        c = c - np.outer(c @ direction, direction)
        t = t - np.outer(t @ direction, direction)
        chosen.append(at)
        explained.append((before - (c**2).sum()) / whole)
    return rank, directions, chosen, explained, along


def head(contributions, most):
    rank, directions, chosen, explained, along = text_span(contributions, texts, most, TOP)
    centred = contributions - contributions.mean(0)
    whole = (centred**2).sum()
    inside = np.linalg.svd(centred @ directions.T, compute_uv=False) ** 2
    some = random.choice(TEXTS, 3, replace=False)
    basis, _ = np.linalg.qr((texts[some] @ directions.T @ directions).T)
    return {
        "contributions": contributions,
        "most": np.array([most]),
        "rank": np.array([rank]),
        "variance": np.array([whole / IMAGES]),
        "chosen": np.array(chosen),
        "explained": np.array(explained),
        "components": np.cumsum(inside)[:TOP] / whole,
        "some": some,
        "together": np.array([((centred @ basis) ** 2).sum() / whole]),
        "along": along[1] / along[1].std(),
    }


scales = np.linspace(2, 0.2, WIDTH)
noise = lambda width: random.standard_normal((IMAGES, width))
heads = {
    "wide": head(noise(WIDTH) * scales + random.standard_normal(WIDTH), 80),
    "narrow": head((noise(5) * scales[:5] + 1) @ random.standard_normal((5, WIDTH)), 80),
    "cut": head(noise(WIDTH) * scales + random.standard_normal(WIDTH), 6),
}
tensors = {f"{name}.{key}": value for name, values in heads.items() for key, value in values.items()}
tensors["texts"] = texts
save_file({name: np.ascontiguousarray(tensor, dtype=np.float64) for name, tensor in tensors.items()}, GOLDEN)
print(f"{GOLDEN.name}: {GOLDEN.stat().st_size:,} bytes; chosen", [values["chosen"].tolist() for values in heads.values()])
