"""Writes lab/tests/golden/lucid.safetensors: Lucid's parametrisation and transforms, written down again in
NumPy from its published formulas (optvis/param/spatial.py, color.py, optvis/transform.py).

Transforms are here the product of homogeneous matrices, and a sampling by hand. Set up as clip.py says."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

OUT = Path(__file__).parents[2] / "lab/tests/golden/lucid.safetensors"
random = np.random.default_rng(0)
out = {}


def image_of(coefficients, size):
    """Coefficients (3, size, size//2+1, 2) to colours in 0..1 (3, size, size)."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    scale = np.sqrt(size * size) / np.maximum(frequency, 1 / size)
    spectrum = (coefficients[..., 0] + 1j * coefficients[..., 1]) * scale
    image = np.fft.irfft2(spectrum, (size, size)) / 4
    root = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
    root = root / np.linalg.norm(root, axis=0).max()
    image = np.tensordot(root, image, 1)
    return 1 / (1 + np.exp(-image))


for size in (32, 33):
    coefficients = random.normal(0, 0.3, (3, size, size // 2 + 1, 2)).astype(np.float32)
    out[f"coefficients.{size}"] = coefficients
    out[f"image.{size}"] = image_of(coefficients.astype(np.float64), size).astype(np.float32)


def moved(x, y):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def scaled(factor):
    return np.diag([factor, factor, 1.0])


def turned(degrees):
    """Counter-clockwise as one sees it, where y grows downwards."""
    a = np.radians(degrees)
    return np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])


def transformed(image, first, scale, angle, last):
    """pad 12, crop to 8 less at first, scale, rotate about the centre, crop to 4 less at last."""
    side = image.shape[-1]
    between = side + 24 - 8
    grown = int(round(between * scale, 9))
    forward = (
        moved(-last[0], -last[1])
        @ moved(grown / 2, grown / 2) @ turned(angle) @ moved(-grown / 2, -grown / 2)
        @ scaled(grown / between)
        @ moved(-first[0], -first[1])
        @ moved(12, 12)
    )
    back = np.linalg.inv(forward)
    result = np.full((3, grown - 4, grown - 4), 0.5)
    get = lambda y, x: image[:, y, x] if 0 <= x < side and 0 <= y < side else np.full(3, 0.5)
    for v in range(grown - 4):
        for u in range(grown - 4):
            x, y, _ = back @ [u + 0.5, v + 0.5, 1]
            x, y = x - 0.5, y - 0.5
            i, j = int(np.floor(x)), int(np.floor(y))
            a, b = x - i, y - j
            result[:, v, u] = (
                (1 - a) * (1 - b) * get(j, i) + a * (1 - b) * get(j, i + 1)
                + (1 - a) * b * get(j + 1, i) + a * b * get(j + 1, i + 1)
            )
    return result


picture = out["image.32"].astype(np.float64)
for i, draw in enumerate([
    ((3, 5), 1.0, 7.0, (1, 2)),
    ((8, 0), 0.9, -10.0, (4, 0)),
    ((2, 7), 1.1, 10.0, (0, 3)),
    ((4, 4), 1.06, 0.0, (2, 2)),
]):
    (a, b), scale, angle, (c, d) = draw
    out[f"draw.{i}"] = np.array([a, b, scale, angle, c, d], np.float32)
    out[f"transformed.{i}"] = transformed(picture, *draw).astype(np.float32)

save_file(out, OUT)
