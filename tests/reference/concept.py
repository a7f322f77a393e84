"""Writes lab/tests/golden/concept.json: what NumPy and scikit-learn find in two groups of rows that are nearly degenerate.

Of ten units two are constant, one is constant but for a single image, one is another one's double, and one is a sum of two
others. All numbers are multiples of 1/64, so that single and double precision agree about ties.

    pip install -r tests/reference/requirements.txt
    python3 tests/reference/concept.py
"""

import json
import pathlib

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

ROOT = pathlib.Path(__file__).resolve().parents[2]
STRENGTH = 0.01
TERMS = 8


def sample():
    random = numpy.random.default_rng(11)
    labels = numpy.arange(120) % 3 == 0
    table = random.normal(size=(120, 10))
    table[:, 0] += 1.2 * labels
    table[:, 5] -= 0.9 * labels
    table[:, 7] += 0.6 * labels
    table = numpy.round(table * 64) / 64
    table[:, 1] = table[:, 0]
    table[:, 2] = 0.25
    table[:, 3] = 0
    table[:, 4] = 2 * table[:, 0] - table[:, 5]
    table[:, 6] = 1.5
    table[4, 6] += 1 / 64
    return table, labels


def fitted(rows, labels, weights=None, strength=STRENGTH):
    """Weights and intercept; the penalty is relative to the mean square length of a centred row."""
    square = ((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean()
    model = LogisticRegression(C=1 / (strength * square * len(rows)), class_weight="balanced", tol=1e-12, max_iter=100_000)
    model.fit(rows, labels)
    return model.coef_[0], model.intercept_[0]


def curved(train, labels, held_out):
    """A kernel logistic regression, as a linear one on the kernel's own coordinates, without an intercept."""
    square = lambda a, b: ((a[:, None] - b[None]) ** 2).sum(axis=2)
    distances = square(train, train)
    width = numpy.sort(distances.ravel())[(distances.size - 1) // 2]
    kernel = lambda squares: (numpy.exp(-squares / width) + 1) / 2
    values, vectors = numpy.linalg.eigh(kernel(distances))
    kept = values > 1e-12
    coordinates = vectors[:, kept] * numpy.sqrt(values[kept])
    share = numpy.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    model = LogisticRegression(C=1 / STRENGTH, fit_intercept=False, tol=1e-13, max_iter=1_000_000)
    model.fit(coordinates, labels, sample_weight=share)
    shares = vectors[:, kept] @ (model.coef_[0] / numpy.sqrt(values[kept]))
    return kernel(square(held_out, train)) @ shares


def main():
    table, labels = sample()
    held = numpy.arange(120) % 5 == 1
    train, held_out, truth, wanted = table[~held], table[held], labels[~held], labels[held]
    area = lambda scores: float(roc_auc_score(wanted, numpy.round(scores, 9)))
    aucs = numpy.array([roc_auc_score(truth, column) for column in train.T])
    best = int(numpy.abs(aucs - 0.5).argmax())
    low = bool(aucs[best] < 0.5)
    spread = train.std(axis=0)
    spread = numpy.where(spread > 0, spread, 1)
    standard = lambda rows: (rows - train.mean(axis=0)) / spread
    share = numpy.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())
    chosen, sums = [best], []
    while True:
        weights, intercept = fitted(standard(train)[:, chosen], truth)
        sums.append((chosen[-1], area(standard(held_out)[:, chosen] @ weights)))
        if len(chosen) == TERMS:
            break
        scores = standard(train)[:, chosen] @ weights + intercept
        products = numpy.abs(standard(train).T @ ((truth - 1 / (1 + numpy.exp(-scores))) * share))
        products[chosen] = -1
        chosen.append(int(products.argmax()))
    means = train[truth].mean(axis=0) - train[~truth].mean(axis=0)
    direction = fitted(train, truth)[0]
    direction = direction / numpy.linalg.norm(direction)
    control = numpy.zeros(10)
    control[[0, 5]] = 0.6, -0.8
    left = direction - (direction @ control) * control
    golden = {
        "train": [train[truth].tolist(), train[~truth].tolist()],
        "held_out": [held_out[wanted].tolist(), held_out[~wanted].tolist()],
        "control": control.tolist(),
        "aucs": aucs.tolist(),
        "unit": best,
        "low": low,
        "area": area(held_out[:, best] * (-1 if low else 1)),
        "sums": sums,
        "means": area(held_out @ means),
        "logistic": area(held_out @ direction),
        "direction": direction.tolist(),
        "curved": area(curved(train, truth, held_out)),
        "controlled": area(held_out @ left),
    }
    path = ROOT / "lab/tests/golden/concept.json"
    path.write_text(json.dumps(golden) + "\n")
    print({name: golden[name] for name in golden if name not in ("train", "held_out", "aucs")})


if __name__ == "__main__":
    main()
