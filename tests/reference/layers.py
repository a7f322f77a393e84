"""open_clip's activations under the names that Neuronotes gives its layers, by hooks on open_clip's own modules."""

import torch


def randomise(model):
    """Random weights that leave no parameter and no running statistic at a value that hides a mistake."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not tensor.dtype.is_floating_point:
                continue
            norm = any(part in name for part in (".bn", "bn1.", "bn2.", "bn3.", "downsample.1", "ln_", ".ln_"))
            if "running_var" in name:
                tensor.uniform_(0.5, 2.0)
            elif "running_mean" in name or name.endswith("bias"):
                tensor.normal_(0, 0.3)
            elif norm:
                tensor.uniform_(0.5, 1.5)
            tensor.copy_(tensor.half().float())
    return model.eval()


def hooks(model, keep):
    """Hooks that hand every layer with its name to `keep`; to be removed by the caller."""
    made = []

    def after(module, name, pick=lambda output: output):
        made.append(module.register_forward_hook(lambda _m, _i, output: keep(name, pick(output))))

    def before(module, name):
        made.append(module.register_forward_pre_hook(lambda _m, inputs: keep(name, inputs[0])))

    def blocks(resblocks, prefix):
        for i, block in enumerate(resblocks):
            key = f"{prefix}transformer.resblocks.{i}"
            after(block.ln_1, f"{key}.ln_1")
            after(block.attn, f"{key}.attn", lambda output: output[0])
            before(block.ln_2, f"{key}.resid_mid")
            after(block.ln_2, f"{key}.ln_2")
            for part in ("c_fc", "gelu", "c_proj"):
                after(getattr(block.mlp, part), f"{key}.mlp.{part}")
            after(block, key)

    visual = model.visual
    if hasattr(visual, "layer1"):
        for i in (1, 2, 3):
            after(getattr(visual, f"conv{i}"), f"visual.conv{i}")
            after(getattr(visual, f"bn{i}"), f"visual.bn{i}")
            after(getattr(visual, f"act{i}"), f"visual.relu{i}")
        after(visual.avgpool, "visual.avgpool")
        for stage in (1, 2, 3, 4):
            for i, block in enumerate(getattr(visual, f"layer{stage}")):
                key = f"visual.layer{stage}.{i}"
                for part in (1, 2, 3):
                    after(getattr(block, f"conv{part}"), f"{key}.conv{part}")
                    after(getattr(block, f"bn{part}"), f"{key}.bn{part}")
                after(block.act1, f"{key}.relu1")
                after(block.act2, f"{key}.relu2")
                after(block.avgpool, f"{key}.avgpool")
                if block.downsample is not None:
                    after(block.downsample[1], f"{key}.downsample.0")
                    after(block.downsample, f"{key}.downsample")
                # The ReLU works in place: the sum has to be copied before it.
                before(block.act3, f"{key}.add")
                after(block, key)
        after(visual, "visual.attnpool")
    else:
        after(visual.conv1, "visual.conv1")
        after(visual.ln_pre, "visual.ln_pre")
        blocks(visual.transformer.resblocks, "visual.")
        after(visual.ln_post, "visual.ln_post", lambda output: output[:, 0])
        after(visual, "visual.proj")
    after(model.token_embedding, "token_embedding")
    before(model.transformer.resblocks[0], "transformer.resid_pre")
    blocks(model.transformer.resblocks, "")
    after(model.ln_final, "ln_final")
    return made


def activations(model, images, tokens):
    """All layers by name, and the embeddings and logits, of preprocessed images and of tokens."""
    found = {}

    def keep(name, value):
        found[name] = value.detach().clone()

    made = hooks(model, keep)
    with torch.no_grad():
        found["image_features"] = model.encode_image(images).clone()
        found["text_features"] = model.encode_text(tokens).clone()
    for hook in made:
        hook.remove()
    found["text_projection"] = found["text_features"].clone()
    normal = [found[f"{of}_features"] / found[f"{of}_features"].norm(dim=-1, keepdim=True) for of in ("image", "text")]
    found["logits"] = model.logit_scale.detach().exp() * normal[0] @ normal[1].T
    return found


def gradients(model, images, units):
    """For each (layer, unit): of the unit's mean over positions with respect to each image, and no image to another's."""
    found = {}
    wanted = {layer for layer, _ in units}

    def keep(name, value):
        if name in wanted:
            found[name] = value.clone()

    made = hooks(model, keep)
    leaf = images.clone().requires_grad_()
    model.encode_image(leaf)
    for hook in made:
        hook.remove()
    results = []
    for layer, unit in units:
        value = found[layer]
        of_unit = value[..., unit] if value.dim() == 3 else value[:, unit]
        total = of_unit.reshape(len(images), -1).mean(1).sum()
        results.append(torch.autograd.grad(total, leaf, retain_graph=True)[0])
    return results


def gradient(model, images, layer, unit):
    """The gradient of one unit, as `gradients` says."""
    return gradients(model, images, [(layer, unit)])[0]
