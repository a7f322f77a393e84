"""Reference for similarities of units: `similarity.json` and `clusters.json` in `lab/tests/golden`, by NumPy, SciPy and scikit-learn.

    python tests/reference/similarity.py

A matrix of activations, images by units, some of them correlated and one constant; the units' correlations with each other and
with a direction, by NumPy; and the units' coordinates along two principal components of their standardised activations, by
scikit-learn. The sign of a component is such that its largest coordinate in absolute value is positive. And things in a plane divided into groups by Ward's criterion, from
SciPy's tree and by scikit-learn, which must agree. The largest group is 0; of groups of one size, the one whose first thing comes first.
"""

import json
from pathlib import Path

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.cluster import AgglomerativeClustering
from sklearn.decomposition import PCA

IMAGES, UNITS = 40, 9
CONSTANT = 4


def rounded(numbers):
    return [float(f"{x:.12g}") for x in np.asarray(numbers).ravel()]


def numbered(groups):
    """The groups by their sizes, the largest 0."""
    first = {group: at for at, group in reversed(list(enumerate(groups)))}
    order = sorted(first, key=lambda group: (-list(groups).count(group), first[group]))
    return [order.index(group) for group in groups]


def clusters():
    rng = np.random.default_rng(19)
    places = np.concatenate([rng.normal(loc=3 * rng.normal(size=5), size=(size, 5)) for size in (20, 12, 9, 4)])
    places = rng.permutation(places).round(6)
    tree = linkage(pdist(places), method="ward")
    groups = {}
    for count in range(2, 9):
        by_scipy = numbered(fcluster(tree, count, criterion="maxclust"))
        by_sklearn = numbered(AgglomerativeClustering(count, linkage="ward").fit_predict(places))
        assert by_scipy == by_sklearn, count
        groups[count] = by_scipy
    return {"places": [rounded(place) for place in places], "groups": groups}


def write(name, golden):
    path = Path(__file__).parents[2] / "lab/tests/golden" / name
    path.write_text(json.dumps(golden) + "\n")
    print(f"wrote {path}")


def main():
    write("clusters.json", clusters())
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
    write("similarity.json", golden)


if __name__ == "__main__":
    main()
