"""Writes lab/tests/golden/preprocess.safetensors: pictures of many kinds and sizes as files, and what CLIP's
preprocessing (Pillow and torchvision: resize, crop, and only then convert) makes of them, before
normalisation. Set up as clip.py says."""

import io
import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file
from torchvision.transforms import CenterCrop, InterpolationMode, Resize

OUT = Path(__file__).parents[2] / "lab/tests/golden/preprocess.safetensors"
SIDE = 24
SIZES = [(37, 53), (1, 1), (61, 25), (24, 24), (7, 5), (24, 90), (1, 40), (45, 24), (16, 101), (40, 1), (23, 25)]

random = np.random.default_rng(0)
sizes = itertools.cycle(SIZES)
tensors = {}


def waves(width, height, bands):
    """Bands of uint8: waves, noise, and a hard edge where overshoots arise."""
    y, x = np.mgrid[0:height, 0:width]
    slopes = random.uniform(0.03, 0.6, (bands, 2))
    pixels = np.stack([np.sin(x * a + y * b) for a, b in slopes], -1) * 100 + 128
    pixels += random.normal(0, 6, pixels.shape)
    pixels[height // 3 : height // 2 + 1, width // 4 : width // 2 + 1] = random.choice([0, 255], bands)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def picture(mode, width, height):
    bands = waves(width, height, {"L": 1, "LA": 2, "RGBA": 4, "CMYK": 4}.get(mode, 3))
    if mode in ("1", "P"):
        picture = Image.fromarray(bands)
        return picture.convert("1") if mode == "1" else picture.quantize(13)
    if mode == "I;16":
        return Image.fromarray(bands[..., 0].astype(np.uint16) * 2)
    return Image.frombytes(mode, (width, height), bands.tobytes())


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def add(name, file):
    picture = Resize(SIDE, interpolation=InterpolationMode.BICUBIC)(Image.open(io.BytesIO(file)))
    tensors[f"{name}.in"] = np.frombuffer(file, np.uint8)
    tensors[f"{name}.out"] = np.asarray(CenterCrop(SIDE)(picture).convert("RGB"))


def kinds(name, mode, kind, count=3, change=lambda file: file, **options):
    """Several sizes of one kind of file."""
    for width, height in itertools.islice(sizes, count):
        file = change(saved(picture(mode, width, height), kind, **options))
        add(f"{name}-{width}x{height}", file)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def raw_png(width, height, depth, colour, channels, *chunks):
    """A PNG of random bits, of kinds that Pillow does not write."""
    stride = (width * depth * channels + 7) // 8
    rows = b"".join(b"\0" + random.bytes(stride) for _ in range(height))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def ycck(file):
    """Adobe's mark says that the four channels are YCCK."""
    at = file.index(b"Adobe") + 11
    return file[:at] + b"\2" + file[at + 1 :]


def rotated(file):
    """4:2:2 becomes 4:4:0: a square has as many blocks either way."""
    at = file.index(b"\xff\xc0") + 11
    assert file[at] == 0x21
    return file[:at] + b"\x12" + file[at + 1 :]


for mode in ["RGB", "RGBA", "L", "LA", "1", "P", "I;16"]:
    kinds(f"png-{mode}", mode, "PNG", 6)
for name, options in {"P": {"transparency": 1}, "RGB": {"transparency": (1, 2, 3)}, "L": {"transparency": 9}}.items():
    kinds(f"png-transparent-{name}", name, "PNG", **options)
for depth, colour, channels in [(2, 0, 1), (4, 0, 1), (16, 0, 1), (16, 2, 3), (16, 4, 2), (16, 6, 4)]:
    add(f"png-{depth}-bit-{channels}", raw_png(31, 27, depth, colour, channels))
for depth in [1, 2, 4, 8]:
    # The last palette lacks colours.
    colours = chunk(b"PLTE", random.bytes(3 * min(1 << depth, 200)))
    add(f"png-palette-{depth}-bit", raw_png(31, 27, depth, 3, 1, colours))

for subsampling, name in enumerate(["444", "422", "420"]):
    for quality, progressive in [(30, False), (75, True), (95, False)]:
        options = {"subsampling": subsampling, "quality": quality, "progressive": progressive}
        kinds(f"jpeg-{name}-{quality}", "RGB", "JPEG", **options)
add("jpeg-440", rotated(saved(picture("RGB", 32, 32), "JPEG", subsampling=1)))
kinds("jpeg-restart", "RGB", "JPEG", restart_marker_blocks=2)
kinds("jpeg-grey", "L", "JPEG")
kinds("jpeg-cmyk", "CMYK", "JPEG", quality=90)
kinds("jpeg-ycck", "CMYK", "JPEG", change=ycck)
kinds("jpeg-ycck-progressive", "CMYK", "JPEG", change=ycck, progressive=True)

kinds("gif", "P", "GIF", 5, interlace=0)
kinds("gif-interlaced", "P", "GIF", interlace=1)
kinds("gif-transparent", "P", "GIF", transparency=2)
kinds("gif-grey", "L", "GIF")
kinds("gif-frames", "P", "GIF", save_all=True, append_images=[picture("P", 9, 9)])
file = saved(picture("P", 30, 20), "GIF", transparency=3)
at = file.index(b"\x2c\0\0\0\0") + 1
for name, canvas in {"larger": (41, 33), "smaller": (8, 6)}.items():
    canvas, corner = struct.pack("<HH", *canvas), struct.pack("<HH", 5, 4)
    add(f"gif-canvas-{name}", file[:6] + canvas + file[10:at] + corner + file[at + 4 :])

for quality in [30, 80, 95]:
    kinds(f"webp-{quality}", "RGB", "WEBP", 4, quality=quality)
kinds("webp-alpha", "RGBA", "WEBP", 4, quality=70)
kinds("webp-lossless", "RGB", "WEBP", lossless=True)
kinds("webp-lossless-alpha", "RGBA", "WEBP", lossless=True, exact=True)
kinds("webp-frames", "RGBA", "WEBP", 1, lossless=True, save_all=True, append_images=[picture("RGBA", 37, 53)])

for mode in ["RGB", "RGBA", "L", "1", "P"]:
    kinds(f"bmp-{mode}", mode, "BMP", 2)
for name, masks in {"555": (0x7C00, 0x3E0, 0x1F), "565": (0xF800, 0x7E0, 0x1F)}.items():
    pixels = random.bytes(30 * 26 * 2)
    header = struct.pack("<IiiHHIIiiII", 40, 30, 26, 1, 16, 3, len(pixels), 0, 0, 0, 0) + struct.pack("<III", *masks)
    add(f"bmp-{name}", b"BM" + struct.pack("<IHHI", 66 + len(pixels), 0, 0, 66) + header + pixels)

for mode in ["RGB", "RGBA", "L", "LA", "1", "P", "I;16", "CMYK"]:
    kinds(f"tiff-{mode}", mode, "TIFF", 2)
    kinds(f"tiff-{mode}-deflate", mode, "TIFF", 1, compression="tiff_adobe_deflate")
    kinds(f"tiff-{mode}-lzw", mode, "TIFF", 1, compression="tiff_lzw")
kinds("tiff-fax", "1", "TIFF", 2, compression="group4")
kinds("tiff-big", "RGB", "TIFF", 1, big_tiff=True)
for upright in range(1, 9):
    add(f"tiff-orientation-{upright}", saved(picture("RGB", 31, 20), "TIFF", tiffinfo={274: upright}))

# Orientation is followed in TIFF and nowhere else.
exif = Image.Exif()
exif[274] = 6
for kind in ["JPEG", "PNG", "WEBP"]:
    add(f"exif-{kind.lower()}", saved(picture("RGB", 31, 20), kind, exif=exif))

save_file(tensors, OUT)
print(len(tensors) // 2, "pictures,", OUT.stat().st_size, "bytes")
