"""Writes lab/tests/golden/lucid.safetensors: Lucid's parametrisations, transforms and redirected ReLU, written down again
from its published formulas (optvis/param/spatial.py, color.py, optvis/transform.py, misc/redirected_relu_grad.py), those
of MACO from its article (arXiv 2306.06805), and the facet objective of openai/CLIP-featurevis.

The first two are here NumPy in double precision; transforms are the product of homogeneous matrices, and a sampling by
hand. The gradients are PyTorch's, through open_clip's own tower with the weights of golden/clip_resnet. Set up as clip.py
says, and run it after that."""

from pathlib import Path

import numpy as np
import torch
from open_clip.modified_resnet import ModifiedResNet
from safetensors.numpy import save_file
from safetensors.torch import load_file

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden"
random = np.random.default_rng(0)
out = {}
ROOT = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
LUCID = ROOT / np.linalg.norm(ROOT, axis=0).max()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def falloff(size):
    return 1 / np.maximum(np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]), 1 / size)


def fourier(coefficients, size):
    """Coefficients (3, size, size//2+1, 2) to colours in 0..1 (3, size, size)."""
    spectrum = (coefficients[..., 0] + 1j * coefficients[..., 1]) * np.sqrt(size * size) * falloff(size)
    return sigmoid(np.tensordot(LUCID, np.fft.irfft2(spectrum, (size, size)) / 4, 1))


def pixels(numbers):
    return sigmoid(np.tensordot(LUCID, numbers, 1))


def maco(phases, size):
    """Phases (3, size, size//2+1) under magnitudes of 1/f, such that random phases give pixels of variance 1."""
    magnitude = falloff(size)
    magnitude[0, 0] = 0
    # Every coefficient of the whole transform, by symmetry.
    whole = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None, :])
    whole[0, 0] = np.inf
    magnitude *= size * size / np.sqrt((whole**-2.0).sum())
    image = np.fft.irfft2(magnitude * np.exp(1j * phases), (size, size))
    return sigmoid(np.tensordot(4 * ROOT, image, 1))


for size in (32, 33):
    coefficients = random.normal(0, 0.3, (3, size, size // 2 + 1, 2)).astype(np.float32)
    out[f"fourier.parameters.{size}"] = coefficients[None]
    out[f"fourier.image.{size}"] = fourier(coefficients.astype(np.float64), size).astype(np.float32)
    phases = random.uniform(-np.pi, np.pi, (3, size, size // 2 + 1)).astype(np.float32)
    out[f"maco.parameters.{size}"] = phases[None]
    out[f"maco.image.{size}"] = maco(phases.astype(np.float64), size).astype(np.float32)
    numbers = random.normal(0, 1, (3, size, size)).astype(np.float32)
    out[f"pixels.parameters.{size}"] = numbers[None]
    out[f"pixels.image.{size}"] = pixels(numbers.astype(np.float64)).astype(np.float32)


def moved(x, y):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def scaled(factor):
    return np.diag([factor, factor, 1.0])


def turned(degrees):
    """Counter-clockwise as one sees it, where y grows downwards."""
    a = np.radians(degrees)
    return np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])


def sampled(image, forward, side):
    """(3, n, n) under a map of pixels, bilinear, black beyond it."""
    n = image.shape[-1]
    back = np.linalg.inv(forward)
    result = np.zeros((3, side, side))
    get = lambda y, x: image[:, y, x] if 0 <= x < n and 0 <= y < n else np.zeros(3)
    for v in range(side):
        for u in range(side):
            x, y, _ = back @ [u + 0.5, v + 0.5, 1]
            x, y = x - 0.5, y - 0.5
            i, j = int(np.floor(x)), int(np.floor(y))
            a, b = x - i, y - j
            result[:, v, u] = (
                (1 - a) * (1 - b) * get(j, i) + a * (1 - b) * get(j, i + 1)
                + (1 - a) * b * get(j + 1, i) + a * b * get(j + 1, i + 1)
            )
    return result


def transformed(image, pad, first, less, scale, angle, last, less_again, to=None):
    """pad with grey, crop to `less` less at `first`, scale (sides rounded down), rotate about the centre, crop to
    `less_again` less at `last`, and crop or pad with black around the centre to `to`."""
    image = np.pad(image, ((0, 0), (pad, pad), (pad, pad)), constant_values=0.5)
    window = image.shape[-1] - less
    image = image[:, first[1]:first[1] + window, first[0]:first[0] + window]
    grown = int(round(window * scale, 9))
    forward = moved(grown / 2, grown / 2) @ turned(angle) @ moved(-grown / 2, -grown / 2) @ scaled(grown / window)
    image = sampled(image, moved(-last[0], -last[1]) @ forward, grown - less_again)
    side = image.shape[-1]
    if to is None or to == side:
        return image
    if to > side:
        before = (to - side) // 2
        return np.pad(image, ((0, 0), (before, to - side - before), (before, to - side - before)))
    off = (side - to) // 2
    return image[:, off:off + to, off:off + to]


picture = out["fourier.image.32"].astype(np.float64)
NOTHING = dict(pad=0, first=(0, 0), less=0, scale=1.0, angle=0.0, last=(0, 0), less_again=0)
LUCIDS = dict(pad=12, less=8, less_again=4)
PAPERS = dict(pad=2, less=40 - 28, less_again=2, to=32)  # of a picture of 32, ten crops of 4 would leave nothing
for name, draw in {
    "pad": NOTHING | dict(pad=12),
    "jitter": NOTHING | dict(less=8, first=(5, 2)),
    "smaller": NOTHING | dict(scale=0.9),
    "larger": NOTHING | dict(scale=1.1),
    "left": NOTHING | dict(angle=10.0),
    "right": NOTHING | dict(angle=-7.0),
    "cut": NOTHING | dict(scale=1.2, to=32),
    "framed": NOTHING | dict(scale=0.7, angle=15.0, to=32),
    "lucid.0": LUCIDS | dict(first=(3, 5), scale=1.0, angle=7.0, last=(1, 2)),
    "lucid.1": LUCIDS | dict(first=(8, 0), scale=0.9, angle=-10.0, last=(4, 0)),
    "lucid.2": LUCIDS | dict(first=(2, 7), scale=1.1, angle=10.0, last=(0, 3)),
    "lucid.3": LUCIDS | dict(first=(4, 4), scale=1.06, angle=0.0, last=(2, 2)),
    "paper.0": PAPERS | dict(first=(7, 1), scale=0.998**33, angle=-19.0, last=(2, 0)),
    "paper.1": PAPERS | dict(first=(0, 12), scale=0.995**-5, angle=4.0, last=(1, 1)),
}.items():
    window = 32 + 2 * draw["pad"] - draw["less"]
    grown = int(round(window * draw["scale"], 9))
    inner = grown - draw["less_again"]
    numbers = [draw["pad"], *draw["first"], window, grown, draw["angle"], *draw["last"], inner, draw.get("to") or inner]
    out[f"draw.{name}"] = np.array(numbers, np.float32)
    out[f"transformed.{name}"] = transformed(picture, **draw).astype(np.float32)


class Redirected(torch.autograd.Function):
    """Lucid's rule, for a loss that is to fall."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return x.relu()

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        plain = torch.where(x < 0, torch.zeros_like(gradient), gradient)
        pushing_lower = (x < 0) & (gradient > 0)
        redirected = torch.where(pushing_lower, torch.zeros_like(gradient), gradient)
        heard = plain.abs().sum((1, 2, 3), keepdim=True) > 0
        return torch.where(heard, plain, redirected)


class ReLU(torch.nn.Module):
    def forward(self, x):
        return Redirected.apply(x)


def tower(redirecting):
    """The visual tower of golden/clip_resnet, and the activations (n, c, h, w) of its blocks in order."""
    weights = load_file(GOLDEN / "clip_resnet/weights.safetensors")
    visual = ModifiedResNet(layers=(1, 2, 1, 1), output_dim=24, heads=4, image_size=64, width=8)
    ours = {name[7:]: weight.float() for name, weight in weights.items() if name.startswith("visual.")}
    found = visual.load_state_dict(ours, strict=False)
    assert not found.unexpected_keys and all("num_batches" in name for name in found.missing_keys), found
    visual.eval().requires_grad_(False)
    if redirecting:
        for module in list(visual.modules()):
            for name, child in module.named_children():
                if isinstance(child, torch.nn.ReLU):
                    setattr(module, name, ReLU())

    def blocks(images):
        x = visual.stem(images)
        found = []
        for block in [*visual.layer1, *visual.layer2, *visual.layer3, *visual.layer4]:
            x = block(x)
            found.append(x)
        return found

    return blocks


torch.manual_seed(0)
torch.set_num_threads(1)
many = torch.randn(64, 3, 64, 64) * torch.linspace(0.1, 20, 64).view(-1, 1, 1, 1)
# A unit of the last ReLU that is silent for one image and heard for another.
heard = tower(False)(many)[-1].amax((2, 3)) > 0
unit = next(unit for unit in range(heard.shape[1]) if 0 < heard[:, unit].sum() < len(many))
images = torch.stack([many[~heard[:, unit]][0], many[heard[:, unit]][0]])
images.requires_grad_()
last = tower(True)(images)[-1]
loss = -last[:, unit].mean((1, 2)).sum()
(gradient,) = torch.autograd.grad(loss, images)
assert gradient[0].abs().max() > 0, "what is silent has to be redirected"
out["redirected.images"] = images.detach().numpy()
out["redirected.unit"] = np.array([unit], np.int64)
out["redirected.gradient"] = gradient.numpy()

# The objective of a facet: two layers, the second one's probe for a map of another size; as in CLIP-featurevis.
images = torch.rand(2, 3, 64, 64).requires_grad_()
blocks = tower(False)(images)
layers = [blocks[1], blocks[3]]
probes = [torch.randn(1, *layers[0].shape[1:]), torch.randn(1, layers[1].shape[1], 6, 6)]
f = blocks[-1][:, 3].mean((1, 2))
rising = torch.autograd.grad(f.sum(), layers, retain_graph=True)
strengths = torch.tensor([0.1, 5.0])
objective = f.sum() - 10 * ((images - 0.5) ** 2).mean((1, 2, 3)).sum()
for layer, probe, rise in zip(layers, probes, rising):
    probe = torch.nn.functional.interpolate(probe, layer.shape[2:], mode="bilinear", align_corners=False)
    attribution = (layer * rise.clamp(min=0) * probe).sum((1, 2, 3))
    objective = objective + (strengths * 5 / len(layers) * attribution).sum()
(gradient,) = torch.autograd.grad(objective, images)
out["facet.images"] = images.detach().numpy()
out["facet.probe.0"], out["facet.probe.1"] = (probe.numpy() for probe in probes)
out["facet.gradient"] = gradient.numpy()

save_file({name: np.ascontiguousarray(array) for name, array in out.items()}, GOLDEN / "lucid.safetensors")
