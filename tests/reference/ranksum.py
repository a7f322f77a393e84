"""Reference for comparisons of two groups in every unit: `lab/tests/golden/ranksum.json`, by SciPy and scikit-learn.

    python tests/reference/ranksum.py

A matrix of activations, images by units, in half precision so that many are equal; for each image whether it is in the group (1), in
the group that it is compared with (0), or in neither (-1). For each unit the area under the ROC curve by scikit-learn, the p-value of
Mann and Whitney's test by SciPy (normal approximation, with its corrections for ties and continuity), Cohen's d by NumPy, and the
interval of Newcombe (2006, method 5) as the roots of its equation by SciPy; and all p-values adjusted by Benjamini and Hochberg's
procedure, by SciPy. One unit is constant.
"""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.stats import false_discovery_control, mannwhitneyu, norm
from sklearn.metrics import roc_auc_score

IMAGES, UNITS, CONSTANT = 60, 12, 7


def interval(area, m, n):
    def beyond(x, sign):
        half = (m + n) / 2 - 1
        variance = x * (1 - x) * (1 + half * ((1 - x) / (2 - x) + x / (1 + x))) / (m * n)
        return area - x - sign * norm.ppf(0.975) * np.sqrt(variance)

    low = 0.0 if area == 0 else brentq(beyond, 1e-12, area - 1e-12, args=(1,), xtol=1e-14)
    high = 1.0 if area == 1 else brentq(beyond, area + 1e-12, 1 - 1e-12, args=(-1,), xtol=1e-14)
    return low, high


def compared(column, sides):
    first, other = column[sides == 1], column[sides == 0]
    m, n = len(first), len(other)
    if np.ptp(np.concatenate([first, other])) == 0:
        return None
    area = roc_auc_score(sides[sides >= 0], column[sides >= 0])
    test = mannwhitneyu(first, other, alternative="two-sided", method="asymptotic")
    assert abs(test.statistic / (m * n) - area) < 1e-12
    pooled = np.sqrt(((m - 1) * first.var(ddof=1) + (n - 1) * other.var(ddof=1)) / (m + n - 2))
    low, high = interval(area, m, n)
    return {
        "area": area,
        "effect": (first.mean() - other.mean()) / pooled,
        "p": test.pvalue,
        "means": [first.mean(), other.mean()],
        "low": low,
        "high": high,
    }


def main():
    rng = np.random.default_rng(11)
    sides = rng.choice([1, 0, -1], p=[0.3, 0.55, 0.15], size=IMAGES)
    matrix = rng.normal(size=(IMAGES, UNITS)).round(1)
    # Some units rise for the group, some fall, one tells it apart perfectly, one is behind a ReLU.
    matrix[:, :5] += np.outer(sides == 1, [0.4, 1.0, 6.0, -0.5, -1.5])
    matrix[:, 5] = np.maximum(matrix[:, 5] + (sides == 1), 0)
    matrix[:, CONSTANT] = 0.7
    matrix = matrix.astype(np.float16).astype(np.float64)
    found = [compared(column, sides) for column in matrix.T]
    assert found[2]["area"] == 1 and found[CONSTANT] is None
    golden = {
        "columns": UNITS,
        "sides": sides.tolist(),
        "matrix": matrix.ravel().tolist(),
        "found": found,
        "adjusted": false_discovery_control([one["p"] for one in found if one], method="bh").tolist(),
    }
    path = Path(__file__).parents[2] / "lab/tests/golden/ranksum.json"
    path.write_text(json.dumps(golden) + "\n")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
