"""Writes tests/golden/resize: pictures of a formula, and what Pillow's Lanczos makes of them, for the test of smaller
copies in src/picture.rs. Run in a Python with the packages of pillow.txt."""

from pathlib import Path

from PIL import Image

OUT = Path(__file__).parents[1] / "golden/resize"
WIDTH, HEIGHT, SMALL = 211, 97, 60


def level(x, y, band):
    """Waves of whole numbers, and a hard edge where overshoots arise."""
    wave = (x * (3 + 2 * band) + y * (7 - band) + x * y // (5 + band)) % 256
    return 255 - wave if x > 120 and y > 30 else wave


OUT.mkdir(parents=True, exist_ok=True)
for mode, bands in [("L", 1), ("RGB", 3), ("RGBA", 4)]:
    picture = Image.new(mode, (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            levels = tuple(level(x, y, band) for band in range(bands))
            picture.putpixel((x, y), levels if bands > 1 else levels[0])
    small = picture.resize((SMALL, round(HEIGHT * SMALL / WIDTH)), Image.Resampling.LANCZOS)
    picture.save(OUT / f"{mode}.png")
    small.save(OUT / f"{mode}-{SMALL}.png")
