"""Writes data/yellow.parquet out of data/emoji.tar, as Hugging Face's `datasets` writes pictures: what Twemoji draws mostly in
yellow, as a face, a hand, a person or a thing.

    python3 -m venv venv && venv/bin/pip install -r tests/reference/tables.txt
    venv/bin/python tests/reference/yellow.py
"""

import io
import json
import tarfile
from pathlib import Path

import datasets
import numpy as np
from PIL import Image

DATA = Path(__file__).parents[2] / "data"
KINDS = ["face", "hand", "person", "thing"]


def share(picture):
    """The share of yellow pixels among those that are not white."""
    hsv = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB").convert("HSV")).reshape(-1, 3)
    hue, saturation, value = hsv.astype(int).T
    drawn = (saturation >= 30) | (value <= 235)
    return ((hue >= 24) & (hue <= 46) & (saturation > 110) & (value > 180))[drawn].mean()


def kind(about):
    """By Unicode's names, groups and keywords."""
    if about["group"] == "people-body":
        return "hand" if "hand" in about["tags"] else "person"
    return "face" if about["caption"].endswith(" face") else "thing"


files = {}
with tarfile.open(DATA / "emoji.tar") as archive:
    for member in archive.getmembers():
        key, ending = member.name.rsplit(".", 1)
        files.setdefault(key, {})[ending] = archive.extractfile(member).read()
rows = []
for key, parts in sorted(files.items()):
    about = json.loads(parts["json"])
    if about["style"] == "twemoji" and share(parts["png"]) > 0.5:
        image = {"bytes": parts["png"], "path": f"{key}.png"}
        rows.append({"image": image, "caption": about["caption"], "kind": KINDS.index(kind(about))})
features = {"image": datasets.Image(), "caption": datasets.Value("string"), "kind": datasets.ClassLabel(names=KINDS)}
columns = {name: [row[name] for row in rows] for name in features}
table = datasets.Dataset.from_dict(columns, features=datasets.Features(features))
table.to_parquet(DATA / "yellow.parquet")
for number, name in enumerate(KINDS):
    names = [row["caption"] for row in rows if row["kind"] == number]
    print(len(names), name, names)
