"""Holds the lab against open_clip at full size, with random weights: `cargo xtask parity` runs it.

    python tests/reference/parity.py --lab target/release/neuronotes-lab --folder /tmp RN50 ViT-B/32

For each model: pixels and tokens against open_clip's own preprocessing and tokenizer; embeddings, logits, every layer
that has a name, and gradients against PyTorch in single precision on the same pixels and tokens, and both against
PyTorch in double precision. An error is |a - b| / |b| over one image or text; the greatest of all counts.
"""

import argparse
import copy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import open_clip
import torch
from layers import gradients, hooks
from models import NAMES, create, save, settled
from open_clip.transform import image_transform
from PIL import Image
from safetensors import safe_open

# Relative errors up to this, and grey levels up to that, are taken for equal.
BOUND, GREY = 1e-4, 1
# Activations are written and compared in parts of about this many bytes; the lab holds a part three times.
PART = 1 << 30
SHOWN = 2
TEXTS = [
    "a photo of a piggy bank",
    "A  Photo\tof THE Golden Gate Bridge!!",
    "\U0001f436 and \U0001f469\u200d\U0001f680, said \u2764\ufe0f",
    "fish &amp; chips &lt;b&gt; caf&eacute; &amp;amp; &#128512;",
    "na\u00efve cafe\u0301 \ufb01ne \u201cquotes\u201d \u2014 it\u2019s 1\u20442",
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \u043f\u0440\u0438\u0432\u0435\u0442 \u03bc\u03ac\u03c4\u03b9\u03b1 \u0645\u0631\u062d\u0628\u0627",
    "don't you'll we've i'm 3.14159 1,000,000 x_y @home #tag",
    "<|startoftext|> in the middle <|endoftext|> of it",
    "\u00e2\u20ac\u0153mojibake\u00e2\u20ac\u009d l\u00e2\u20ac\u2122\u00e9t\u00c3\u00a9",
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    " ".join(f"word{i}" for i in range(60)),
    "\U0001f600" * 90,
]
# Width, height, Pillow's mode, and how it is saved.
PICTURES = [
    (457, 311, "RGB", "png"),
    (640, 333, "RGB", "png"),
    (97, 61, "RGB", "png"),
    (301, 500, "RGBA", "png"),  # opaque: see `pictures`
    (350, 349, "L", "png"),
    (1023, 769, "RGB", "jpg"),
]


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def pictures(folder):
    """Pictures with waves, noise and hard edges."""
    random = np.random.default_rng(0)
    paths = []
    for width, height, mode, ending in PICTURES:
        y, x = np.mgrid[0:height, 0:width]
        bands = len(mode)
        waves = [np.sin(x * random.uniform(0.01, 0.6) + y * random.uniform(0.01, 0.6)) for _ in range(bands)]
        pixels = np.stack(waves, -1) * 100 + random.normal(128, 20, (height, width, bands))
        pixels[height // 3 : height // 2, width // 4 : width // 2] = random.choice([0, 255], bands)
        # What lies below transparent places is not compared: open_clip resizes it weighted by its opacity.
        if mode == "RGBA":
            pixels[..., 3] = 255
        pixels = np.clip(pixels, 0, 255).astype(np.uint8)
        path = folder / f"{mode}-{width}x{height}.{ending}".lower()
        options = {"quality": 92, "subsampling": 0} if ending == "jpg" else {}
        Image.fromarray(pixels.squeeze(-1) if bands == 1 else pixels).save(path, **options)
        paths.append(path)
    return paths


def error(found, wanted):
    """The greatest relative error of a row; infinite where shapes differ or a number is not finite."""
    if found.shape != wanted.shape or not torch.isfinite(found).all():
        return float("inf")
    found, wanted = (x.double().flatten(1) for x in (found, wanted))
    scale = wanted.norm(dim=1)
    distance = (found - wanted).norm(dim=1)
    return torch.where(distance == 0, 0.0, distance / scale).max().item()


class Errors:
    """By name: ours against PyTorch in single precision, and both against PyTorch in double precision."""

    def __init__(self):
        self.rows = {}

    def add(self, name, ours, single, double):
        row = error(ours, single), error(ours, double), error(single, double)
        # Several texts or pictures may have been compared under one name.
        self.rows[name] = tuple(map(max, row, self.rows.get(name, row)))

    def worst(self, names=None):
        """The name whose error is greatest, with its errors."""
        rows = self.rows.items() if names is None else [(name, self.rows[name]) for name in names]
        return max(rows, key=lambda row: row[1][0])

    def failing(self):
        """What misses the bound; a number that is none misses it too."""
        return [(name, row) for name, row in self.rows.items() if not row[0] <= BOUND]


def lab(program, out, weights, *arguments):
    """Runs the lab's `activations` and opens what it wrote."""
    fixed = ["--activation", "quick_gelu", "--precision", "f32", "--device", "cpu"]
    command = [program, "activations", "--model", weights, "--out", out, *fixed, *arguments]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"error: the lab failed ({done.returncode}): {' '.join(map(str, command))}")
    return safe_open(out, "pt")


def units(model):
    """Layers, from the first to the last, and a unit of each whose gradient is compared."""
    visual = model.visual
    if hasattr(visual, "layer1"):
        middle, last = len(visual.layer3) // 2, len(visual.layer4) - 1
        names = ("layer1.0", f"layer3.{middle}.add", f"layer4.{last}.add", "attnpool")
    else:
        blocks = len(visual.transformer.resblocks)
        parts = ("0.mlp.gelu", f"{blocks // 2}.resid_mid", f"{blocks - 1}")
        names = (*(f"transformer.resblocks.{part}" for part in parts), "proj")
    return [(f"visual.{name}", 7 + 3 * i) for i, name in enumerate(names)]


def passed(model, images, tokens, keep):
    """Runs both towers, handing every layer with its name to `keep`, and returns the embeddings and logits."""
    made = hooks(model, keep)
    with torch.no_grad():
        features = model.encode_image(images), model.encode_text(tokens)
    for hook in made:
        hook.remove()
    keep("text_projection", features[1])
    normal = [feature / feature.norm(dim=-1, keepdim=True) for feature in features]
    return *features, model.logit_scale.exp() * normal[0] @ normal[1].T


def compare(name, program, folder, keep):
    """All comparisons of one model; the row of the table, and what failed."""
    begun = time.time()
    say(f"{name}: making the model …")
    model = create(name)
    # One goes through PyTorch's own format, the others through safetensors.
    weights = folder / ("weights.pt" if name == "RN50" else "weights.safetensors")
    save(model, weights)
    paths = pictures(folder)
    texts = folder / "texts.txt"
    texts.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    shown = ",".join(map(str, paths[:SHOWN]))
    of_units = units(model)

    say(f"{name}: embeddings, and gradients, with each BatchNorm in its convolution …")
    all_pictures = ",".join(map(str, paths))
    whole = lab(program, folder / "whole", weights, "--image", all_pictures, "--texts", texts, "--truncate")
    asked = ",".join(f"{layer}:{unit}" for layer, unit in of_units)
    pixels, tokens = whole.get_tensor("pixels"), whole.get_tensor("tokens")
    smooth = settled(model, pixels[:SHOWN])
    smooth_weights = folder / "settled.safetensors"
    save(smooth, smooth_weights)
    part = lab(program, folder / "part", smooth_weights, "--image", shown, "--gradient", asked)

    visual = model.visual
    transform = image_transform(model.image_size, is_train=False, mean=visual.image_mean, std=visual.image_std)
    own = torch.stack([transform(Image.open(path)) for path in paths])
    deviation = torch.tensor(visual.image_std).view(1, 3, 1, 1)
    # In whole levels, which is what both have before they normalise.
    levels = ((pixels - own) * deviation * 255).abs().round().flatten(1)
    grey = levels.amax(1)
    wanted = open_clip.get_tokenizer(NAMES[name])(TEXTS)
    unequal = [TEXTS[row] for row in range(len(TEXTS)) if not torch.equal(tokens[row], wanted[row])]

    errors, gradient_errors, sizes = Errors(), Errors(), {}
    results = ("image_features", "text_features", "logits")

    def measure(layer, value):
        sizes[layer] = value.numel() * 4

    single = passed(model, pixels[:SHOWN], tokens, measure)
    single_gradients = gradients(smooth, pixels[:SHOWN], of_units)
    say(f"{name}: the same in double precision …")
    double = copy.deepcopy(model).double()
    for key, a, b in zip(results, single, passed(double, pixels[:SHOWN].double(), tokens, lambda *_: None)):
        found = whole.get_tensor(key)
        errors.add(key, found if key == "text_features" else found[:SHOWN], a, b)
    double_gradients = gradients(smooth.double(), pixels[:SHOWN].double(), of_units)
    for (layer, unit), a, b in zip(of_units, single_gradients, double_gradients):
        gradient_errors.add(f"gradient of {layer}:{unit}", part.get_tensor(f"gradient/{layer}:{unit}"), a, b)
    del smooth

    parts, filled = [[]], 0
    for layer, size in sizes.items():
        if filled + size > PART:
            parts.append([])
            filled = 0
        parts[-1].append(layer)
        filled += size
    for i, names in enumerate(parts):
        say(f"{name}: {len(names)} layers (part {i + 1} of {len(parts)}) …")
        # `all` shows a layer that the lab has and open_clip's list has not.
        wanted = "all" if len(parts) == 1 else ",".join(names)
        ours = lab(program, folder / "layers", weights, "--layers", wanted, "--image", shown,
                   "--texts", texts, "--truncate")
        surplus = set(ours.keys()) - set(names) - {*results, "pixels", "tokens"}
        if surplus:
            sys.exit(f"error: the lab has layers of which open_clip's list knows nothing: {sorted(surplus)}")
        values = {}

        def keep_single(layer, value):
            if layer in names:
                values[layer] = value.clone()

        def against(layer, value):
            if layer in names:
                errors.add(layer, ours.get_tensor(layer), values.pop(layer), value)

        if not torch.equal(ours.get_tensor("pixels"), pixels[:SHOWN]):
            sys.exit("error: the lab preprocessed the same pictures differently")
        finals = passed(model, pixels[:SHOWN], tokens, keep_single)
        finals_double = passed(double, pixels[:SHOWN].double(), tokens, against)
        for key, a, b in zip(results, finals, finals_double):
            errors.add(key, ours.get_tensor(key), a, b)

    failures = [f"{name}: {layer}: error {row[0]:.1e} (against double precision: ours {row[1]:.1e}, "
                f"PyTorch's {row[2]:.1e})" for of in (errors, gradient_errors) for layer, row in of.failing()]
    failures += [f"{name}: {path.name}: up to {level:.0f} grey levels"
                 for path, level in zip(paths, grey) if level > GREY]
    failures += [f"{name}: tokens of {text!r}" for text in unequal]
    worst, row = errors.worst(sizes)
    of_gradient, gradient_row = gradient_errors.worst()
    shown_row = [name, str(len(sizes)), f"{row[0]:.1e}", f"{row[1]:.1e}", f"{row[2]:.1e}", worst,
                 f"{errors.rows['logits'][0]:.1e}", f"{gradient_row[0]:.1e}", f"{gradient_row[1]:.1e}",
                 f"{gradient_row[2]:.1e}", of_gradient, f"{grey.max():.0f}",
                 "equal" if not unequal else f"{len(unequal)} differ", f"{time.time() - begun:.0f}"]
    if not keep:
        for path in folder.iterdir():
            path.unlink()
    return shown_row, failures


HEAD = ["model", "layers", "worst", "to f64", "PyTorch's", "at", "logits", "gradient", "to f64", "PyTorch's", "at",
        "grey", "tokens", "seconds"]


def table(rows):
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
    for row in [HEAD, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lab", type=Path, required=True, help="the program neuronotes-lab")
    parser.add_argument("--folder", type=Path, required=True, help="where a folder for the files is made")
    parser.add_argument("--keep", action="store_true", help="keep the files, and say where")
    parser.add_argument("models", nargs="+", choices=NAMES, metavar="MODEL", help=", ".join(NAMES))
    arguments = parser.parse_args()
    # So that the files are removed when someone ends the program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows, failures = [], []
    folder = tempfile.mkdtemp(prefix="parity-", dir=arguments.folder)
    try:
        for name in arguments.models:
            place = Path(folder) / name.replace("/", "-")
            place.mkdir()
            row, failed = compare(name, arguments.lab, place, arguments.keep)
            rows.append(row)
            failures += failed
    finally:
        if arguments.keep:
            say(f"the files are kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    table(rows)
    for failure in failures:
        print(f"differs: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
