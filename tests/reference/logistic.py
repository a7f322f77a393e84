"""Writes lab/tests/golden/logistic.json: logistic regressions between two kinds of rows by scikit-learn, and AUCs.

    pip install -r tests/reference/requirements.txt
    python3 tests/reference/logistic.py
"""

import json
import pathlib

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    random = numpy.random.default_rng(7)
    rows, columns = 60, 8
    labels = numpy.arange(rows) % 3 == 0  # the kinds are not equally frequent
    planted = numpy.array([1.5, -1.0, 0.5, 0, 0, 0, 0, 0])
    table = random.normal(size=(rows, columns)) * numpy.array([1, 2, 0.5, 1, 3, 1, 1, 0.2])
    table = numpy.round(table + labels[:, None] * planted + 4.0, 3)  # an intercept matters
    centred = table - table.mean(axis=0)
    square = (centred**2).sum(axis=1).mean()
    fits, aucs = [], []
    for strength in (1e-3, 1e-2, 1.0):
        model = LogisticRegression(
            C=1 / (strength * square * rows), class_weight="balanced", tol=1e-12, max_iter=100_000
        )
        model.fit(table, labels)
        weights = model.coef_[0]
        fits.append((strength, [float(weight) for weight in weights], float(model.intercept_[0])))
        aucs.append(float(roc_auc_score(labels, numpy.round(table @ weights, 1))))  # with ties
    golden = {"rows": table.tolist(), "labels": labels.tolist(), "fits": fits, "aucs": aucs}
    path = ROOT / "lab/tests/golden/logistic.json"
    path.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
