"""Reference for lines of probes: `lab/tests/golden/lines.json` by NumPy and scikit-learn.

    python tests/reference/lines.py

A multinomial logistic regression on standardised units, one of which never varies; each class's line, alone and against that of
another class, as a unit vector; the area under the ROC curve of held-out rows along it; and what a shift of the rows, as a text
over pictures would be, does to the answers of the regression among some of its classes.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

ROWS, UNITS, CLASSES = 90, 7, 4
CONSTANT = 5
# The classes that the answers are chosen from, and the target of the shift among them.
CHOICE, TARGET = [3, 0, 2], 1


def numbers(array):
    return [float(f"{x:.12g}") for x in np.asarray(array, dtype=np.float64).ravel()]


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def main():
    rng = np.random.default_rng(18)
    truth = rng.integers(0, CLASSES, size=ROWS)
    means = 0.7 * rng.normal(size=(CLASSES, UNITS))
    rows = (means[truth] + rng.normal(size=(ROWS, UNITS))) * rng.uniform(0.1, 8.0, size=UNITS)
    rows = (rows + rng.normal(size=UNITS)).astype(np.float16)
    rows[:, CONSTANT] = 0.75
    double = rows.astype(np.float64)
    train = np.arange(ROWS) < 60

    mean, sd = double[train].mean(0), double[train].std(0)
    scale = np.where(sd > 0, 1 / np.where(sd > 0, sd, 1), 0)
    fitted = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000)
    fitted.fit((double[train] - mean) * scale, truth[train])
    # As they are stored.
    weights, bias, mean, sd = (
        np.asarray(x, dtype=np.float32).astype(np.float64)
        for x in (fitted.coef_, fitted.intercept_, mean, sd)
    )
    scale = np.where(sd > 0, 1 / np.where(sd > 0, sd, 1), 0)

    lines = []
    for one, against in [(1, None), (1, 3), (0, 2)]:
        line = weights[one] * scale
        if against is not None:
            line = line - weights[against] * scale
        length = np.linalg.norm(line)
        held = ~train & ((truth == one) | (against is None) | (truth == against))
        auc = roc_auc_score(truth[held] == one, double[held] @ (line / length))
        lines.append(
            {"class": one, "against": against, "norm": numbers(length)[0], "auc": float(auc)}
            | {"vector": numbers(line / length)}
        )

    def answers(rows):
        logits = ((rows - mean) * scale) @ weights.T + bias
        return softmax(logits[:, CHOICE])

    toward = (weights[CHOICE[TARGET]] - weights.mean(0)) * np.where(sd > 0, sd, 0)
    # Every fourth row is shifted away from the target.
    signs = np.where(np.arange(ROWS) % 4 == 0, -0.6, 0.6)[:, None]
    shifted = (double + signs * toward).astype(np.float16)
    before, after = answers(double), answers(shifted.astype(np.float64))
    was, now = before.argmax(1) == TARGET, after.argmax(1) == TARGET
    golden = {
        "units": UNITS,
        "weights": numbers(weights),
        "bias": numbers(bias),
        "mean": numbers(mean),
        "sd": numbers(sd),
        "rows": numbers(double),
        "truth": truth.tolist(),
        "train": int(train.sum()),
        "lines": lines,
        "choice": CHOICE,
        "target": TARGET,
        "shifted": numbers(shifted),
        "before": numbers(before),
        "after": numbers(after),
        "changed_to": int((~was & now).sum()),
        "already_equal": int((was & now).sum()),
        "changed_away": int((was & ~now).sum()),
        "neither": int((~was & ~now).sum()),
    }
    path = Path(__file__).resolve().parents[2] / "lab/tests/golden/lines.json"
    path.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
