"""Writes lab/tests/golden/ablate.safetensors: embeddings of golden/clip_resnet and clip_vit with units, directions and heads set,
scaled or shifted, in NumPy and double precision from open_clip's activations below.

    venv/bin/python tests/reference/ablate.py

Run after clip.py. `clip_vit` has two pictures, `clip_resnet` one."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden"
UNITS, VALUES = [3, 40, 100], [0.5, -1.0, 2.0]
BY = 3.0


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def wide(name):
    read = {part: load_file(GOLDEN / name / f"{part}.safetensors") for part in ("weights", "activations")}
    return [{key: value.astype(np.float64) for key, value in read[part].items() if value.dtype.kind == "f"} for part in read]


def interventions(x, rng):
    """Changes of rows `[…, c]`, by name, and the directions that some of them use."""
    first, second = rng.normal(size=(2, x.shape[-1]))
    unit = first / np.linalg.norm(first)
    other = second - (second @ unit) * unit
    other /= np.linalg.norm(other)

    def some(change):
        rows = x.copy()
        for unit, value in zip(UNITS, VALUES):
            rows[..., unit] = change(rows[..., unit], value)
        return rows

    return {
        "zero": some(lambda old, value: 0.0),
        "set": some(lambda old, value: value),
        "shift": some(lambda old, value: old + value),
        "out": x - (x @ unit)[..., None] * unit,
        "out_both": x - (x @ unit)[..., None] * unit - (x @ other)[..., None] * other,
        "along": x + BY * unit,
        "to": x + (BY - x @ unit)[..., None] * unit,
        "elsewhere": x - (x @ unit)[..., None] * (second / np.linalg.norm(second)),
    }, {"first": first, "second": second}


def heads(read, width, means):
    """Changes of what heads of that width read side by side, `[…, c]`, by name; `means` is of each position."""
    zero, mean = read.copy(), read.copy()
    zero[..., width : 2 * width] = 0.0
    mean[..., :width] = means[..., :width]
    return {"head_zero": zero, "head_mean": mean, "head_half": np.concatenate([read[..., :width] / 2, read[..., width:]], -1)}


def resnet(rng):
    w, golden = wide("clip_resnet")
    p = {key.removeprefix("visual.attnpool."): value for key, value in w.items() if "attnpool" in key}
    x = golden["visual.layer4.0.add"]  # [n, c, h, w]
    n, c = x.shape[:2]
    width = 64

    def pooled(rows):
        rows = np.maximum(rows, 0)  # [n, h*w, c]
        tokens = np.concatenate([rows.mean(1, keepdims=True), rows], 1) + p["positional_embedding"]
        split = lambda y: y.reshape(n, y.shape[1], -1, width).transpose(0, 2, 1, 3)
        q, k, v = (split(t @ p[f"{m}.weight"].T + p[f"{m}.bias"]) for m, t in (("q_proj", tokens[:, :1]), ("k_proj", tokens), ("v_proj", tokens)))
        read = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(width)) @ v  # [n, heads, 1, width]
        return read.transpose(0, 2, 1, 3).reshape(n, c)

    project = lambda read: read @ p["c_proj.weight"].T + p["c_proj.bias"]
    rows = x.reshape(n, c, -1).transpose(0, 2, 1)
    assert np.allclose(project(pooled(rows)), golden["image_features"], atol=1e-5)
    changed, directions = interventions(rows, rng)
    found = {name: project(pooled(new)) for name, new in changed.items()}
    read = pooled(rows)
    means = rng.normal(size=c)
    found |= {name: project(new) for name, new in heads(read, width, means).items()}
    return found | directions | {"means": means}


def vit(rng):
    w, golden = wide("clip_vit")
    key, width = "visual.transformer.resblocks.1", 64

    def norm(x, name):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * w[f"{name}.weight"] + w[f"{name}.bias"]

    def read(x):
        n, t, c = x.shape
        qkv = norm(x, f"{key}.ln_1") @ w[f"{key}.attn.in_proj_weight"].T + w[f"{key}.attn.in_proj_bias"]
        q, k, v = (y.reshape(n, t, -1, width).transpose(0, 2, 1, 3) for y in np.split(qkv, 3, -1))
        return (softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(width)) @ v).transpose(0, 2, 1, 3).reshape(n, t, c)

    def above(x, read):
        x = x + read @ w[f"{key}.attn.out_proj.weight"].T + w[f"{key}.attn.out_proj.bias"]
        hidden = norm(x, f"{key}.ln_2") @ w[f"{key}.mlp.c_fc.weight"].T + w[f"{key}.mlp.c_fc.bias"]
        hidden = hidden / (1 + np.exp(-1.702 * hidden))
        x = x + hidden @ w[f"{key}.mlp.c_proj.weight"].T + w[f"{key}.mlp.c_proj.bias"]
        return norm(x[:, 0], "visual.ln_post") @ w["visual.proj"]

    x = golden["visual.transformer.resblocks.0"]  # [n, t, c]
    assert np.allclose(above(x, read(x)), golden["image_features"], atol=1e-5)
    changed, directions = interventions(x, rng)
    found = {name: above(new, read(new)) for name, new in changed.items()}
    means = rng.normal(size=x.shape[1:])
    found |= {name: above(x, new) for name, new in heads(read(x), width, means).items()}
    return found | directions | {"means": means}


rng = np.random.default_rng(0)
saved = {f"{name}.{key}": value for name, of in (("clip_resnet", resnet), ("clip_vit", vit)) for key, value in of(rng).items()}
save_file({key: np.ascontiguousarray(value.astype(np.float32)) for key, value in saved.items()}, GOLDEN / "ablate.safetensors")
