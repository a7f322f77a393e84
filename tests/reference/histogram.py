"""Writes lab/tests/golden/histogram.json: shapes of distributions by SciPy and NumPy, which the lab's are compared with."""

import json
from pathlib import Path

import numpy
import scipy.stats

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden/histogram.json"


def shape(values):
    rates = values.clip(min=0)
    activity = rates.mean() ** 2 / (rates**2).mean()
    mean, deviation = values.mean(), values.std()
    return {
        "values": values.tolist(),
        "kurtosis": float(scipy.stats.kurtosis(values)),
        "sparsity": float((1 - activity) / (1 - 1 / len(values))),
        "positive": int((values > 0).sum()),
        "above": [[n, int((values > mean + n * deviation).sum())] for n in (1, 2, 3, 5)],
    }


if __name__ == "__main__":
    rng = numpy.random.default_rng(5)
    samples = [rng.normal(size=60), rng.standard_t(2, size=80) - 0.5, rng.exponential(size=50) ** 2]
    golden = [shape(values.round(4)) for values in samples]
    GOLDEN.write_text(json.dumps(golden) + "\n")
