"""Pictures a second of the lab beside a PyTorch DataLoader with Pillow and open_clip: `cargo xtask bench data` runs it.

JPEGs are made of noise at several scales, which compresses about as photographs do, with 4:2:0 subsampling at quality 90.
Both sides take in the same files with the same threads, in turns, on the processor: once only to decode, resize and
normalise them, and once to scan a layer of Emoji-CLIP. PyTorch runs as it is used: a DataLoader with a worker for each
thread, open_clip's own preprocessing, batches of 32, and a hook that averages the layer over positions. The lab's scan
includes listing the folder, checking it for changes, and storing the result. A row gives medians over the rounds.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import bench_clip
import numpy
import open_clip
import PIL
import texts
import torch
from bench_clip import processor, say
from PIL import Image

BATCH = 32
SIZES = {"500x375": (500, 375), "4000x3000": (4000, 3000)}
GOALS = {("500x375", "prepare"): 2.0, ("500x375", "scan"): 2.0, ("4000x3000", "prepare"): 1.3, ("4000x3000", "scan"): 1.3}
FORM = "{:10} {:8} {:>8} {:>12} {:>16} {:>6} {:>5} {:>18}"
HEAD = ["size", "what", "pictures", "lab /s", "DataLoader /s", "ratio", "goal", "by processor time"]


def photograph(size, seed):
    """Noise of ever finer scales and ever less strength, in colour."""
    random = numpy.random.default_rng(seed)
    width, height = size
    total = numpy.zeros((height, width, 3), numpy.float32)
    scale, strength = 4, 60.0
    while scale < max(size):
        small = random.normal(0, strength, (scale * height // width + 2, scale + 2, 3)).astype(numpy.float32)
        bands = [Image.fromarray(small[:, :, band]).resize(size, Image.Resampling.BICUBIC) for band in range(3)]
        total += numpy.stack([numpy.asarray(band) for band in bands], -1)
        scale, strength = scale * 2, strength * 0.62
    return Image.fromarray((total + 128).clip(0, 255).astype(numpy.uint8))


class Lab(bench_clip.Lab):
    def __init__(self, program, folder, threads):
        import subprocess

        command = [program, "--folder", folder, "--threads", threads]
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.about = self.answer()

    def run(self, what):
        before = bench_clip.processor_time(self.pid)
        print(what, file=self.process.stdin, flush=True)
        answer = self.answer()
        return answer["done"], answer["seconds"], bench_clip.processor_time(self.pid) - before


class Files(torch.utils.data.Dataset):
    def __init__(self, folder, transform):
        self.files, self.transform = sorted(folder.iterdir()), transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, at):
        return self.transform(Image.open(self.files[at]))


class PyTorch:
    def __init__(self, folder, threads):
        self.model = texts.network().requires_grad_(False)
        transform = open_clip.image_transform(
            self.model.visual.image_size, False, mean=texts.MEAN.flatten().tolist(), std=texts.DEVIATION.flatten().tolist()
        )
        self.loader = torch.utils.data.DataLoader(Files(folder, transform), batch_size=BATCH, num_workers=threads)
        self.rows = []
        self.model.visual.layer4[1].register_forward_hook(lambda m, i, out: self.rows.append((out.mean((2, 3)), out.amax((2, 3)))))

    def run(self, what):
        self.rows.clear()
        done, begun, before = 0, time.perf_counter(), used()
        with torch.inference_mode():
            for images in self.loader:
                done += len(images)
                if what == "scan":
                    self.rows.append(self.model.encode_image(images))
        return done, time.perf_counter() - begun, used() - before


def used():
    """Processor seconds of this process and of the workers that have ended."""
    import os

    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lab", type=Path, required=True, help="the lab's benchmark program")
    parser.add_argument("--folder", type=Path, required=True, help="where a folder for the pictures is made")
    parser.add_argument("--pictures", type=int, default=600, help="of the smaller size; of the larger a twelfth")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    # So that the pictures are removed when someone ends the program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    threads = torch.get_num_threads()
    print(f"{processor()}; threads {threads}; batch {BATCH}; torch {torch.__version__}, Pillow {PIL.__version__}; "
          f"{arguments.rounds} rounds")
    print(FORM.format(*HEAD), flush=True)
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.folder) as folder:
            folder = Path(folder)
            count = arguments.pictures if size[0] < 1000 else max(arguments.pictures // 12, 8)
            say(f"making {count} JPEGs of {name} …")
            different = min(count, 60 if size[0] < 1000 else 8)
            for at in range(different):
                photograph(size, at).save(folder / f"{at:05}.jpg", quality=90)
            for at in range(different, count):
                # Other bytes of the same length are not needed: no side knows pictures again.
                (folder / f"{at:05}.jpg").write_bytes((folder / f"{at % different:05}.jpg").read_bytes())
            lab, pytorch = Lab(arguments.lab, folder, threads), PyTorch(folder, threads)
            for what in ["prepare", "scan"]:
                say(f"{name}, {what} …")
                # Files are in the system's cache for both.
                lab.run(what), pytorch.run(what)
                rounds = [(lab.run(what), pytorch.run(what)) for _ in range(arguments.rounds)]
                assert all(ours[0] == theirs[0] == count for ours, theirs in rounds), rounds
                print(FORM.format(name, what, count, *row(rounds, GOALS[name, what])), flush=True)
            lab.close()


def row(rounds, goal):
    middle = lambda value: statistics.median(value(ours, theirs) for ours, theirs in rounds)
    return (
        f"{middle(lambda ours, _: ours[0] / ours[1]):.1f}",
        f"{middle(lambda _, theirs: theirs[0] / theirs[1]):.1f}",
        f"{middle(lambda ours, theirs: theirs[1] / ours[1]):.2f}",
        f"{goal:g}",
        f"{middle(lambda ours, theirs: theirs[2] / max(ours[2], 1e-9)):.2f}",
    )


if __name__ == "__main__":
    main()
