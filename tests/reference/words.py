"""Writes lab/tests/golden/words.json: the activations of drawn words, by open_clip's own network.

    venv/bin/python tests/reference/words.py

lab/tests/golden/words.png has the drawings one below the other, and words.txt the key of each; the test in
lab/tests/suite/words.rs writes both with NEURONOTES_GOLDEN=write. The small network of clip.py sees each drawing, and NumPy
averages one layer over positions, and then over the drawings of each word."""

import json
from pathlib import Path

import numpy as np
import torch
from layers import activations
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from PIL import Image
from safetensors.torch import load_file

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden"
SIDE, LAYER = 64, "visual.layer4.0.add"
MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
SD = np.array([0.26862954, 0.26130258, 0.27577711])


def main():
    torch.set_num_threads(1)
    # The sizes are those of clip.py.
    vision = CLIPVisionCfg(layers=(1, 2, 1, 1), width=8, image_size=SIDE)
    text = CLIPTextCfg(context_length=12, vocab_size=96, width=64, heads=1, layers=1, mlp_ratio=1.0)
    model = CLIP(24, vision, text, quick_gelu=True).eval()
    weights = {name: tensor.float() for name, tensor in load_file(GOLDEN / "clip_resnet/weights.safetensors").items()}
    missing, unknown = model.load_state_dict(weights, strict=False)
    assert not unknown and all("num_batches" in name or "attn_mask" in name for name in missing), (missing, unknown)

    keys = (GOLDEN / "words.txt").read_text().splitlines()
    sheet = np.asarray(Image.open(GOLDEN / "words.png").convert("RGB"), dtype=np.float64) / 255
    drawings = (sheet.reshape(len(keys), SIDE, SIDE, 3) - MEAN) / SD
    images = torch.from_numpy(drawings.transpose(0, 3, 1, 2)).float()
    tokens = torch.zeros(1, 12, dtype=torch.long)
    found = activations(model, images, tokens)[LAYER].double().numpy()  # [drawings, units, height, width]
    rows = found.mean(axis=(2, 3))

    words = {}
    for key, row in zip(keys, rows):
        words.setdefault(key.split(" (")[0], []).append(row)
    words = {word: np.array(rows) for word, rows in words.items()}
    golden = {
        "layer": LAYER,
        "mean": rows.mean(axis=0).tolist(),
        "sd": rows.std(axis=0).tolist(),
        "words": {
            word: {name: getattr(rows, how)(axis=0).tolist() for name, how in [("mean", "mean"), ("sd", "std"), ("min", "min"), ("max", "max")]}
            for word, rows in words.items()
        },
    }
    rounded = json.loads(json.dumps(golden), parse_float=lambda text: float(f"{float(text):.7g}"))
    (GOLDEN / "words.json").write_text(json.dumps(rounded) + "\n")


main()
