"""Prints the article's emotion equations out of data/emotions.json, as a table in Markdown: as the regression found them, and
after the article's clean-up; units that it leaves out are in italics. A second implementation of the rule in core/src/kind/sparse_code/clean.rs; it stops if an
equation is not the published one. Needs nothing but Python."""

import json
from pathlib import Path

DATA = json.loads((Path(__file__).parents[2] / "data/emotions.json").read_text())
DROPPED = set(DATA["dropped"])


def name(unit):
    text = f"{unit} {DATA['names'].get(str(unit), '')}".strip()
    return f"*{text}*" if unit in DROPPED else text


def line(terms, digits):
    signs = ["−" if number < 0 else "" if at == 0 else "+" for at, (_, number) in enumerate(terms)]
    parts = [f"{sign} {abs(number):.{digits}f} · {name(unit)}".strip() for sign, (unit, number) in zip(signs, terms)]
    return " ".join(parts)


print("| emotion | as found | cleaned |\n|:--|:--|:--|")
for emotion in DATA["emotions"]:
    left = [(unit, number) for unit, number in emotion["coefficients"] if unit not in DROPPED]
    largest = max(number for _, number in left)
    scaled = sorted(((unit, number / largest) for unit, number in left), key=lambda term: (term[1] < 0, -abs(term[1])))
    cleaned = [(unit, round(number, 2)) for unit, number in scaled[:4] if abs(number) > 0.05]
    assert cleaned == [tuple(term) for term in emotion["published"]], emotion["word"]
    found = sorted(emotion["coefficients"], key=lambda term: -abs(term[1]))
    print(f"| {emotion['word']} | {line(found, 1)} | {line(cleaned, 2)} |")
