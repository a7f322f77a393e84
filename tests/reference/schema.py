"""Checks `neuronotes kinds --schema` with another program's validator: every example of a kind and every block of the
notes is valid, and blocks with one mistake each are not.

    python3 tests/reference/schema.py target/release/neuronotes
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]

WRONG = """
kind: nothing
---
layer: a
---
kind: dataset_examples
layer: a
---
{kind: dataset_examples, layer: a, unit: -1}
---
{kind: dataset_examples, layer: a, unit: 1, top: 1000}
---
{kind: dataset_examples, layer: a, unit: 1, order: best}
---
{kind: dataset_examples, layer: a, unit: 1, layr: b}
---
{kind: feature_vis, unit: 1, images: 17}
---
{kind: feature_vis, unit: 1, sweep: {caption: [a, b]}}
---
{kind: feature_vis, layer: a, sweep: {unit: [1, 1]}}
---
{kind: feature_vis, sweep: {unit: [1], steps: [1], size: [32]}}
---
{kind: text_rank, texts: [a]}
---
{kind: text_rank, texts: [a], direction: {text: a, image: b}}
---
{kind: text_rank, texts: [a], direction: {text: a, weight: 2}}
---
{kind: text_rank, texts: [a], direction: {sum: [{weight: 2}]}}
---
{kind: text_rank, texts: [a], direction: {sum: [{text: a, weight: 0}]}}
---
{kind: text_rank, texts: [a], direction: {units: {a: 1}}}
---
{kind: zero_shot, classes: [a], templates: [b]}
---
{kind: facet, most: 5}
"""

RIGHT = """
{kind: feature_vis, layer: a, sweep: {unit: [1, 2], recipe: [paper, maco]}}
---
{kind: feature_vis, layer: a, units: {3: 1, 7: -0.5}}
---
{kind: text_rank, texts: words, direction: {sum: [{use: [a, b]}, {units: [1, 2], weight: -1}]}}
---
{kind: zero_shot, classes: {cat: [cat, kitten], dog: dog}, dataset: 007}
"""


def plain(value):
    """YAML as JSON has it: keys are text, and so are days."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    known = value is None or isinstance(value, (bool, int, float, str))
    return value if known else str(value)


def blocks(text):
    return re.findall(r"^```yaml analysis\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def main(program):
    def said(*arguments):
        command = [Path(program).resolve(), "kinds", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout

    schema = json.loads(said("--schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    texts = {kind: said(kind) for kind in schema["$defs"]}
    texts |= {path.name: path.read_text() for path in sorted((ROOT / "notes").rglob("*.md"))}
    count = 0
    for name, text in texts.items():
        for block in blocks(text):
            errors = [error.message for error in validator.iter_errors(plain(yaml.safe_load(block)))]
            assert not errors, (name, block, errors)
            count += 1
    right = [plain(block) for block in yaml.safe_load_all(RIGHT)]
    wrong = [plain(block) for block in yaml.safe_load_all(WRONG)]
    assert all(validator.is_valid(block) for block in right), "a right block is not valid"
    accepted = [block for block in wrong if validator.is_valid(block)]
    assert not accepted, accepted
    print(f"{count} blocks are valid, {len(wrong)} wrong ones are not")


if __name__ == "__main__":
    main(*sys.argv[1:])
