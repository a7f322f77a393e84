"""Writes lab/tests/golden/training.safetensors: a step of training a small CLIP of open_clip, as PyTorch does it.

    python3 -m venv venv && venv/bin/pip install -r tests/reference/requirements.txt
    venv/bin/python tests/reference/clip.py && venv/bin/python tests/reference/training.py

The weights are those in lab/tests/golden/clip_resnet. BatchNorm is in training. The losses are written down here from
their definitions, in loops, and not as the lab computes them.
"""

from pathlib import Path

import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from safetensors.torch import load_file, save_file

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden"
EMBEDDING, VOCABULARY, CONTEXT = 24, 96, 12
# Which text is right for each picture; text 4 has none.
COLUMN = [0, 1, 1, 3, 2, 3, 1]
TEMPERATURE, WEIGHT = 0.2, 0.7
KEPT = [
    "visual.conv1.weight",
    "visual.bn1.weight",
    "visual.layer1.0.bn2.bias",
    "visual.layer2.1.conv2.weight",
    "visual.layer4.0.downsample.0.weight",
    "visual.attnpool.positional_embedding",
    "visual.attnpool.v_proj.bias",
    "visual.attnpool.c_proj.bias",
    "token_embedding.weight",
    "transformer.resblocks.0.attn.in_proj_weight",
    "transformer.resblocks.0.ln_1.weight",
    "text_projection",
    "logit_scale",
]
STATISTICS = ["visual.bn1.running_mean", "visual.bn1.running_var", "visual.layer4.0.bn3.running_var"]

torch.set_num_threads(1)
torch.manual_seed(3)
model = CLIP(
    EMBEDDING,
    CLIPVisionCfg(layers=(1, 2, 1, 1), width=8, image_size=64),
    CLIPTextCfg(context_length=CONTEXT, vocab_size=VOCABULARY, width=64, heads=1, layers=1, mlp_ratio=1.0),
    quick_gelu=True,
)
weights = load_file(GOLDEN / "clip_resnet/weights.safetensors")
missing = model.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, strict=False)
assert not missing.unexpected_keys and all(name.endswith("num_batches_tracked") for name in missing.missing_keys)
# In double precision, for gradients of deep ReLU networks are sensitive to rounding.
model = model.double().train()

images = torch.randn(len(COLUMN), 3, 64, 64)
tokens = torch.zeros(5, CONTEXT, dtype=torch.long)
for row in range(5):
    tokens[row, 0] = VOCABULARY - 2
    tokens[row, 1 : 3 + row] = torch.randint(0, VOCABULARY - 2, (2 + row,))
    tokens[row, 3 + row] = VOCABULARY - 1

last = {}
block = model.visual.layer4[0]
# What the block's last ReLU gives out; the loss takes the ReLU's output.
block.act3.register_forward_hook(lambda _, __, out: last.update(out=out))
pictures = torch.nn.functional.normalize(model.encode_image(images.double()), dim=-1)
texts = torch.nn.functional.normalize(model.encode_text(tokens), dim=-1)
logits = model.logit_scale.exp() * pictures @ texts.T

of_pictures = sum(-logits[i].log_softmax(0)[text] for i, text in enumerate(COLUMN)) / len(COLUMN)
shown = sorted(set(COLUMN))
of_texts = 0
for text in shown:
    own = [i for i, other in enumerate(COLUMN) if other == text]
    of_texts = of_texts - sum(logits[:, text].log_softmax(0)[i] for i in own) / len(own)
contrast = (of_pictures + of_texts / len(shown)) / 2

active = last["out"].mean((2, 3))
active = active / active.norm(dim=1, keepdim=True)
kinship, counted = 0, 0
for i in range(len(COLUMN)):
    others = [j for j in range(len(COLUMN)) if j != i]
    kin = [j for j in others if COLUMN[j] == COLUMN[i]]
    if not kin:
        continue
    alike = torch.stack([active[i] @ active[j] for j in others]) / TEMPERATURE
    surprise = -alike.log_softmax(0)
    kinship = kinship + sum(surprise[others.index(j)] for j in kin) / len(kin)
    counted += 1
kinship = kinship / counted

(contrast + WEIGHT * kinship).backward()
parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())
out = {f"gradient/{name}": parameters[name].grad for name in KEPT}
out |= {name: buffers[name] for name in STATISTICS}
out |= {"contrast": contrast.detach(), "kinship": kinship.detach()}
out = {name: tensor.float().contiguous().clone() for name, tensor in out.items()}
out |= {"pixels": images, "tokens": tokens, "column": torch.tensor(COLUMN)}
save_file(out, GOLDEN / "training.safetensors")
