"""Writes lab/tests/golden/alike.json: perceptual hashes by Pillow and SciPy, which the lab's are compared with.

The same as `imagehash.phash`, with Pillow's bicubic filter in place of Lanczos.
"""

import json
from pathlib import Path

import numpy
import scipy.fft
from PIL import Image

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden/alike.json"


def drawn(n):
    x, y = numpy.meshgrid(numpy.arange(60 + n), numpy.arange(48))
    level = lambda a, b, c: (x * a + y * b + x * y * c + n * 7) % 256
    return numpy.stack([level(3 + n, 5, 1), level(1, 2 + n, 0), level(2, 3, n)], -1).astype(numpy.uint8)


def phash(pixels):
    small = Image.fromarray(pixels).convert("L").resize((32, 32), Image.Resampling.BICUBIC)
    levels = numpy.asarray(small).astype(float)
    low = scipy.fft.dct(scipy.fft.dct(levels, axis=0), axis=1)[:8, :8]
    bits = (low > numpy.median(low)).flatten()
    return f"{sum(int(bit) << (63 - at) for at, bit in enumerate(bits)):016x}"


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps([phash(drawn(n)) for n in range(6)]) + "\n")
