"""Writes lab/tests/golden/texts.json: what zero_shot and text_rank have to find with models/emoji-clip.safetensors,
computed by open_clip, its tokenizer, Pillow and NumPy.

    python3 -m venv venv && venv/bin/pip install -r tests/reference/requirements.txt
    venv/bin/python tests/reference/texts.py
"""

import io
import json
import tarfile
from pathlib import Path

import numpy
import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from open_clip.tokenizer import SimpleTokenizer
from PIL import Image
from safetensors.torch import load_file

ROOT = Path(__file__).parents[2]
CONTEXT = 16
SIDE = 96
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
TEMPLATES = ["{}", "a photo of a {}."]
# Label and what prompts call it.
CLASSES = [["kimono", ["kimono"]], ["running shirt", ["running shirt"]], ["bicycle", ["bicycle", "bike"]], ["wolf", ["wolf"]],
           ["pizza", ["pizza"]], ["Guitar", ["guitar"]], ["frog", ["frog"]], ["pear", ["pear"]]]
OTHERS = ["shrimp", "red heart"]
TEXTS = ["strawberry", "leafy green", "tomato", "frog face", "red heart", "cactus", "brick", "ear of corn"]


def network():
    tensors = {name: tensor.float() for name, tensor in load_file(ROOT / "models/emoji-clip.safetensors").items()}
    vision = CLIPVisionCfg(layers=(1, 1, 2, 2), width=24, image_size=SIDE, head_width=64, patch_size=None)
    text = CLIPTextCfg(context_length=CONTEXT, vocab_size=49408, width=96, heads=1, layers=2)
    model = CLIP(128, vision, text, quick_gelu=True)
    missing = model.load_state_dict(tensors, strict=False)
    left = [name for name in missing.missing_keys if "num_batches_tracked" not in name and name != "attn_mask"]
    assert not left and not missing.unexpected_keys, missing
    return model.eval()


def pictures(captions):
    """Key, caption and pixels of every picture with one of these captions, in the archive's order."""
    found, described = {}, {}
    with tarfile.open(ROOT / "data/emoji.tar") as archive:
        for member in archive:
            stem, ending = member.name.rsplit(".", 1)
            data = archive.extractfile(member).read()
            if ending == "png":
                found[stem] = Image.open(io.BytesIO(data)).convert("RGB")
            else:
                described[stem] = json.loads(data)["caption"]
    return [(key, described[key], picture) for key, picture in sorted(found.items()) if described[key] in captions]


def unit(rows):
    return rows / numpy.linalg.norm(rows, axis=-1, keepdims=True)


def main():
    model, tokenizer = network(), SimpleTokenizer(context_length=CONTEXT)

    def read(names):
        prompts = [template.replace("{}", name) for name in names for template in TEMPLATES]
        with torch.no_grad():
            rows = model.encode_text(tokenizer(prompts)).double().numpy()
        return unit(unit(rows).mean(axis=0))

    def see(picture):
        # Square pictures need no crop.
        assert picture.width == picture.height
        picture = picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        pixels = torch.from_numpy(numpy.array(picture)).permute(2, 0, 1).float() / 255
        with torch.no_grad():
            return model.encode_image(((pixels - MEAN) / DEVIATION)[None])[0].double().numpy()

    scale = float(model.logit_scale.detach().exp())
    labels = [label for label, _ in CLASSES]
    directions = numpy.stack([read(names) for _, names in CLASSES])
    known = [label.lower() for label in labels]
    samples = pictures(set(known + OTHERS))
    rows = unit(numpy.stack([see(picture) for _, _, picture in samples]))
    cosines = rows @ directions.T
    logits = cosines * scale
    probabilities = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    order = numpy.argsort(-cosines, axis=1, kind="stable")
    truth = [known.index(caption) if caption in known else None for _, caption, _ in samples]
    confusion = {}
    for row, which in enumerate(truth):
        if which is not None:
            pair = (which, int(order[row, 0]))
            confusion[pair] = confusion.get(pair, 0) + 1

    texts = numpy.stack([read([text]) for text in TEXTS])

    def rank(center):
        common = texts.mean(axis=0) if center else 0
        terms = 2 * unit(read(["apple"]) - common) - unit(rows[:3].mean(axis=0)) + unit(rows.mean(axis=0))
        scores = unit(texts - common) @ unit(terms)
        return [[TEXTS[at], float(scores[at])] for at in numpy.argsort(-scores, kind="stable")]

    golden = {
        "templates": TEMPLATES,
        "classes": CLASSES,
        "samples": [[key, caption] for key, caption, _ in samples],
        "logit_scale": scale,
        "cosines": cosines.tolist(),
        "probabilities": probabilities.tolist(),
        "confusion": sorted([a, b, count] for (a, b), count in confusion.items()),
        "top5": sum(which in order[row, :5] for row, which in enumerate(truth) if which is not None),
        "texts": TEXTS,
        "ranked": rank(False),
        "centered": rank(True),
    }
    print(len(samples), "pictures,", golden["confusion"], "top 5:", golden["top5"])
    (ROOT / "lab/tests/golden/texts.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
