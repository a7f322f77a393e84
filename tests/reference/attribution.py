"""Writes lab/tests/golden/attribution: attributions of logits to layers of golden/clip_resnet and clip_vit, by Captum, and the
terms of their embeddings, in NumPy and double precision from open_clip's activations.

    venv/bin/python tests/reference/attribution.py

Set up and run after clip.py. The logit is that of the first picture and the first text. Captum's classes hook open_clip's own
modules; where integrated gradients begin at zero, which it cannot say of a layer, its `IntegratedGradients` is given the network
above the layer."""

from pathlib import Path

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerGradientXActivation, LayerIntegratedGradients
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from safetensors.numpy import load_file, save_file

GOLDEN = Path(__file__).parents[2] / "lab/tests/golden"
NODES, SCALE = 50, 20.0
EMBEDDING, VOCABULARY, CONTEXT = 24, 96, 12


def resnet():
    vision = CLIPVisionCfg(layers=(1, 2, 1, 1), width=8, image_size=64)
    text = CLIPTextCfg(context_length=CONTEXT, vocab_size=VOCABULARY, width=64, heads=1, layers=1, mlp_ratio=1.0)
    return CLIP(EMBEDDING, vision, text, quick_gelu=True)


def vit():
    vision = CLIPVisionCfg(layers=2, width=128, head_width=64, mlp_ratio=1.5, patch_size=8, image_size=32)
    text = CLIPTextCfg(context_length=CONTEXT, vocab_size=VOCABULARY, width=128, heads=2, layers=1, mlp_ratio=1.0)
    return CLIP(EMBEDDING, vision, text, quick_gelu=True)


def layers(visual):
    """Our name of each layer, open_clip's module, and whether the layer is the module's input."""
    if hasattr(visual, "layer1"):
        # The ReLU works in place, which hooks that read its input do not survive.
        visual.layer4[0].act3.inplace = False
        return {
            "visual.layer4.0.add": (visual.layer4[0].act3, True),
            "visual.layer3.0": (visual.layer3[0], False),
            "visual.layer2.1.conv2": (visual.layer2[1].conv2, False),
        }
    blocks = visual.transformer.resblocks
    return {
        "visual.transformer.resblocks.0": (blocks[0], False),
        "visual.transformer.resblocks.1.mlp.gelu": (blocks[1].mlp.gelu, False),
        "visual.ln_pre": (visual.ln_pre, False),
    }


def attributions(name, build):
    """Captum's attributions of the logit to each layer, in double precision: a ReLU is on the same side as here more often."""
    model = build().eval().double()
    weights = {key: torch.from_numpy(value.astype(np.float64)) for key, value in load_file(GOLDEN / name / "weights.safetensors").items()}
    missing, surplus = model.load_state_dict(weights, strict=False)
    assert not surplus and all("num_batches" in key or "attn_mask" in key for key in missing), (missing, surplus)
    golden = load_file(GOLDEN / name / "activations.safetensors")
    # A ResNet of random weights hardly looks at its picture: with more contrast, it differs from a blank one by more than rounding.
    scale = 100.0 if hasattr(model.visual, "layer1") else 1.0
    image = scale * torch.from_numpy(golden["pixels"][:1]).double()
    text = torch.from_numpy(golden["text_features"][0]).double()
    text = text / text.norm()

    def logit(images):
        embeddings = model.encode_image(images)
        return SCALE * (embeddings / embeddings.norm(dim=-1, keepdim=True)) @ text

    found = {}
    for layer, (module, is_input) in layers(model.visual).items():
        how = {"attribute_to_layer_input": is_input}
        found[f"{layer} gradient_activation"] = LayerGradientXActivation(logit, module).attribute(image, **how)
        found[f"{layer} blank"] = LayerIntegratedGradients(logit, module).attribute(
            image, torch.zeros_like(image), n_steps=NODES, method="gausslegendre", internal_batch_size=NODES, **how
        )
        x = {}

        def keep(_module, inputs, output, x=x):
            x["is"] = (inputs[0] if is_input else output).detach().clone()

        hook = module.register_forward_hook(keep)
        logit(image)
        hook.remove()

        def above(replacement, module=module, is_input=is_input):
            register = module.register_forward_pre_hook if is_input else module.register_forward_hook
            hook = register((lambda _m, _i: (replacement,)) if is_input else (lambda _m, _i, _o: replacement))
            try:
                # The shortcut of a block, and a transformer's stream, pass the layer by: as many images as replacements.
                return logit(image.expand(len(replacement), -1, -1, -1))
            finally:
                hook.remove()

        zero = IntegratedGradients(above).attribute(
            x["is"], torch.zeros_like(x["is"]), n_steps=NODES, method="gausslegendre", internal_batch_size=NODES
        )
        found[f"{layer} zero"] = zero
        # The gradient on a blank image, times the activation.
        blank = {}

        def leave(_module, inputs, output, blank=blank):
            value = inputs[0] if is_input else output
            value = value.detach().requires_grad_()
            blank["is"] = value
            return (value,) if is_input else value

        hook = (
            module.register_forward_pre_hook(lambda m, i: leave(m, i, None)) if is_input else module.register_forward_hook(leave)
        )
        value = logit(torch.zeros_like(image))
        hook.remove()
        (gradient,) = torch.autograd.grad(value.sum(), blank["is"])
        found[f"{layer} blank_gradient"] = x["is"] * gradient
    found = {key: value.detach().numpy().astype(np.float32) for key, value in found.items()}
    found["scale"] = np.array([scale], np.float32)
    found["direction"] = text.numpy().astype(np.float32)
    found["logit"] = logit(image).detach().numpy().astype(np.float32)
    return found


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def wide(name):
    weights = {key: value.astype(np.float64) for key, value in load_file(GOLDEN / name / "weights.safetensors").items()}
    golden = {key: value.astype(np.float64) for key, value in load_file(GOLDEN / name / "activations.safetensors").items() if value.dtype.kind == "f"}
    return weights, golden


def pool():
    """The terms of a ResNet's embedding: y = b_o + sum over heads h and positions i of A_hi W_o^h (W_v^h x_i + b_v^h)."""
    w, golden = wide("clip_resnet")
    p = {key.removeprefix("visual.attnpool."): value for key, value in w.items() if "attnpool" in key}
    x = golden["visual.layer4.0"][0]  # [c, h, w]
    c = len(x)
    heads = max(c // 64, 1)
    grid = x.reshape(c, -1).T
    tokens = np.concatenate([grid.mean(0, keepdims=True), grid]) + p["positional_embedding"]
    split = lambda y: y.reshape(len(y), heads, -1).transpose(1, 0, 2)  # [heads, positions, c/heads]
    q = split(tokens[:1] @ p["q_proj.weight"].T + p["q_proj.bias"])
    k = split(tokens @ p["k_proj.weight"].T + p["k_proj.bias"])
    v = split(tokens @ p["v_proj.weight"].T + p["v_proj.bias"])
    a = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(c / heads))[:, 0]  # [heads, positions]
    out = p["c_proj.weight"].reshape(-1, heads, c // heads)  # [e, heads, c/heads]
    each = np.einsum("hp,hpd,ehd->hpe", a, v, out)
    text = golden["text_features"][0] / np.linalg.norm(golden["text_features"][0])
    assert np.allclose(each.sum((0, 1)) + p["c_proj.bias"], golden["image_features"][0], atol=1e-5)
    # What a unit adds, by what changes without it, the attention kept.
    units = np.zeros((c, grid.shape[0]))
    for at in range(grid.shape[0]):
        for unit in range(c):
            mine = np.zeros_like(tokens)
            mine[0, unit] = grid[at, unit] / len(grid)
            mine[1 + at, unit] = grid[at, unit]
            read = np.einsum("hp,hpd->hd", a[:, [0, 1 + at]], split(mine[[0, 1 + at]] @ p["v_proj.weight"].T))
            units[unit, at] = np.einsum("hd,ehd,e->", read, out, text)
    return {"vectors": each.sum(1), "positions": each @ text, "units": units, "direction": text}


def blocks():
    """The terms of a vision transformer's embedding, as yossigandelsman/clip_prs divides them."""
    w, golden = wide("clip_vit")
    text = golden["text_features"][0] / np.linalg.norm(golden["text_features"][0])
    prefix = "visual.transformer.resblocks."
    count = 1 + max(int(key.removeprefix(prefix).split(".")[0]) for key in w if key.startswith(prefix))
    last = golden[f"{prefix}{count - 1}"][0, 0]
    mean, deviation = last.mean(), np.sqrt(last.var() + 1e-5)
    gamma, beta, proj = w["visual.ln_post.weight"], w["visual.ln_post.bias"], w["visual.proj"]
    terms = 2 * count + 1
    whole = lambda x: ((x - mean / terms) * gamma / deviation + beta / terms) @ proj
    found = {"start": whole(golden["visual.ln_pre"][0, 0]), "direction": text}
    total = found["start"].copy()
    for block in range(count):
        key = f"{prefix}{block}"
        x = golden[f"{key}.ln_1"][0]  # [t, c]
        t, c = x.shape
        heads = c // 64
        q, k, v = np.split(x @ w[f"{key}.attn.in_proj_weight"].T + w[f"{key}.attn.in_proj_bias"], 3, -1)
        split = lambda y: y.reshape(t, heads, 64).transpose(1, 0, 2)
        a = softmax(split(q)[:, :1] @ split(k).transpose(0, 2, 1) / 8)[:, 0]  # [heads, t]
        out = w[f"{key}.attn.out_proj.weight"].reshape(c, heads, 64)
        each = np.einsum("ht,htd,chd->htc", a, split(v), out)
        share = t * heads
        each = each + w[f"{key}.attn.out_proj.bias"] / share - mean / (terms * share)
        each = (each * gamma / deviation + beta / (terms * share)) @ proj  # [heads, t, e]
        found[f"heads.{block}"] = each.sum(1)
        found[f"positions.{block}"] = each @ text
        found[f"mlp.{block}"] = whole(golden[f"{key}.mlp.c_proj"][0, 0])
        total += each.sum((0, 1)) + found[f"mlp.{block}"]
    assert np.allclose(total, golden["image_features"][0], atol=1e-5)
    return found


torch.manual_seed(0)
torch.set_num_threads(1)
folder = GOLDEN / "attribution"
folder.mkdir(exist_ok=True)
for name, build, terms in (("clip_resnet", resnet, pool), ("clip_vit", vit, blocks)):
    save_file(attributions(name, build), folder / f"{name}.safetensors")
    saved = {key: np.ascontiguousarray(value.astype(np.float32)) for key, value in terms().items()}
    save_file(saved, folder / f"{name}_terms.safetensors")
