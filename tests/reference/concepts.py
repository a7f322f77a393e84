"""Which unit of a layer ranks the pictures of a concept highest, and whether it ranks its written names high too.

Reads the stored scans of the demonstration garden, and names and keywords in data/concepts.json. A picture or a word
shows a concept where the concept is a word of its name or one of its keywords. Average precision: the mean, over
those that do, of the share of such among those ranked at least as high; by chance it is about their share of all. The unit is
chosen on the pictures in Noto's style alone; those in the other styles and the words had no part in the choice.

    cargo xtask site
    pip install numpy safetensors
    python3 tests/reference/concepts.py bird building face heart
    python3 tests/reference/concepts.py --units 42 401 -- heart
"""

import argparse
import json
import pathlib

import numpy
import safetensors.numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]


def blob(store, record, name):
    digest = record["outputs"][name]["digest"]
    return (store / "blobs" / digest[:2] / digest).read_bytes()


def scans(layer):
    """The stored scans of `layer` by the data set's format: mean activations and samples."""
    store = ROOT / ".neuronotes/store/v1"
    found = {}
    for path in sorted((store / "records").glob("*/*.json")):
        record = json.loads(path.read_text())
        if record["kind"] == "scan" and record["request"]["params"]["layer"] == layer:
            samples = json.loads(blob(store, record, "samples.json"))
            tensors = safetensors.numpy.load(blob(store, record, "activations.safetensors"))
            found[len(samples)] = (tensors["mean"].astype(numpy.float64), samples)
    return found


def average_precision(scores, positive):
    """Of each column of `scores` (samples x units)."""
    order = numpy.argsort(-scores, axis=0, kind="stable")
    hits = positive[order]
    ranks = numpy.arange(1, len(scores) + 1)[:, None]
    return (hits * numpy.cumsum(hits, axis=0) / ranks).sum(axis=0) / positive.sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layer", default="visual.layer4.1.add")
    parser.add_argument("--units", nargs="+", type=int, help="rank by each of these and by their sum, in their SDs")
    parser.add_argument("concepts", nargs="+")
    arguments = parser.parse_args()

    concepts = json.loads((ROOT / "data/concepts.json").read_text())
    said = {each["name"]: set(each["name"].replace("-", " ").split()) | set(each["keywords"]) for each in concepts}
    stored = scans(arguments.layer)
    try:
        drawn, pictures = stored[3 * len(concepts)]
        written, words = stored[len(concepts)]
    except KeyError:
        raise SystemExit(f"{arguments.layer} is not scanned over both pictures and words: run `cargo xtask site` first")
    of_pictures = [said[sample["caption"]] for sample in pictures]
    of_words = [said[sample["caption"]] for sample in words]
    noto = numpy.array([sample["key"].endswith("--noto") for sample in pictures])

    def standard(activations):
        return (activations - activations.mean(axis=0)) / activations.std(axis=0)

    for concept in arguments.concepts:
        shown = numpy.array([concept in each for each in of_pictures])
        named = numpy.array([concept in each for each in of_words])
        print(f"{concept}: {named.sum()} of {len(words)} names, by chance {named.mean():.3f}")
        if arguments.units:
            columns = {str(unit): [unit] for unit in arguments.units} | {"their sum": arguments.units}
        else:
            unit = int(average_precision(drawn[noto], shown[noto]).argmax())
            columns = {f"{unit}, chosen on Noto": [unit]}
        for name, units in columns.items():
            seen = standard(drawn)[:, units].sum(axis=1, keepdims=True)
            read = standard(written)[:, units].sum(axis=1, keepdims=True)
            parts = [
                ("Noto", seen[noto], shown[noto]),
                ("other styles", seen[~noto], shown[~noto]),
                ("words", read, named),
            ]
            precisions = ", ".join(f"{part} {average_precision(*rows)[0]:.2f}" for part, *rows in parts)
            print(f"  unit {name}: {precisions}")


if __name__ == "__main__":
    main()
