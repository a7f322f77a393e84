"""Images a second of the lab beside open_clip in PyTorch: `cargo xtask bench clip` runs it.

Both embed batches with the same weights, threads and precision, in turns, on the processor. PyTorch runs as it is used:
eager, in inference mode; of its layouts and ways to bf16 the fastest is found first. A row gives medians over the
rounds: images a second of both, the ratio of a round's two, and the same ratio for processor time instead of time.
"""

import argparse
import copy
import itertools
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import open_clip
import torch
from models import NAMES, create, save


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def processor_time(pid):
    """Seconds that a process has computed, all threads together; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


class Timed:
    """A side that can be told to embed for some seconds."""

    def measure(self, what, seconds):
        """Items a second, and items a second of processor time."""
        before = processor_time(self.pid)
        done, passed = self.run(what, seconds)
        after = processor_time(self.pid)
        return done / passed, done / (after - before) if before is not None and after > before else float("nan")


class Lab(Timed):
    def __init__(self, program, weights, precision, batch, threads):
        command = [program, "--model", weights, "--precision", precision, "--batch", batch, "--threads", threads]
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"error: the lab's side ended ({self.process.wait()})")
        return json.loads(line)

    def run(self, what, seconds):
        print(what, seconds, file=self.process.stdin, flush=True)
        answer = self.answer()
        return answer["done"], answer["seconds"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class PyTorch(Timed):
    """open_clip, in one of several ways to compute the same."""

    pid = os.getpid()

    def __init__(self, model, batch, cast, channels_last):
        """`cast`: None, `casting` or `autocast`."""
        self.name = " ".join([cast or "plain", "channels_last" if channels_last else "contiguous"])
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.kind = torch.bfloat16 if cast == "casting" else torch.float32
        self.autocast = cast == "autocast"
        self.model = copy.deepcopy(model).to(self.kind).to(memory_format=layout)
        images = torch.randn(batch, 3, model.image_size, model.image_size)
        self.images = images.to(self.kind).contiguous(memory_format=layout)
        self.tokens = torch.randint(0, 40000, (batch, model.context_length))

    def run(self, what, seconds):
        embed = self.model.encode_image if what == "images" else self.model.encode_text
        batch = self.images if what == "images" else self.tokens
        done, begun = 0, time.perf_counter()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16) if self.autocast else nullcontext():
            while done == 0 or time.perf_counter() - begun < seconds:
                embed(batch)[0, 0].item()
                done += len(batch)
        return done, time.perf_counter() - begun


def fastest(name, model, precision, batch, what):
    """PyTorch's fastest way, by the best of three short tries of each."""
    layouts = [False, True] if name.startswith("RN") and what == "images" else [False]
    casts = [None] if precision == "f32" else ["casting", "autocast"]
    best = None
    for cast, layout in itertools.product(casts, layouts):
        way = PyTorch(model, batch, cast, layout)
        way.measure(what, 0)
        # Processor time where there is any: other work on the machine decides less.
        rates = [way.measure(what, 0.3) for _ in range(3)]
        rate = max(by_processor if by_processor == by_processor else by_clock for by_clock, by_processor in rates)
        if best is None or rate > best[0]:
            best = rate, way
    return best[1]


HEAD = ["model", "precision", "what", "lab /s", "PyTorch /s", "ratio", "by processor time", "PyTorch's way"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lab", type=Path, required=True, help="the lab's benchmark program")
    parser.add_argument("--folder", type=Path, required=True, help="where a folder for the weights is made")
    parser.add_argument("--precision", action="append", choices=["f32", "bf16"])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--texts", action="store_true", help="texts too")
    parser.add_argument("models", nargs="+", choices=NAMES, metavar="MODEL", help=", ".join(NAMES))
    arguments = parser.parse_args()
    # So that the weights are removed when someone ends the program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    threads = torch.get_num_threads()
    print(f"{processor()}; threads {threads}; batch {arguments.batch}; torch {torch.__version__}, "
          f"open_clip {open_clip.__version__}; {arguments.rounds} rounds of {arguments.seconds:g} s")
    form = "{:16} {:9} {:7} {:>8} {:>11} {:>6} {:>18}  {}"
    print(form.format(*HEAD), flush=True)
    for name in arguments.models:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.folder) as folder:
            weights = Path(folder) / "weights.safetensors"
            model = create(name)
            save(model, weights)
            for precision in arguments.precision or ["f32"]:
                say(f"{name} in {precision} …")
                lab = Lab(arguments.lab, weights, precision, arguments.batch, threads)
                for what in ["images", "texts"] if arguments.texts else ["images"]:
                    theirs = fastest(name, model, precision, arguments.batch, what)
                    lab.measure(what, 0)
                    rounds = []
                    for _ in range(arguments.rounds):
                        rounds.append((lab.measure(what, arguments.seconds), theirs.measure(what, arguments.seconds)))
                    ours_rate = statistics.median(a[0] for a, _ in rounds)
                    their_rate = statistics.median(b[0] for _, b in rounds)
                    ratio = statistics.median(a[0] / b[0] for a, b in rounds)
                    by_processor = statistics.median(a[1] / b[1] for a, b in rounds)
                    print(form.format(name, precision, what, f"{ours_rate:.2f}", f"{their_rate:.2f}", f"{ratio:.2f}",
                                      f"{by_processor:.2f}", theirs.name), flush=True)
                lab.close()


if __name__ == "__main__":
    main()
