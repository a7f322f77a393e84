"""Writes tests/golden/tables: small tables in Parquet as pyarrow and Hugging Face's `datasets` write them, and what they
read from them.

    python3 -m venv venv && venv/bin/pip install -r tests/reference/tables.txt
    venv/bin/python tests/reference/tables.py
"""

import hashlib
import io
import json
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
from PIL import Image

OUT = Path(__file__).parents[2] / "tests/golden/tables"
OUT.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)


def png(side):
    """A picture of noise, `side` x `side`."""
    bytes_ = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(bytes_, "PNG")
    return bytes_.getvalue()


expected = {}


def expect(name, rows):
    """`rows`: key, caption, label and the bytes of each picture that is read."""
    rows = [(key, caption, label, hashlib.sha256(data).hexdigest()) for key, caption, label, data in rows]
    expected[name] = rows


# As `datasets` writes it: pictures as structs, classes by number, several captions of a picture, one row without a
# picture, one of an unknown class.
pictures = [png(4 + at) for at in range(7)]
names = ["cat.png", "dog.png", None, "cat.png", None, "in/hen.png", "fox.png"]
classes = [0, 1, 2, 0, -1, 2, None]
captions = [["a cat", "felines"], ["a dog"], [], ["  another cat "], ["what is it?"], None, ["a fox"]]
features = datasets.Features(
    {
        "image": datasets.Image(),
        "label": datasets.ClassLabel(names=["cat", "dog", "hen"]),
        "caption": datasets.Sequence(datasets.Value("string")),
    }
)
cells = [{"bytes": data, "path": name} for data, name in zip(pictures, names)]
cells[2] = None
table = datasets.Dataset.from_dict({"image": cells, "label": classes, "caption": captions}, features=features)
table.to_parquet(OUT / "hugging.parquet", batch_size=3)
keys = ["cat", "dog", None, "cat.png", "row 4", "in/hen", "fox"]
label = lambda at: None if at in (None, -1) else ["cat", "dog", "hen"][at]
caption = lambda texts: texts[0].strip() if texts else None
found = datasets.load_dataset("parquet", data_files=str(OUT / "hugging.parquet"), split="train")
found = found.cast_column("image", datasets.Image(decode=False))
expect(
    "hugging",
    [
        (keys[at], caption(row["caption"]), label(row["label"]), row["image"]["bytes"])
        for at, row in enumerate(found)
        if row["image"] and row["image"]["bytes"]
    ],
)

# The same pictures in every way that pages are written and compressed: small and large pages of both versions, with and
# without dictionaries and statistics.
count = 60
pictures = [png(random.integers(2, 12)) for _ in range(count)]
pictures[7] = pictures[3]
plain = pa.table(
    {
        "jpg": pa.array(pictures, pa.binary()),
        "text": pa.array([f"picture {at}" if at % 5 else None for at in range(count)]),
        "n": pa.array([at % 3 for at in range(count)], pa.int32()),
        "kind": pa.array([["even", "odd"][at % 2] for at in range(count)]).dictionary_encode(),
    }
)
ways = {
    "snappy": {"row_group_size": 25},
    "zstd": {"compression": "zstd", "data_page_size": 500, "write_batch_size": 4, "data_page_version": "2.0"},
    "gzip": {"compression": "gzip", "data_page_size": 500, "write_batch_size": 4, "use_dictionary": False},
    "lz4": {"compression": "lz4", "row_group_size": 7, "use_dictionary": False, "write_statistics": False},
    "none": {"compression": "none", "data_page_size": 300, "write_batch_size": 2, "write_page_index": True},
    "brotli": {"compression": "brotli"},
}
for name, options in ways.items():
    pq.write_table(plain, OUT / f"{name}.parquet", **options)
    rows = pq.read_table(OUT / f"{name}.parquet").to_pylist()
    before = expected.get("packed")
    expect("packed", [(f"row {at}", row["text"], row["kind"], row["jpg"]) for at, row in enumerate(rows)])
    assert before in (None, expected["packed"])

# Paths of files, which the test writes; and addresses.
paths = pa.table(
    {
        "file_name": ["1.png", "in/2.png", None, "3.png", "https://example.org/4.png"],
        "species": ["cat", None, "dog", "hen", "fox"],
        "weight": pa.array([1.5, 2.0, None, 4.25, 5.0]),
        "wild": pa.array([False, True, None, False, True]),
    }
)
pq.write_table(paths, OUT / "paths.parquet")
pq.write_table(pa.table({"url": ["https://example.org/1.png"], "text": ["one"]}), OUT / "addresses.parquet")
# Pictures that were left where they are, and two columns of pictures.
struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
left = pa.array([{"bytes": None, "path": "/data/1.png"}, {"bytes": pictures[0], "path": "/data/2.png"}], struct)
pq.write_table(pa.table({"image": left}), OUT / "left.parquet")
two = pa.array([{"bytes": pictures[0], "path": None}], struct)
pq.write_table(pa.table({"left": two, "right": two, "mask": two, "n": [1]}), OUT / "several.parquet")


class Keys(pe.KmsClient):
    """Keys that are not secret."""

    def __init__(self, _):
        pe.KmsClient.__init__(self)

    def wrap_key(self, key, _):
        return key.hex()

    def unwrap_key(self, key, _):
        return bytes.fromhex(key)


factory = pe.CryptoFactory(Keys)
for name, is_plain in (("encrypted", False), ("sealed", True)):
    secret = pa.table({"jpg": pa.array([pictures[0]], pa.binary()), "url": ["x"]})
    configuration = pe.EncryptionConfiguration(footer_key="k", column_keys={"k": ["jpg"]}, plaintext_footer=is_plain)
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), configuration)
    pq.write_table(secret, OUT / f"{name}.parquet", encryption_properties=properties)

lines = [f'"{name}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]" for name, rows in expected.items()]
(OUT / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
