"""Seconds that the lab and Lucent take over the same feature visualisations: `cargo xtask bench vis` runs it.

Both make pictures of the same units of the same weights, of the same size, in as many steps of Adam with the same
threads, in turns, on the processor in single precision. What is timed is all between a loaded network and a finished
picture. Three things are made: a picture of a unit of the first block, one of a unit of the last block, and pictures
of sixteen units of the last block.

Lucent runs as its documentation shows: `render_vis` with its Fourier and decorrelated picture and its standard
transforms, which are Lucid's. It evaluates the whole network, whichever layer is asked for. Where it can be spared work
without a change to its code, it is, so that all of the following is in its favour:

- it gets CLIP's visual tower without the attention pool, which would fix the size of what the network sees;
- weights need no gradient, which its documentation leaves out;
- it enlarges every picture below 224 pixels to 224: instead its network is shown as many pixels as the lab's is on
  average (`--side` names another number);
- each picture is made with a fresh copy of the network, since it never removes its hooks;
- of PyTorch's layouts, the faster is found first.

Sixteen units are made in two ways: by one `render_vis` for each, as its users do; and by one for all, as a batch with an
objective for each of its pictures, which has to be put together by hand.

A row gives medians over the rounds: seconds a unit of both, how many times as long as the lab Lucent takes, with what
is aimed at, the same ratio for processor time instead of time, and the units' mean activation on the finished pictures.
That each side has done its steps is checked, and with the trained weights of Emoji-CLIP that it has raised the units.
"""

import argparse
import copy
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

# Lucent would take a GPU if there were one.
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import bench_clip
import numpy
import texts
import torch
from bench_clip import processor, processor_time, say
from lucent.optvis import objectives, param, render, transform
from models import NAMES, create, save
from torchvision.transforms import Normalize

EMOJI = "emoji"
MODELS = [EMOJI, *(name for name in NAMES if name.startswith("RN"))]
RATE = 0.05
NORMALISE = Normalize(texts.MEAN.flatten().tolist(), texts.DEVIATION.flatten().tolist())
# Lucid pads by 12 on both sides and crops by 8 and by 4 pixels; its factors of the size are 1 on average.
MORE = 2 * 12 - 8 - 4


@dataclass
class Case:
    """Something to make pictures of. `goal`: how many times as fast as Lucent the lab is meant to be."""

    name: str
    layer: str
    units: list
    goal: float


@dataclass
class Made:
    """What making a case's pictures took, and the units' mean activations on the first and on the finished pictures."""

    seconds: float
    processor_seconds: float
    first: float
    finished: float


def cases(tower, size):
    """The cases, with units that answer most to noise: a silent one would give Lucent no gradient to begin with."""
    last = f"layer4.{len(tower.layer4) - 1}"
    torch.manual_seed(0)
    noise = param.image(size, batch=8)[1]().detach()

    def lively(layer, count):
        return activations(tower, layer, noise).mean(0).topk(count).indices.tolist()

    return [
        Case("first block", "layer1.0", lively("layer1.0", 1), 3),
        Case("last block", last, lively(last, 1), 1.3),
        Case("last block, 16 units", last, lively(last, 16), 3),
    ]


def activations(tower, layer, images):
    """What a layer's units make of images from 0 to 1, averaged over positions: `[n, units]`."""
    found = []
    hook = tower.get_submodule(layer).register_forward_hook(lambda _module, _input, output: found.append(output))
    with torch.no_grad():
        tower(NORMALISE(images))
    hook.remove()
    return found[0].mean((2, 3))


class Lab(bench_clip.Lab):
    def __init__(self, program, weights, size, steps, threads):
        self.steps = steps
        command = [program, "--model", weights, "--size", size, "--steps", steps, "--threads", threads]
        ends = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(list(map(str, command)), text=True, **ends)
        self.about = self.answer()

    def make(self, case):
        before = processor_time(self.process.pid)
        print(f"visual.{case.layer}", ",".join(map(str, case.units)), file=self.process.stdin, flush=True)
        answer = self.answer()
        after = processor_time(self.process.pid)
        assert answer["steps"] == [self.steps] * len(case.units), answer
        spent = after - before if before is not None else float("nan")
        first, finished = (statistics.mean(answer[name]) for name in ("activation_at_start", "activation"))
        return Made(answer["seconds"], spent, first, finished)


class Lucent:
    """Lucent, in one of several ways to compute the same."""

    def __init__(self, tower, size, side, steps, together, channels_last):
        """`side`: of what the network sees. `together`: all units of a case in one batch."""
        words = ["one batch" if together else "one by one", "channels_last" if channels_last else "contiguous"]
        self.name = ", ".join(words)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.tower = copy.deepcopy(tower).to(memory_format=layout)
        self.size, self.side, self.steps, self.together = size, side, steps, together

    def make(self, case):
        batches = [case.units] if self.together else [[unit] for unit in case.units]
        made = [self.render(case.layer, units) for units in batches]
        seconds, spent = sum(one.seconds for one in made), sum(one.processor_seconds for one in made)
        first, finished = (statistics.mean(values) for values in zip(*((one.first, one.finished) for one in made)))
        return Made(seconds, spent, first, finished)

    def render(self, layer, units):
        """Pictures of some units, as one batch."""
        numpy.random.seed(0)
        torch.manual_seed(0)
        tower, optimizers, noise = copy.deepcopy(self.tower), [], []
        name = layer.replace(".", "_")

        def picture():
            parameters, image = param.image(self.size, batch=len(units))
            noise.append(image().detach())
            return parameters, image

        def adam(parameters):
            optimizers.append(torch.optim.Adam(parameters, lr=RATE))
            return optimizers[0]

        begun, spent = time.perf_counter(), time.process_time()
        pictures = render.render_vis(
            tower,
            objectives.Objective.sum([objectives.channel(name, unit, batch=at) for at, unit in enumerate(units)]),
            picture,
            adam,
            transforms=[*transform.standard_transforms, NORMALISE],
            thresholds=(self.steps,),
            preprocess=False,
            progress=False,
            show_image=False,
            fixed_image_size=self.side,
        )
        passed, spent = time.perf_counter() - begun, time.process_time() - spent
        done = [int(state["step"]) for state in optimizers[0].state.values()]
        assert done == [self.steps], done
        finished = torch.from_numpy(pictures[-1]).permute(0, 3, 1, 2)
        assert finished.shape == (len(units), 3, self.size, self.size), finished.shape
        ends = [activations(self.tower, layer, images)[range(len(units)), units] for images in (noise[0], finished)]
        return Made(passed, spent, *(end.mean().item() for end in ends))


def fastest(tower, case, size, side, steps, together):
    """Lucent's faster layout for a case, by the best of two short tries of each."""
    best = None
    for channels_last in [False, True]:
        way = Lucent(tower, size, side, min(steps, 4), together, channels_last)
        # One by one, two units tell enough.
        tried = case if together else replace(case, units=case.units[:2])
        way.make(tried)
        least = min(way.make(tried).processor_seconds for _ in range(2)) / len(tried.units)
        if best is None or least < best[0]:
            best = least, way
    best[1].steps = steps
    return best[1]


def check(side, case, made):
    """Ends everything where a side has not raised what it was to raise."""
    if not made.finished > made.first:
        sys.exit(f"error: {side} did not raise {case.name}: {made.first} → {made.finished}")


def loaded(name, folder):
    """A model's weights as a file, and its visual tower without the attention pool."""
    if name == EMOJI:
        weights, model = texts.ROOT / "models/emoji-clip.safetensors", texts.network()
    else:
        weights, model = folder / "weights.safetensors", create(name)
        save(model, weights)
    tower = model.visual.eval().requires_grad_(False)
    tower.attnpool = torch.nn.Identity()
    return weights, tower


FORM = "{:22} {:>5} {:>12} {:>15} {:>6} {:>5} {:>18} {:>15} {:>18}  {}"
HEAD = ["what", "units", "lab s/unit", "Lucent s/unit", "ratio", "goal", "by processor time", "lab's activation",
        "Lucent's activation", "Lucent's way"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lab", type=Path, required=True, help="the lab's benchmark program")
    parser.add_argument("--folder", type=Path, required=True, help="where a folder for the weights is made")
    parser.add_argument("--model", choices=MODELS, default=EMOJI)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--side", type=int)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    # So that the weights are removed when someone ends the program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    threads, size, steps = torch.get_num_threads(), arguments.size, arguments.steps
    side = arguments.side or size + MORE
    print(f"{processor()}; threads {threads}; {arguments.model}; {size} x {size} pixels, Lucent's network sees "
          f"{side} x {side}; {steps} steps; torch {torch.__version__}, torch-lucent {version('torch-lucent')}; "
          f"{arguments.rounds} rounds")
    print(FORM.format(*HEAD), flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.folder) as folder:
        weights, tower = loaded(arguments.model, Path(folder))
        lab = Lab(arguments.lab, weights, size, steps, threads)
        assert lab.about["threads"] == threads, lab.about
        ways = [(case, together) for case in cases(tower, size) for together in [False, True][: len(case.units)]]
        for case, together in ways:
            say(f"{case.name} …")
            lucent = fastest(tower, case, size, side, steps, together)
            lab.make(replace(case, units=case.units[:1]))
            rounds = []
            for _ in range(arguments.rounds):
                ours, theirs = lab.make(case), lucent.make(case)
                # With random weights a deep unit may fall on either side, however its disturbed picture does.
                if arguments.model == EMOJI:
                    check("the lab", case, ours)
                    check("Lucent", case, theirs)
                rounds.append((ours, theirs))
            print(FORM.format(*row(case, rounds, together), lucent.name), flush=True)
        lab.close()


def row(case, rounds, together):
    """A row's cells, but for the last."""
    count = len(case.units)
    middle = lambda value: statistics.median(value(ours, theirs) for ours, theirs in rounds)
    return (
        case.name,
        count,
        f"{middle(lambda ours, _: ours.seconds) / count:.3f}",
        f"{middle(lambda _, theirs: theirs.seconds) / count:.3f}",
        f"{middle(lambda ours, theirs: theirs.seconds / ours.seconds):.2f}",
        # Lucent's own batch is a way that its documentation has for one objective, not for many.
        "" if together else f"{case.goal:g}",
        f"{middle(lambda ours, theirs: theirs.processor_seconds / ours.processor_seconds):.2f}",
        f"{middle(lambda ours, _: ours.finished):.3g}",
        f"{middle(lambda _, theirs: theirs.finished):.3g}",
    )


if __name__ == "__main__":
    main()
