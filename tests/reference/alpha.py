"""Writes lab/tests/golden/alpha.json: Krippendorff's alpha for nominal data, by the package of that name.

    python3 -m venv venv && venv/bin/pip install -r tests/reference/requirements.txt
    venv/bin/python tests/reference/alpha.py
"""

import json
from pathlib import Path

import krippendorff
import numpy

ROOT = Path(__file__).parents[2]


def made_up(raters, things, labels, agreed, missing, seed):
    """Ratings of which a fraction is the same for all, and a fraction is missing."""
    random = numpy.random.default_rng(seed)
    truth = random.integers(labels, size=things)
    ratings = random.integers(labels, size=(raters, things)).astype(float)
    same = random.random((raters, things)) < agreed
    ratings = numpy.where(same, truth, ratings)
    ratings[random.random((raters, things)) < missing] = numpy.nan
    return ratings


# Krippendorff's own example: four observers, twelve units, missing values.
NONE = numpy.nan
EXAMPLE = numpy.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
)
tables = [EXAMPLE] + [
    made_up(raters, things, labels, agreed, missing, seed)
    for seed, (raters, things, labels, agreed, missing) in enumerate(
        [(2, 40, 2, 0.8, 0.0), (2, 60, 5, 0.5, 0.1), (3, 30, 3, 0.0, 0.3), (5, 100, 9, 0.9, 0.2), (2, 12, 2, 0.2, 0.0), (7, 15, 4, 0.6, 0.5)]
    )
]
golden = []
for table in tables:
    alpha = krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")
    ratings = [[None if numpy.isnan(label) else int(label) for label in rater] for rater in table]
    golden.append({"alpha": float(alpha), "ratings": ratings})
path = ROOT / "lab/tests/golden/alpha.json"
path.write_text("[\n" + ",\n".join(json.dumps(one) for one in golden) + "\n]\n")
print(path, [round(one["alpha"], 3) for one in golden])
