"""Writes lab/tests/golden/clip_resnet and clip_vit: small CLIPs of open_clip with random weights, in OpenAI's naming
and Hugging Face's, with the activations of every layer that can be named, embeddings, logits, and a gradient.

    python3 -m venv venv && venv/bin/pip install -r tests/reference/requirements.txt
    venv/bin/python tests/reference/clip.py && venv/bin/python tests/reference/formats.py
"""

import json
from pathlib import Path

import torch
from layers import activations, gradient, randomise
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden"
EMBEDDING, VOCABULARY, CONTEXT = 24, 96, 12


def texts(count):
    """Token numbers as a tokenizer gives them: the greatest ends the text, and zeros follow."""
    tokens = torch.zeros(count, CONTEXT, dtype=torch.long)
    for row in range(count):
        length = 3 + 4 * row
        tokens[row, 0] = VOCABULARY - 2
        tokens[row, 1:length] = torch.randint(0, VOCABULARY - 2, (length - 1,))
        tokens[row, length] = VOCABULARY - 1
    return tokens


def build(vision, text, quick_gelu):
    torch.manual_seed(0)
    return randomise(CLIP(EMBEDDING, vision, text, quick_gelu=quick_gelu))


def save(tensors, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path)


def golden(name, vision, text, images, unit_of):
    """Weights and what they give; `unit_of` is the layer and the unit whose gradient is taken."""
    model = build(vision, text, True)
    torch.manual_seed(1)
    images = torch.randn(images, 3, vision.image_size, vision.image_size)
    tokens = texts(2)
    found = activations(model, images, tokens)
    found["pixels"] = images
    found["tokens"] = tokens
    found["gradient"] = gradient(model, images, *unit_of)
    gelu = build(vision, text, False)
    of_gelu = activations(gelu, images, tokens)
    found["gelu.image_features"] = of_gelu["image_features"]
    found["gelu.text_features"] = of_gelu["text_features"]
    weights = {key: tensor for key, tensor in model.state_dict().items() if tensor.dtype.is_floating_point}
    save({key: tensor.half() for key, tensor in weights.items()}, GOLDEN / name / "weights.safetensors")
    save(found, GOLDEN / name / "activations.safetensors")
    return model, found


torch.set_num_threads(1)
golden(
    "clip_resnet",
    CLIPVisionCfg(layers=(1, 2, 1, 1), width=8, image_size=64),
    CLIPTextCfg(context_length=CONTEXT, vocab_size=VOCABULARY, width=64, heads=1, layers=1, mlp_ratio=1.0),
    1,
    ("visual.layer4.0.add", 7),
)
vision = CLIPVisionCfg(layers=2, width=128, head_width=64, mlp_ratio=1.5, patch_size=8, image_size=32)
text = CLIPTextCfg(context_length=CONTEXT, vocab_size=VOCABULARY, width=128, heads=2, layers=1, mlp_ratio=1.0)
model, found = golden("clip_vit", vision, text, 2, ("visual.transformer.resblocks.1.mlp.gelu", 7))

# The same network as Hugging Face's: its own program has to agree before its names are believed.
config = CLIPConfig(
    projection_dim=EMBEDDING,
    vision_config={
        "hidden_size": 128, "intermediate_size": 192, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 8, "projection_dim": EMBEDDING, "hidden_act": "quick_gelu",
    },
    text_config={
        "hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 2,
        "max_position_embeddings": CONTEXT, "vocab_size": VOCABULARY, "projection_dim": EMBEDDING,
        "hidden_act": "quick_gelu", "eos_token_id": VOCABULARY - 1, "bos_token_id": VOCABULARY - 2, "pad_token_id": 0,
    },
)
theirs = CLIPModel(config).eval()
ours = model.state_dict()
renamed = {}
for key in theirs.state_dict():
    if key.endswith("position_ids"):
        continue
    name = key.replace("vision_model.", "visual.").replace("text_model.", "").replace("embeddings.", "")
    name = name.replace("encoder.layers.", "transformer.resblocks.").replace("self_attn.", "attn.")
    name = name.replace("layer_norm1", "ln_1").replace("layer_norm2", "ln_2").replace("fc1", "c_fc").replace("fc2", "c_proj")
    name = name.replace("pre_layrnorm", "ln_pre").replace("post_layernorm", "ln_post").replace("final_layer_norm", "ln_final")
    name = name.replace("position_embedding.weight", "positional_embedding").replace("patch_embedding", "conv1")
    if name in ("visual_projection.weight", "text_projection.weight"):
        renamed[key] = ours["visual.proj" if name.startswith("visual") else "text_projection"].T.contiguous()
        continue
    for i, part in enumerate(("q_proj", "k_proj", "v_proj")):
        if part in name:
            whole = ours[name.replace(f"{part}.weight", "in_proj_weight").replace(f"{part}.bias", "in_proj_bias")]
            renamed[key] = whole.chunk(3)[i].contiguous()
            break
    else:
        renamed[key] = ours[name]
theirs.load_state_dict(renamed, strict=False)
with torch.no_grad():
    output = theirs(input_ids=found["tokens"], pixel_values=found["pixels"])
assert torch.allclose(output.logits_per_image, found["logits"], atol=1e-4), "Hugging Face's program disagrees"
folder = GOLDEN / "clip_vit/hugging_face"
save({key: tensor.half() for key, tensor in renamed.items()}, folder / "model.safetensors")
(folder / "config.json").write_text(json.dumps(config.to_diff_dict(), indent=1) + "\n")
