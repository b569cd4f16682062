"""Where a network's weights come from: seeded by key and shape, or an official checkpoint."""

import hashlib
import math
import pickle  # nosec B403
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from models.images import synthetic_images
from system.errors import UserError, one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

# Part of every artifact's key: change it when `seeded` changes.
SEEDED = "seeded-1"

_VARIANCE_IMAGES = 2


def is_trained(weights: str) -> bool:
    """Whether weights of this name are from a checkpoint, rather than seeded by this version or another."""
    return re.fullmatch(r"seeded-\d+", weights) is None


def seeded(key: str, shape: tuple[int, ...]) -> "NDArray[np.float32]":
    """The weights of one state-dict entry, the same on every machine: they depend on key and shape alone.

    He-like: uniform with variance 2 / fan-in for kernels. Uniform draws on a 2^-24 grid need no libm, so every
    platform agrees to the last bit, and none but zero is smaller than 1e-9, so no product denormalises.
    """
    import numpy as np

    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    unit = np.random.Generator(np.random.PCG64(seed)).random(shape, dtype=np.float32)
    low, high = _bounds(key, shape)
    return np.asarray(np.float32(low) + unit * np.float32(high - low), dtype=np.float32)


def _bounds(key: str, shape: tuple[int, ...]) -> tuple[float, float]:
    if key.endswith("running_var"):
        return 0.5, 1.5
    if len(shape) == 1 and key.endswith("weight"):  # a norm's scale
        return 0.25, 0.5  # small, so that sums of residual branches neither overflow nor hide their input
    if len(shape) <= 1:  # biases and running means
        return -0.1, 0.1
    if key.endswith("gain"):  # of a convolution with standardised weights, which with 1 keeps its input's variance
        return 0.75, 1.25
    bound = math.sqrt(6.0 / math.prod(shape[1:]))
    return -bound, bound


def load_seeded(module: "nn.Module", resolution_px: int) -> None:
    """Give `module` (on any device, the meta device too) its seeded weights, on the CPU.

    Each batch norm gets the variance of its input on seeded images of that size, as training would leave it, so that
    the logits depend on the image through every layer and stay within FP16.
    """
    import torch

    def tensor(key: str, old: "Tensor") -> "Tensor":
        if not old.is_floating_point():
            return torch.zeros(old.shape, dtype=old.dtype)
        return torch.from_numpy(seeded(key, tuple(old.shape)))

    module.load_state_dict({key: tensor(key, old) for key, old in module.state_dict().items()}, assign=True)
    set_norm_variances(module, resolution_px)


def set_norm_variances(module: "nn.Module", resolution_px: int) -> "dict[nn.BatchNorm2d, float]":
    """Set every BN's variance to the mean square of its input on seeded images, rounded to a power of four.

    Returns the exponents before rounding: as long as no fraction is near a half, all machines round alike.
    """
    import torch
    from torch import nn

    exponents: dict[nn.BatchNorm2d, float] = {}

    def set_variance(norm: nn.BatchNorm2d, inputs: "tuple[Tensor]") -> None:
        # A tiny network's ReLU may give zeros only: any variance will do.
        exponents[norm] = math.log(float(inputs[0].square().mean()) or 1.0, 4.0)
        norm.running_var.fill_(4.0 ** round(exponents[norm]))  # type: ignore[union-attr]

    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(set_variance) for norm in norms]
    with torch.inference_mode():
        module(torch.from_numpy(synthetic_images(_VARIANCE_IMAGES, resolution_px)))
    for hook in hooks:
        hook.remove()
    return exponents


def load_checkpoint(module: "nn.Module", path: Path) -> None:
    """Give `module` the weights of a checkpoint (`read_state`): a state dict, or one under the key "state_dict".

    Each is copied into a contiguous tensor of its own, of the network's type, whatever its strides, storage and type in
    the checkpoint: these would change the speed. Read with weights_only, so that a checkpoint can't run code.
    Raises UserError naming the first key that differs.
    """
    import torch

    state = read_state(path)
    expected = module.state_dict()
    for key, tensor in expected.items():
        if key not in state:
            raise _misfit(path, f"no {key!r}")
        if tuple(state[key].shape) != tuple(tensor.shape):
            raise _misfit(path, f"{key!r} has shape {tuple(state[key].shape)}, not {tuple(tensor.shape)}")
    for key in state:
        if key not in expected:
            raise _misfit(path, f"{key!r}, which the network lacks")
    own = {key: torch.empty(tensor.shape, dtype=tensor.dtype).copy_(state[key]) for key, tensor in expected.items()}
    module.load_state_dict(own, assign=True)
    module.requires_grad_(False)


def has_keys_of(module: "nn.Module", path: Path) -> bool:
    """Whether a checkpoint has an entry for each of the module's. Raises UserError where it can't be read."""
    return module.state_dict().keys() <= read_state(path).keys()


def _misfit(path: Path, found: str) -> UserError:
    return UserError(f"{path} is not a checkpoint of this network", found=found, fix="give the checkpoint of this one")


def read_state(path: Path) -> "dict[str, Tensor]":
    """The state dict in a checkpoint: a file of torch.save, read with weights_only, or of safetensors.

    Raises UserError where it can't be read, holds code, or holds anything else.
    """
    import torch

    try:
        content = _load_safetensors(path) if _is_safetensors(path) else _load_pickled(path)
    except Exception as error:  # torch has no error of its own for a damaged file: its readers raise all kinds
        found = "a file that holds code or is no checkpoint" if isinstance(error, pickle.UnpicklingError) else error
        raise UserError(
            f"unreadable checkpoint {path}", found=one_line(found, 160), fix="give a state dict saved by torch.save"
        ) from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        found = f"a {type(content).__name__}, not a state dict"
        raise UserError(f"unreadable checkpoint {path}", found=found, fix="give one")
    for key, value in content.items():
        if value.layout != torch.strided or value.is_quantized or value.is_complex() or value.is_meta:
            found = f"{key!r} is {value.type()}, {value.layout}"
            raise UserError(f"unreadable checkpoint {path}", found=found, fix="give dense tensors of real numbers")
    return content


def _is_safetensors(path: Path) -> bool:
    """Whether the file begins as safetensors do, with the length of a JSON header; torch's files never do."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _load_safetensors(path: Path) -> "dict[str, Tensor]":
    from safetensors.torch import load_file

    return load_file(path)


def _load_pickled(path: Path) -> object:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of foreign pickles, the error says the same
        return torch.load(path, map_location="cpu", weights_only=True)
