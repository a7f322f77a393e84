"""Prints sparse codes of texts in units of the bundled network, by NumPy and scikit-learn: what `sparse_code` measures.

    python3 tests/reference/codes.py --penalty 1.41807 "red heart" "blue heart" star sun wolf guitar
    python3 tests/reference/codes.py --terms 4 --control 20 "red heart" "blue heart" star sun wolf guitar

The text tower, the matrix that the embedding reads the last layer by, attribution vectors, and for each text the coefficients
of scikit-learn's `Lasso` at a penalty λ, or at the last of a path of penalties before there are more than so many terms; then those of a pursuit
to the centred embedding. `--control` gives the mean correlation also for so many matrices whose rows have random directions and the lengths of the network's.
NumPy, scikit-learn, safetensors and open_clip (its tokenizer alone) are enough."""

import argparse
from pathlib import Path

import numpy as np
from open_clip.tokenizer import SimpleTokenizer
from safetensors.numpy import load_file
from sklearn.linear_model import Lasso, orthogonal_mp

FILE = Path(__file__).parents[2] / "models/emoji-clip.safetensors"
W = {name: tensor.astype(np.float64) for name, tensor in load_file(FILE).items()}
TOKENS = SimpleTokenizer()


def norm(x, key):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5) * W[f"{key}.weight"] + W[f"{key}.bias"]


def linear(x, key):
    return x @ W[f"{key}.weight"].T + W[f"{key}.bias"]


def embed(text):
    """The normalised embedding of a text; each block has one head, and no token sees a later one."""
    tokens = [TOKENS.sot_token_id, *TOKENS.encode(text), TOKENS.eot_token_id]
    x = W["token_embedding.weight"][tokens] + W["positional_embedding"][: len(tokens)]
    later = np.triu(np.full((len(tokens), len(tokens)), -np.inf), 1)
    for block in range(2):
        key = f"transformer.resblocks.{block}"
        q, k, v = np.split(
            norm(x, f"{key}.ln_1") @ W[f"{key}.attn.in_proj_weight"].T + W[f"{key}.attn.in_proj_bias"], 3, -1
        )
        scores = q @ k.T / np.sqrt(q.shape[-1]) + later
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        x = x + linear(weights / weights.sum(-1, keepdims=True) @ v, f"{key}.attn.out_proj")
        hidden = linear(norm(x, f"{key}.ln_2"), f"{key}.mlp.c_fc")
        x = x + linear(hidden / (1 + np.exp(-1.702 * hidden)), f"{key}.mlp.c_proj")
    feature = norm(x[-1], "ln_final") @ W["text_projection"]
    return feature / np.linalg.norm(feature)


def show(text, terms):
    print(f"{text}: " + ", ".join(f"{unit}: {number:.5g}" for unit, number in sorted(terms, key=lambda t: -abs(t[1]))))


def tell_apart(x, at, most, penalty):
    """scikit-learn's coefficients, and their correlation with which text it is."""
    y = np.eye(len(x))[at] - 1 / len(x)
    fit = lambda alpha: Lasso(alpha=alpha, fit_intercept=False, max_iter=1_000_000, tol=1e-9).fit(x, y)
    best = fit(penalty / (2 * len(y))) if penalty else None
    if not penalty:
        top = np.abs(x.T @ y).max() / len(y)
        for alpha in top * np.geomspace(1, 1e-3, 61)[1:]:
            found = fit(alpha)
            if (found.coef_ != 0).sum() > most:
                break
            best = found
    code = best.coef_
    return code, np.corrcoef(x @ code, y)[0, 1], np.linalg.norm(y - x @ code) / np.linalg.norm(y)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--terms", type=int, default=4)
    parser.add_argument("--penalty", type=float)
    parser.add_argument("--control", type=int, default=0)
    parser.add_argument("texts", nargs="+")
    asked = parser.parse_args()
    embeddings = np.stack([embed(text) for text in asked.texts])
    effects = W["visual.attnpool.v_proj.weight"].T @ W["visual.attnpool.c_proj.weight"].T  # [units, embedding]
    centred = embeddings - embeddings.mean(0)
    found = []
    for at, text in enumerate(asked.texts):
        code, correlation, residual = tell_apart(centred @ effects.T, at, asked.terms, asked.penalty)
        show(text, [(unit, code[unit]) for unit in np.flatnonzero(code)])
        print(f"  correlation {correlation:.4f}, residual {residual:.4f}")
        found.append(correlation)
    print(f"mean correlation {np.mean(found):.3f}")
    random = np.random.default_rng(0)
    lengths = np.linalg.norm(effects, axis=1)
    chance = []
    for _ in range(asked.control):
        drawn = random.standard_normal(effects.shape)
        drawn *= (lengths / np.linalg.norm(drawn, axis=1))[:, None]
        x = centred @ drawn.T
        chance.append(np.mean([tell_apart(x, at, asked.terms, asked.penalty)[1] for at in range(len(x))]))
    if chance:
        print(f"random directions: mean {np.mean(chance):.3f}, from {min(chance):.3f} to {max(chance):.3f}")
    print("pursuit, to the centred embedding:")
    for text, z in zip(asked.texts, centred):
        z = z / np.linalg.norm(z)
        code = orthogonal_mp(effects.T / lengths, z, n_nonzero_coefs=asked.terms) / lengths
        show(text, [(unit, code[unit]) for unit in np.flatnonzero(code)])
        print(f"  cosine {z @ effects.T @ code / np.linalg.norm(effects.T @ code):.4f}")


if __name__ == "__main__":
    main()
