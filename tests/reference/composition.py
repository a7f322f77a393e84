"""Writes lab/tests/golden/composition.json: the equations of a made-up probe by NumPy, and each unit's strongest image.

    python3 tests/reference/composition.py

Weights of classes on units, many of them zero and some of equal size; activations of images, rounded so that some are equal. An
equation has the weights of greatest size, of equal ones the unit that comes first; positive ones come first, each group from the greatest in
size down. Its share is the sizes of its weights, divided by those of all weights of the class. NumPy is enough."""

import json
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden/composition.json"
CLASSES, UNITS, IMAGES, TERMS = 6, 40, 30, 5


def main():
    random = np.random.default_rng(11)
    weights = random.normal(size=(CLASSES, UNITS)) * (random.random((CLASSES, UNITS)) < 0.3)
    weights = np.round(weights, 1)
    weights[4] = 0  # a class without terms
    weights[5, 7:] = 0  # one with fewer than an equation shows
    activations = np.round(random.normal(size=(IMAGES, UNITS)), 1)
    equations = []
    for row in weights:
        chosen = np.argsort(-np.abs(row), kind="stable")[:TERMS]
        chosen = [unit for unit in chosen if row[unit] != 0]
        # Lists of tuples are compared item by item, and sorted stably.
        chosen.sort(key=lambda unit: (row[unit] < 0, -abs(row[unit])))
        size = np.abs(row).sum()
        equations.append({
            "terms": [[int(unit), float(row[unit])] for unit in chosen],
            "nonzero": int(np.count_nonzero(row)),
            "share": float(np.abs(row[chosen]).sum() / size) if size else 0.0,
        })
    golden = {
        "terms": TERMS,
        "weights": weights.tolist(),
        "activations": activations.tolist(),
        "equations": equations,
        "strongest": np.argmax(activations, axis=0).tolist(),
    }
    GOLDEN.write_text(json.dumps(golden) + "\n")
    ties = [len(np.unique(np.abs(row[row != 0]))) < np.count_nonzero(row) for row in weights]
    print(f"{GOLDEN.name}: {GOLDEN.stat().st_size:,} bytes; classes with weights of equal size: {sum(ties)}")


if __name__ == "__main__":
    main()
