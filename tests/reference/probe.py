"""Writes lab/tests/golden/probe.json: multinomial regressions by scikit-learn, which the lab's are compared with.

The rows have 12 correlated units of different scales, one of them constant, and images of four classes, of which one is rare.
"""

import json
from pathlib import Path

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden/probe.json"
IMAGES, UNITS, CLASSES = 160, 12, 4
RIDGE = [1e-1, 1e-2, 1e-3]
LASSO = [5e-2, 2e-2, 5e-3]


def sample():
    rng = numpy.random.default_rng(1)
    rows = rng.normal(size=(IMAGES, UNITS)) @ (numpy.eye(UNITS) + 0.3 * rng.normal(size=(UNITS, UNITS)))
    truth = rng.choice(CLASSES, size=IMAGES, p=[0.4, 0.3, 0.22, 0.08])
    for row, label in enumerate(truth):
        rows[row, label] += 1.5
        rows[row, 4 + label % 2] -= 0.8
    rows = rows * numpy.geomspace(0.05, 20, UNITS) + numpy.linspace(-3, 3, UNITS)
    rows[:, 7] = 0.25
    return rows.round(5), truth


def standardised(rows):
    deviation = rows.std(0)
    return (rows - rows.mean(0)) / numpy.where(deviation > 1e-12, deviation, 1)


def objective(fitted, columns, truth, strength, size):
    chance = fitted.predict_proba(columns)[numpy.arange(len(truth)), truth]
    return float(-numpy.log(chance).mean() + strength * size(fitted.coef_))


def main():
    rows, truth = sample()
    columns = standardised(rows)
    known = {"rows": rows.tolist(), "truth": truth.tolist(), "ridge": [], "lasso": []}
    for name, strengths in [("ridge", RIDGE), ("lasso", LASSO)]:
        for strength in strengths:
            wanted = {"C": 1 / (strength * IMAGES), "tol": 1e-12, "max_iter": 1_000_000, "random_state": 0}
            if name == "ridge":
                fitted = LogisticRegression(solver="lbfgs", **(wanted | {"tol": 1e-10})).fit(columns, truth)
                value = objective(fitted, columns, truth, strength, lambda w: (w**2).sum() / 2)
            else:
                fitted = LogisticRegression(l1_ratio=1, solver="saga", **wanted).fit(columns, truth)
                value = objective(fitted, columns, truth, strength, lambda w: abs(w).sum())
            biases = fitted.intercept_ - fitted.intercept_.mean()
            known[name].append({"strength": strength, "value": value, "weights": fitted.coef_.round(9).tolist(),
                                "biases": biases.round(9).tolist()})
    scores = columns[:, 0].round(1)
    known["auc"] = float(roc_auc_score(truth == 0, scores))
    known["scores"] = scores.tolist()
    GOLDEN.write_text(json.dumps(known) + "\n")


main()
