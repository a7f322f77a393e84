"""Writes tests/golden/formats and the archives in lab/tests/golden/clip_resnet and clip_vit: the same weights as
PyTorch saves them, as a state dict and as TorchScript.

    python3 -m venv venv && venv/bin/pip install -r tests/reference/requirements.txt
    venv/bin/python tests/reference/formats.py
"""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).parents[2]
SIZES = ("input_resolution", "context_length", "vocab_size")
BUFFERS = ("running_mean", "running_var", "num_batches_tracked", *SIZES)


class Identity(torch.nn.Module):
    """A module that computes nothing: what is saved are its tensors."""

    def forward(self, x):
        return x


def tree(weights):
    """Modules that hold `weights` under their dotted names."""
    root = Identity()
    for name, tensor in weights.items():
        *path, last = name.split(".")
        module = root
        for part in path:
            if part not in dict(module.named_children()):
                module.add_module(part, Identity())
            module = getattr(module, part)
        if last in BUFFERS:
            module.register_buffer(last, tensor)
        else:
            module.register_parameter(last, torch.nn.Parameter(tensor, requires_grad=False))
    return root.eval()


def save(weights, folder, sizes=()):
    """`sizes`: what OpenAI's archives carry beside the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    # As PyTorch does it: a module's state dict is an OrderedDict that carries versions.
    module = tree(weights)
    torch.save(module.state_dict(), folder / "state_dict.pt")
    module = tree({**weights, **{name: torch.tensor(size) for name, size in zip(SIZES, sizes)}})
    torch.jit.save(torch.jit.trace(module, torch.zeros(1)), folder / "torchscript.pt")


for name, sizes in (("clip_resnet", ()), ("clip_vit", (32, 12, 96))):
    folder = ROOT / "lab/tests/golden" / name
    save(load_file(folder / "weights.safetensors"), folder, sizes)

torch.manual_seed(0)
shared = torch.randn(4, 3)
small = {
    "visual.conv1.weight": torch.randn(4, 3, 1, 3).half(),
    "visual.bn1.running_mean": torch.randn(4),
    "visual.bn1.num_batches_tracked": torch.tensor(7),
    "visual.layer1.0.conv1.weight": torch.randn(2, 2).bfloat16(),
    "visual.scale": torch.randn((), dtype=torch.float64),
    # Views of one storage.
    "whole": shared,
    "rows": shared[1:3],
    "input_resolution": torch.tensor(64),
}
OUT = ROOT / "tests/golden/formats"
save(small, OUT)
save_file({name: tensor.clone() for name, tensor in small.items()}, OUT / "weights.safetensors")
prefixed = {f"module.{name}": tensor for name, tensor in small.items()}
torch.save({"epoch": 3, "state_dict": prefixed, "optimizer": {"lr": [0.1]}}, OUT / "checkpoint.pt")
torch.save({"a": torch.randn(2, 3).t()}, OUT / "strided.pt")
torch.save(small, OUT / "old.pt", _use_new_zipfile_serialization=False)
