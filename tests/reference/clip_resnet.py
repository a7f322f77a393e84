"""Writes lab/tests/golden/clip_resnet: a small ModifiedResNet of open_clip with random weights, its
activations at every layer that can be named, and a gradient.

    python3 -m venv venv && venv/bin/pip install -r tests/reference/requirements.txt
    venv/bin/python tests/reference/clip_resnet.py
"""

from pathlib import Path

import torch
from open_clip.modified_resnet import ModifiedResNet
from safetensors.torch import save_file

OUT = Path(__file__).parents[2] / "lab/tests/golden/clip_resnet"
WIDTH, LAYERS, SIZE, EMBEDDING = 8, (1, 2, 1, 1), 64, 24
UNIT = 7

torch.manual_seed(0)
torch.set_num_threads(1)
net = ModifiedResNet(LAYERS, EMBEDDING, heads=WIDTH * 32 // 64, image_size=SIZE, width=WIDTH).eval()
with torch.no_grad():
    for name, tensor in net.state_dict().items():
        if "running_var" in name:
            tensor.uniform_(0.5, 2.0)
        elif "running_mean" in name or name.endswith(".bias"):
            tensor.normal_(0, 0.3)
        elif ".bn" in name or name.startswith("bn") or "downsample.1" in name:
            if tensor.dtype.is_floating_point:
                tensor.uniform_(0.5, 1.5)
    for tensor in net.state_dict().values():
        if tensor.dtype.is_floating_point:
            tensor.copy_(tensor.half().float())

found = {}


def keep(name):
    def hook(_module, inputs, output=None):
        value = inputs[0] if output is None else output
        found[name] = value.detach().clone()

    return hook


for i in (1, 2, 3):
    getattr(net, f"act{i}").register_forward_hook(keep(f"visual.relu{i}"))
net.avgpool.register_forward_hook(keep("visual.avgpool"))
for stage in (1, 2, 3, 4):
    for block, module in enumerate(getattr(net, f"layer{stage}")):
        key = f"visual.layer{stage}.{block}"
        module.act1.register_forward_hook(keep(f"{key}.relu1"))
        module.act2.register_forward_hook(keep(f"{key}.relu2"))
        # The ReLU works in place: the sum has to be copied before it.
        module.act3.register_forward_pre_hook(keep(f"{key}.add"))
        module.register_forward_hook(keep(key))

images = torch.randn(2, 3, SIZE, SIZE)
with torch.no_grad():
    found["visual.attnpool"] = net(images)

leaf = images.clone().requires_grad_()
sums = []
net.layer4[-1].act3.register_forward_pre_hook(lambda _m, inputs: sums.append(inputs[0].clone()))
net(leaf)
sums[0][:, UNIT].mean().backward()

OUT.mkdir(parents=True, exist_ok=True)
weights = {
    f"visual.{name}": tensor.half().contiguous()
    for name, tensor in net.state_dict().items()
    if tensor.dtype.is_floating_point
}
save_file(weights, OUT / "weights.safetensors")
found["images"] = images
found["gradient"] = leaf.grad
save_file({name: tensor.contiguous() for name, tensor in found.items()}, OUT / "activations.safetensors")
