"""Writes lab/tests/golden/preprocess: pictures of odd sizes, and what CLIP's preprocessing (Pillow and
torchvision) makes of them, before normalisation. Set up as clip.py says."""

from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.transforms import CenterCrop, InterpolationMode, Resize

OUT = Path(__file__).parents[2] / "lab/tests/golden/preprocess"
SIDE = 48

random = np.random.default_rng(0)
OUT.mkdir(parents=True, exist_ok=True)
for mode, width, height in [
    ("RGB", 131, 77),
    ("RGB", 31, 50),
    ("RGB", 48, 49),
    ("RGB", 203, 51),
    ("RGB", 48, 48),
    ("RGBA", 75, 120),
    ("L", 60, 33),
    ("P", 90, 91),
]:
    bands = {"RGB": 3, "RGBA": 4, "L": 1, "P": 3}[mode]
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x * random.uniform(0.05, 1.2) + y * random.uniform(0.05, 1.2)) for _ in range(bands)]
    pixels = np.stack(waves, -1) * 100 + random.normal(128, 20, (height, width, bands))
    pixels[height // 3 : height // 2, width // 4 : width // 2] = random.choice([0, 255], bands)
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    picture = Image.fromarray(pixels.squeeze(-1) if bands == 1 else pixels)
    if mode == "P":
        picture = picture.quantize(16)
    name = f"{mode}-{width}x{height}".lower()
    picture.save(OUT / f"{name}.in.png", optimize=True)
    shown = Image.open(OUT / f"{name}.in.png").convert("RGB")
    shown = CenterCrop(SIDE)(Resize(SIDE, interpolation=InterpolationMode.BICUBIC)(shown))
    shown.save(OUT / f"{name}.out.png", optimize=True)
