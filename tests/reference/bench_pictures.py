"""Pillow's side of `cargo xtask bench pictures`: bench_pictures.py FROM INTO WIDTH... writes a JPEG of each width of each
picture in the folder FROM, with a process for each core."""

import multiprocessing
import sys
from pathlib import Path

from PIL import Image


def copies(job):
    path, into, widths = job
    with Image.open(path) as picture:
        picture = picture.convert("RGB")
        for width in widths:
            height = round(picture.height * width / picture.width)
            small = picture.resize((width, height), Image.Resampling.LANCZOS)
            small.save(into / f"{path.stem}-{width}.jpg", quality=85, subsampling=0)


if __name__ == "__main__":
    source, into = Path(sys.argv[1]), Path(sys.argv[2])
    widths = [int(width) for width in sys.argv[3:]]
    into.mkdir(exist_ok=True)
    with multiprocessing.Pool() as pool:
        pool.map(copies, [(path, into, widths) for path in sorted(source.iterdir())], chunksize=1)
