"""Reference for the kinds `controls` and `unit_rank`: `lab/tests/golden/controls.json`, by NumPy and a BLAKE3 of its own.

    python tests/reference/controls.py

Activations of 40 images for 12 units in half precision, some units behind a ReLU, two constant, two equal. For several units and
seeds: which images and other units are drawn by the documented digest, which are the weakest, the edges of the bands; and the
ranks of units by five numbers, each counted by brute force.
"""

import json
import struct
from pathlib import Path

import numpy as np

LAYER, IMAGES, UNITS = "visual.layer4.0.add", 40, 12
START, END, ROOT = 1, 2, 8
IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
ORDER = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]


def compress(chain, block, length, flags):
    words = list(struct.unpack("<16I", block.ljust(64, b"\0")))
    state = chain + IV[:4] + [0, 0, length, flags]

    def mix(a, b, c, d, x, y):
        for word, first, second in [(x, 16, 12), (y, 8, 7)]:
            state[a] = (state[a] + state[b] + word) % 2**32
            state[d] ^= state[a]
            state[d] = (state[d] >> first | state[d] << (32 - first)) % 2**32
            state[c] = (state[c] + state[d]) % 2**32
            state[b] ^= state[c]
            state[b] = (state[b] >> second | state[b] << (32 - second)) % 2**32

    for _ in range(7):
        columns = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
        diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
        for at, places in enumerate(columns + diagonals):
            mix(*places, words[2 * at], words[2 * at + 1])
        words = [words[at] for at in ORDER]
    return [state[at] ^ state[at + 8] for at in range(8)]


def blake3(text):
    """The digest of at most 1,024 bytes: one chunk, which is the root."""
    data = text.encode()
    assert len(data) <= 1024
    blocks = [data[at : at + 64] for at in range(0, len(data), 64)] or [b""]
    chain = IV
    for at, block in enumerate(blocks):
        last = at + 1 == len(blocks)
        chain = compress(chain, block, len(block), (START if at == 0 else 0) | (END | ROOT if last else 0))
    return struct.pack("<8I", *chain)


def controls(table, keys, unit, seed, random, bands, others):
    def lot(draw, name):
        of = json.dumps([LAYER, unit, None, seed], separators=(",", ":"))
        return blake3(f"controls\n{draw}\n{of}\n{name}")

    def example(row, of=unit):
        return [keys[row], float(table[row, of])]

    column, rows = table[:, unit], range(len(keys))
    weakest = sorted(rows, key=lambda row: (column[row], blake3(keys[row])))
    drawn = sorted(rows, key=lambda row: lot("random", keys[row]))[:random]
    drawn.sort(key=lambda row: (-column[row], blake3(keys[row])))
    edges = [column.min() + (column.max() - column.min()) * at / bands for at in range(bands)] + [column.max()]
    found = []
    for at in reversed(range(bands if column.max() > column.min() else 0)):
        low, high, last = edges[at], edges[at + 1], at + 1 == bands
        inside = [row for row in rows if low <= column[row] and (column[row] < high or last)]
        first = min(inside, key=lambda row: lot("band", keys[row]), default=None)
        found.append([float(low), float(high), len(inside), None if first is None else example(first)])
    order = sorted((other for other in range(UNITS) if other != unit), key=lambda other: lot("unit", str(other)))
    varying = [other for other in order if np.ptp(table[:, other]) > 0][:others]
    seen = order[: order.index(varying[-1])] if len(varying) == others else order
    top = {
        other: sorted(rows, key=lambda row: (-table[row, other], blake3(keys[row])))[:3] for other in varying
    }
    return {
        "unit": unit, "seed": seed, "random": random, "bands": bands, "others": others,
        "found": {
            "mean": column.mean(), "sd": column.std(),
            "random": [example(row) for row in drawn],
            "bands": found,
            "weakest": [example(row) for row in weakest[:random]],
            "others": [[other, [example(row, other) for row in top[other]]] for other in varying],
            "passed": sum(other not in varying for other in seen),
        },
    }


def numbers(column, deviations):
    mean, sd = column.mean(), column.std()
    if sd == 0:
        return [mean, 0.0, None, None, None]
    kurtosis = ((column - mean) ** 4).mean() / sd**4 - 3
    return [mean, sd, kurtosis, (column.max() - mean) / sd, (column > mean + deviations * sd).mean()]


def ranks(table, unit, deviations):
    own = numbers(table[:, unit], deviations)
    others = [numbers(table[:, other], deviations) for other in range(UNITS) if other != unit]
    others = np.array([one for one in others if one[2] is not None], dtype=float)
    found = []
    for at, value in enumerate(own):
        column = others[:, at]
        same = np.isclose(column, np.nan if value is None else value, rtol=1e-12, atol=0)
        greater = (column > (np.inf if value is None else value)) & ~same
        found.append([value, int(greater.sum()), int(same.sum()), float(np.median(column))])
    return {
        "unit": unit, "deviations": deviations,
        "found": {"units": len(others), "left_out": UNITS - 1 - len(others), "ranks": found},
    }


def main():
    assert blake3("").hex().startswith("af1349b9f5f9a1a6a0404dea36dcc949")
    assert blake3("abc").hex().startswith("6437b3ac38465133ffb63b75273a8db5")
    rng = np.random.default_rng(17)
    table = rng.normal(size=(IMAGES, UNITS)) * rng.uniform(0.5, 3, UNITS)
    table[:, 4:8] = np.maximum(table[:, 4:8] - [0.2, 1, 2, 0.5], 0)
    table[:, 8], table[:, 9] = 0, 1.5
    table[:, 10] = table[:, 2]
    table = table.astype(np.float16).astype(float)
    keys = [f"image-{number:02}" for number in rng.permutation(IMAGES)]
    drawn = [(3, 0, 9, 10, 3), (3, 7, 9, 10, 3), (6, 0, 12, 5, 11), (8, 1, 4, 3, 2), (0, 4294967295, 50, 1, 1)]
    golden = {
        "layer": LAYER,
        "keys": keys,
        "units": UNITS,
        "table": table.ravel().tolist(),
        "controls": [controls(table, keys, *one) for one in drawn],
        "ranks": [ranks(table, *one) for one in [(3, 1.5), (6, 2.0), (10, 0.0), (9, 3.0)]],
    }
    path = Path(__file__).parents[2] / "lab/tests/golden/controls.json"
    path.write_text(json.dumps(golden) + "\n")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
