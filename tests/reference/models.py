"""OpenAI's CLIP architectures at full size in open_clip, with random weights that let what is in a picture through."""

import copy
import logging

import open_clip
import torch
from layers import randomise
from safetensors.torch import save_file

# OpenAI's names, and open_clip's.
NAMES = {
    "RN50": "RN50-quickgelu",
    "RN101": "RN101-quickgelu",
    "RN50x4": "RN50x4-quickgelu",
    "RN50x16": "RN50x16-quickgelu",
    "RN50x64": "RN50x64-quickgelu",
    "ViT-B/32": "ViT-B-32-quickgelu",
    "ViT-B/16": "ViT-B-16-quickgelu",
    "ViT-L/14": "ViT-L-14-quickgelu",
    "ViT-L/14@336px": "ViT-L-14-336-quickgelu",
}
# How many standard deviations `settled` keeps between a ReLU and its kink.
AWAY = 16.0
# Sizes that OpenAI's archives carry as tensors.
SIZES = ("input_resolution", "context_length", "vocab_size")


def create(name, seed=0):
    """The architecture with that name of OpenAI's, in evaluation mode; the same weights for the same seed."""
    # It warns that the weights are random.
    logging.getLogger().setLevel(logging.ERROR)
    torch.manual_seed(seed)
    model = randomise(open_clip.create_model(NAMES[name]))
    model.image_size = open_clip.get_model_config(NAMES[name])["vision_cfg"]["image_size"]
    calibrate(model)
    return model.requires_grad_(False)


def of_norms(model, act):
    """Calls `act(name, norm, input)` for each BatchNorm of the visual tower whenever it is used."""
    norms = [(name, module) for name, module in model.visual.named_modules() if isinstance(module, torch.nn.BatchNorm2d)]
    return [norm.register_forward_pre_hook(lambda m, x, name=name: act(name, m, x[0])) for name, norm in norms]


def calibrate(model):
    """Sets each BatchNorm's statistics near those of what it is given, as training does.

    With arbitrary ones every block shrinks what distinguishes two pictures to a few per cent; after sixteen blocks
    only biases are left, and any network that has the biases right looks right.
    """

    def measure(_name, norm, x):
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
        norm.running_mean.copy_(mean + 0.3 * variance.sqrt() * torch.randn_like(mean))
        norm.running_var.copy_(variance * torch.empty_like(variance).uniform_(0.5, 2.0))
        for tensor in (norm.running_mean, norm.running_var):
            tensor.copy_(tensor.half().float())

    made = of_norms(model, measure)
    with torch.no_grad():
        model.encode_image(torch.randn(2, 3, model.image_size, model.image_size))
    for hook in made:
        hook.remove()


def settled(model, images):
    """A copy in which no ReLU is near its kink for these images: each is open or shut, for a whole unit.

    The gradient of a deep random ReLU network is not a number that single precision can find: of ten million ReLUs some
    twenty are so near 0 that rounding decides, and each moves the gradient by up to some per cent. Away from the kinks
    it is as well determined as the activations. A vision transformer is smooth and stays as it is.
    """
    model = copy.deepcopy(model)
    signs = {}

    def settle(name, norm, x):
        # What is added to a stream has to agree with it all through a stage.
        added = name.endswith(("bn3", "downsample.1")) and name.startswith("layer")
        key = name.split(".")[0] if added else name
        sign = signs.setdefault(key, torch.randint(0, 2, norm.weight.shape) * 2.0 - 1.0)
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        # It is the gain that becomes small, so that the attention at the end sees numbers of the usual size.
        norm.bias.copy_(sign * norm.weight)
        norm.weight.div_(AWAY)
        for tensor in (norm.running_mean, norm.running_var, norm.bias, norm.weight):
            tensor.copy_(tensor.half().float())

    made = of_norms(model, settle)
    with torch.no_grad():
        model.encode_image(images)
    for hook in made:
        hook.remove()
    return model


def save(model, path):
    """Writes the weights in OpenAI's naming, which is open_clip's: half precision holds them exactly. The format
    is PyTorch's where the path ends in .pt, else safetensors."""
    weights = {
        name: tensor.half().contiguous()
        for name, tensor in model.state_dict().items()
        if tensor.dtype.is_floating_point
    }
    if path.suffix == ".pt":
        sizes = (model.image_size, model.context_length, model.vocab_size)
        torch.save({**weights, **{name: torch.tensor(size) for name, size in zip(SIZES, sizes)}}, path)
    else:
        save_file(weights, path)
