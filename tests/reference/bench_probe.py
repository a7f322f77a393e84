"""Seconds of the lab's sparse probe beside scikit-learn's saga: `cargo xtask bench probe` runs it. Processor seconds are those of
all threads, also of the system's work for them; the lab's include reading the sample from its file.

Both get the same made-up scan: units share some directions and noise, and each class raises a few of its own. The lab follows
the path of penalties from none to 30 weights a class, and once more the path down to one penalty, of about three weights a
class. scikit-learn fits that penalty alone, with a budget of epochs that is doubled until its objective is no further above
the lab's than the lab's own tolerance; only the last budget's time counts. saga uses one thread, the lab all of them.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy
import sklearn
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def scan(images, units, classes, seed=0):
    """Activations after a ReLU, as a scan stores them, and the class of each image."""
    rng = numpy.random.default_rng(seed)
    truth = rng.integers(classes, size=images)
    shared = rng.normal(size=(32, units)).astype(numpy.float32) / 6
    rows = rng.normal(size=(images, 32)).astype(numpy.float32) @ shared
    rows += rng.standard_normal((images, units), dtype=numpy.float32)
    for label in range(classes):
        own = rng.choice(units, size=6, replace=False)
        rows[numpy.ix_(truth == label, own)] += numpy.array([2, 1.5, 1, 1, 0.7, 0.5], numpy.float32)
    return numpy.maximum(rows, 0, out=rows), truth


def processor_seconds(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def lab(program, sample, threads, tolerance, *more):
    command = [program, "--sample", sample, "--tolerance", tolerance, *more]
    command += ["--threads", threads] if threads else []
    before = processor_seconds(resource.RUSAGE_CHILDREN)
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout) | {"processor": processor_seconds(resource.RUSAGE_CHILDREN) - before}


def objective(fitted, columns, truth, strength):
    chance = fitted.predict_log_proba(columns)[numpy.arange(len(truth)), truth]
    return float(-chance.astype(numpy.float64).mean() + strength * numpy.abs(fitted.coef_).sum())


def saga(columns, truth, strength, enough, most):
    """Seconds, processor seconds, objective and epochs of the first budget that is enough; also whether it was."""
    epochs, spent = 1, 0
    while True:
        model = LogisticRegression(l1_ratio=1, solver="saga", C=1 / (strength * len(truth)), tol=0, max_iter=epochs,
                                   random_state=0)
        begun, before = time.perf_counter(), processor_seconds(resource.RUSAGE_SELF)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(columns, truth)
        seconds = time.perf_counter() - begun
        used = processor_seconds(resource.RUSAGE_SELF) - before
        value = objective(model, columns, truth, strength)
        say(f"saga: {epochs} epochs, {seconds:.1f} s, objective {value:.6f}, to reach {enough:.6f}")
        spent += seconds
        # The next budget takes twice as long.
        if value <= enough or spent + 2 * seconds > most:
            return seconds, used, value, epochs, value <= enough
        epochs *= 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lab", type=Path, required=True, help="the lab's benchmark program")
    parser.add_argument("--folder", type=Path, required=True, help="where a folder for the sample is made")
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--units", type=int, default=2_560)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--most", type=float, default=1800, help="seconds that saga may take, all budgets together")
    arguments = parser.parse_args()
    rows, truth = scan(arguments.images, arguments.units, arguments.classes)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.folder) as folder:
        sample = Path(folder) / "sample.safetensors"
        save_file({"rows": rows, "truth": truth.astype(numpy.int64)}, sample)
        say("the lab, whole path …")
        whole = lab(arguments.lab, sample, arguments.threads, arguments.tolerance)
        middle = min(whole["points"], key=lambda point: abs(point["terms"] - 3))
        say("the lab, down to one penalty …")
        part = lab(arguments.lab, sample, arguments.threads, arguments.tolerance, "--strength", repr(middle["strength"]))
    rows -= rows.mean(0)
    rows /= rows.std(0)
    last = part["points"][-1]
    counts = numpy.bincount(truth) / len(truth)
    without = float(-(counts * numpy.log(counts)).sum())
    enough = last["value"] + arguments.tolerance * without
    seconds, used, value, epochs, reached = saga(rows, truth, last["strength"], enough, arguments.most)
    points = whole["points"]
    print(f"{processor()}; {os.cpu_count()} cores, the lab with {whole['threads']} threads; scikit-learn "
          f"{sklearn.__version__}; {arguments.images} images, {arguments.units} units, {arguments.classes} classes")
    print(f"the lab, {len(points)} penalties down to {points[-1]['strength'] / points[0]['strength']:.3g} of the greatest: "
          f"{whole['seconds']:.1f} s ({whole['processor']:.1f} processor seconds), {points[-1]['terms']:.1f} weights a class at "
          f"the end, greatest gap {max(point['gap'] for point in points):.1e}, {sum(point['steps'] for point in points)} steps")
    print(f"the lab, {len(part['points'])} penalties down to {last['strength']:.4g}: {part['seconds']:.1f} s "
          f"({part['processor']:.1f} processor seconds), {last['terms']:.1f} weights a class, objective {last['value']:.6f}")
    least = "" if reached else "more than "
    print(f"saga, this penalty alone: {least}{seconds:.1f} s ({used:.1f} processor seconds), {epochs} epochs, objective "
          f"{value:.6f}{'' if reached else ' (not reached)'}")
    print(f"that is {least}{seconds / part['seconds']:.1f} times the lab's time for the same penalty "
          f"({used / part['processor']:.1f} times its processor time) and {least}{seconds / whole['seconds']:.1f} times that of "
          f"its whole path ({used / whole['processor']:.1f})")


main()
