"""Which unit of a layer ranks the pictures of a concept highest, and whether two units together do better.

Reads a stored scan of the demonstration garden and the keywords in data/emoji.tar. A picture shows a concept
where the concept is a word of its caption or one of its keywords. Average precision: the mean, over the pictures
that do, of the share of such pictures among those ranked at least as high. The unit is chosen on the Noto
pictures and its precision also given on the Fluent ones, which had no part in the choice.

    cargo xtask site
    pip install numpy safetensors
    python3 tests/reference/concepts.py bird building face heart
    python3 tests/reference/concepts.py --units 42 401 -- heart
"""

import argparse
import json
import pathlib
import tarfile

import numpy
import safetensors.numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]


def blob(store, record, name):
    digest = record["outputs"][name]["digest"]
    return (store / "blobs" / digest[:2] / digest).read_bytes()


def scan(layer, rows):
    """The stored scan of `layer` over the data set of so many pictures: mean activations and keys."""
    store = ROOT / ".neuronotes/store/v1"
    for path in sorted((store / "records").glob("*/*.json")):
        record = json.loads(path.read_text())
        if record["kind"] == "scan" and record["request"]["params"]["layer"] == layer:
            keys = [sample["key"] for sample in json.loads(blob(store, record, "samples.json"))]
            if len(keys) == rows:
                tensors = safetensors.numpy.load(blob(store, record, "activations.safetensors"))
                return tensors["mean"].astype(numpy.float64), keys
    raise SystemExit(f"no stored scan of {layer}: run `cargo xtask site` first")


def average_precision(scores, positive):
    """Of each column of `scores` (pictures x units)."""
    order = numpy.argsort(-scores, axis=0, kind="stable")
    hits = positive[order]
    ranks = numpy.arange(1, len(scores) + 1)[:, None]
    return (hits * numpy.cumsum(hits, axis=0) / ranks).sum(axis=0) / positive.sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layer", default="visual.layer4.0.add")
    parser.add_argument("--units", nargs="+", type=int, help="rank by the sum of these, each in its SDs")
    parser.add_argument("concepts", nargs="+")
    arguments = parser.parse_args()

    samples = {}
    with tarfile.open(ROOT / "data/emoji.tar") as archive:
        for member in archive:
            if member.name.endswith(".json"):
                samples[member.name[:-5]] = json.load(archive.extractfile(member))
    activations, keys = scan(arguments.layer, len(samples))
    words = [set(samples[key]["caption"].lower().replace("-", " ").split()) | set(samples[key]["tags"]) for key in keys]
    noto = numpy.array([samples[key]["style"] == "noto" for key in keys])
    standard = (activations - activations.mean(axis=0)) / activations.std(axis=0)

    for concept in arguments.concepts:
        positive = numpy.array([concept in each for each in words])
        prevalence = f"{positive.sum()} of {len(keys)} pictures ({positive.mean():.3f})"
        if arguments.units:
            columns = {str(unit): standard[:, [unit]] for unit in arguments.units}
            columns[" + ".join(columns)] = standard[:, arguments.units].sum(axis=1, keepdims=True)
            for name, column in columns.items():
                parts = [average_precision(column[rows], positive[rows])[0] for rows in (noto | True, noto, ~noto)]
                print(f"{concept}: {prevalence}; unit {name}: AP {parts[0]:.2f}, Noto {parts[1]:.2f}, Fluent {parts[2]:.2f}")
        else:
            everywhere = average_precision(activations, positive)
            chosen = average_precision(activations[noto], positive[noto])
            best, unit = everywhere.argmax(), chosen.argmax()
            there = average_precision(activations[~noto][:, [unit]], positive[~noto])[0]
            print(
                f"{concept}: {prevalence}; best unit {best}, AP {everywhere[best]:.2f}; "
                f"chosen on Noto {unit}, AP {chosen[unit]:.2f}, on Fluent {there:.2f}"
            )


if __name__ == "__main__":
    main()
