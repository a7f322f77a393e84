"""Reference for the kind `selectivity`: `lab/tests/golden/selectivity.json`, by scikit-learn and NumPy.

    python tests/reference/selectivity.py

Scores of images, some of them positive: the area under the ROC curve and the average precision by scikit-learn, both curves, and the
percentile intervals of a stratified bootstrap by NumPy (20,000 resamples, twice, to see how far such an interval moves). And a family of
units over few images, of which every group of that size is tried: the standardised statistics of Mann and Whitney, each unit's exact
p-value, and the exact p-value of the largest of all units (max-T, single step).
"""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

RESAMPLES = 20_000


def boot(scores, positive, rng):
    first, other = np.flatnonzero(positive), np.flatnonzero(~positive)
    found = []
    for _ in range(RESAMPLES // 10 if len(scores) > 500 else RESAMPLES):
        drawn = np.concatenate([rng.choice(first, len(first)), rng.choice(other, len(other))])
        found.append((roc_auc_score(positive[drawn], scores[drawn]), average_precision_score(positive[drawn], scores[drawn])))
    return np.quantile(found, [0.025, 0.975], axis=0).T


def case(scores, positive, rng):
    area, precision = boot(scores, positive, rng)
    fpr, tpr, _ = roc_curve(positive, scores, drop_intermediate=False)
    found, recall, _ = precision_recall_curve(positive, scores)
    return {
        "scores": scores.tolist(),
        "positive": positive.astype(int).tolist(),
        "area": roc_auc_score(positive, scores),
        "precision": average_precision_score(positive, scores),
        "area_interval": area.tolist(),
        "precision_interval": precision.tolist(),
        "roc": {"fpr": fpr.tolist(), "tpr": tpr.tolist()},
        "curve": {"recall": recall.tolist(), "precision": found.tolist()},
    }


def family(rng):
    images, units, size = 14, 6, 4
    columns = rng.normal(size=(units, images)).round(1)
    columns[1] = np.maximum(columns[1], 0)
    columns[2] = np.maximum(columns[2] - 1, 0)
    group = [1, 4, 8, 11]
    columns[3, group] += 1.5
    columns[4, group] -= 2
    columns[5, group] = 9
    columns = columns.astype(np.float16).astype(float)
    ranks = np.array([rankdata(column) for column in columns])
    ties = np.array([sum(t**3 - t for t in np.unique(column, return_counts=True)[1]) for column in columns])
    variance = size * (images - size) / 12 * ((images + 1) - ties / (images * (images - 1)))

    def statistics(of):
        return (ranks[:, list(of)].sum(axis=1) - size * (images + 1) / 2) / np.sqrt(variance)

    z = statistics(group)
    every = np.array([statistics(of) for of in combinations(range(images), size)])
    out = {
        "columns": columns.tolist(),
        "group": group,
        "area": [roc_auc_score(np.isin(np.arange(images), group), column) for column in columns],
    }
    for name, of in [("higher", lambda x: x), ("either", np.abs)]:
        reached = of(every)
        out[name] = {
            "z": z.tolist(),
            "p": [(reached.max(axis=1) >= one - 1e-9).mean() for one in of(z)],
            "alone": [(reached[:, at] >= one - 1e-9).mean() for at, one in enumerate(of(z))],
        }
    return out


def main():
    rng = np.random.default_rng(20)

    def scores(m, n, away, digits):
        positive = np.zeros(m + n, bool)
        positive[:m] = True
        rng.shuffle(positive)
        return (rng.normal(size=m + n) + away * positive).round(digits), positive

    cases = [scores(20, 60, 1.0, 3), scores(30, 30, 0.3, 1), scores(12, 800, 2.0, 2), scores(50, 10, -0.5, 0)]
    relu, positive = scores(25, 90, 0.8, 2)
    cases.append((np.maximum(relu - 0.5, 0), positive))
    golden = {"found": [case(*one, rng) for one in cases], "family": family(rng)}
    path = Path(__file__).parents[2] / "lab/tests/golden/selectivity.json"
    path.write_text(json.dumps(golden) + "\n")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
