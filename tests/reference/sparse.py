"""Writes lab/tests/golden/sparse.safetensors: sparse regressions by scikit-learn, on random numbers.

x [rows, columns] with columns of length 1, y [rows]; coefficients of `Lasso` without an intercept for three penalties,
signed and non-negative, and of `orthogonal_mp` with one to six terms. NumPy, safetensors and scikit-learn are enough."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import Lasso, orthogonal_mp

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden/sparse.safetensors"
ROWS, COLUMNS, TERMS = 40, 90, 6
random = np.random.default_rng(0)

x = random.standard_normal((ROWS, COLUMNS))
# Neighbours resemble each other, as the embeddings of words do.
x[:, 1:] += 0.5 * x[:, :-1]
x /= np.linalg.norm(x, axis=0)
code = np.zeros(COLUMNS)
code[random.choice(COLUMNS, TERMS, replace=False)] = random.uniform(0.5, 2, TERMS) * random.choice([-1, 1], TERMS)
y = x @ code + 0.02 * random.standard_normal(ROWS)
penalties = np.abs(x.T @ y).max() / ROWS * np.array([0.5, 0.1, 0.02])


def lasso(positive):
    fits = [
        Lasso(alpha=penalty, fit_intercept=False, positive=positive, max_iter=1_000_000, tol=1e-12).fit(x, y)
        for penalty in penalties
    ]
    return np.stack([fit.coef_ for fit in fits])


pursuit = np.stack([orthogonal_mp(x, y, n_nonzero_coefs=terms) for terms in range(1, TERMS + 1)])
tensors = {"x": x, "y": y, "penalties": penalties, "signed": lasso(False), "positive": lasso(True), "pursuit": pursuit}
save_file({name: np.ascontiguousarray(tensor, dtype=np.float64) for name, tensor in tensors.items()}, GOLDEN)
print(f"{GOLDEN.name}: {GOLDEN.stat().st_size:,} bytes; terms", [int((row != 0).sum()) for row in tensors["signed"]])
