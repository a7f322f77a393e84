"""Reference for similarities of units: `lab/tests/golden/similarity.json` by NumPy and scikit-learn.

    python tests/reference/similarity.py

A matrix of activations, images by units, some of them correlated and one constant; the units' correlations with each other and
with a direction, by NumPy; and the units' coordinates along two principal components of their standardised activations, by
scikit-learn. The sign of a component is such that its largest coordinate in absolute value is positive.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

IMAGES, UNITS = 40, 9
CONSTANT = 4


def rounded(numbers):
    return [float(f"{x:.12g}") for x in np.asarray(numbers).ravel()]


def main():
    rng = np.random.default_rng(18)
    causes = rng.normal(size=(IMAGES, 3))
    # Three causes behind nine units, of different scales and offsets.
    matrix = causes @ rng.normal(size=(3, UNITS)) + 0.4 * rng.normal(size=(IMAGES, UNITS))
    matrix = matrix * rng.uniform(0.2, 5.0, size=UNITS) + rng.normal(size=UNITS)
    matrix[:, CONSTANT] = 0.7
    matrix = matrix.astype(np.float32)
    double = matrix.astype(np.float64)

    varying = [unit for unit in range(UNITS) if unit != CONSTANT]
    correlations = np.corrcoef(double[:, varying].T)
    direction = rng.normal(size=UNITS)
    along = double @ direction
    with_direction = [np.corrcoef(double[:, unit], along)[0, 1] for unit in varying]

    standard = (double[:, varying] - double[:, varying].mean(0)) / double[:, varying].std(0)
    pca = PCA(n_components=2, svd_solver="full")
    # The units are the samples. Inner products in the lab are divided by the number of images.
    places = pca.fit_transform(standard.T) / np.sqrt(IMAGES)
    for axis in range(2):
        column = places[:, axis]
        if column[np.argmax(np.abs(column))] < 0:
            places[:, axis] = -column
    kurtosis = (standard**4).mean(0) - 3

    golden = {
        "images": IMAGES,
        "units": UNITS,
        "constant": CONSTANT,
        "matrix": [float(x) for x in matrix.ravel()],
        "direction": rounded(direction),
        "correlations": rounded(correlations),
        "with_direction": rounded(with_direction),
        "kurtosis": rounded(kurtosis),
        "places": rounded(places),
        "explained": rounded(pca.explained_variance_ratio_),
    }
    path = Path(__file__).parents[2] / "lab/tests/golden/similarity.json"
    path.write_text(json.dumps(golden) + "\n")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
