"""scikit-learn's 1,797 handwritten digits as photographs in class folders, and a small ZenNet that has learnt them.

A digit has 8x8 values; it is drawn with a margin of a tenth, since a ZenNet's official evaluation sees 320 of 366.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from models.model import Model
from models.photographs.folder import photographs
from models.photographs.pool import prepared
from models.photographs.preprocessing import preprocessing_of
from models.zoo import find

MODEL = (
    "zennet:SuperConvK3BNRELU(3,16,2,1)SuperResK3K3(16,24,2,16,1)SuperResIDWE2K3(24,32,2,24,1)"
    "SuperConvK1BNRELU(32,48,1,1)@32"
)
_DIGIT_PX, _IMAGE_PX = 80, 100
_HELD_OUT, _LEARNT = 300, 1000
_EPOCHS, _BATCH = 10, 32


def model() -> Model:
    """The network, some ten thousand parameters beside its last layer."""
    return find(MODEL)[0]


def write_digits(root: Path) -> tuple[Path, Path]:
    """Two folders of PNG files, those to learn and those held out, drawn apart by a seed."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.images))
    for place, index in enumerate(order[: _HELD_OUT + _LEARNT]):
        folder = root / ("held_out" if place < _HELD_OUT else "learnt") / f"{digits.target[index]}"
        folder.mkdir(parents=True, exist_ok=True)
        _drawn(digits.images[index]).save(folder / f"{index:04d}.png", compress_level=1)
    return root / "learnt", root / "held_out"


def _drawn(values: np.ndarray) -> Image.Image:
    digit = Image.fromarray(np.uint8(values * 255 / 16)).resize((_DIGIT_PX, _DIGIT_PX), Image.Resampling.BICUBIC)
    image = Image.new("RGB", (_IMAGE_PX, _IMAGE_PX))
    margin_px = (_IMAGE_PX - _DIGIT_PX) // 2
    image.paste(digit, (margin_px, margin_px))
    return image


def write_checkpoint(learnt: Path, path: Path) -> Path:
    """Train `model()` on a folder of digits, seeded, and write its weights.

    In one thread: on cores that other tests use, two would wait for each other most of the time.
    """
    images, labels = _inputs(learnt)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.save(_trained(images, labels).state_dict(), path)
    torch.set_num_threads(threads)
    return path


def _trained(images: torch.Tensor, labels: torch.Tensor) -> torch.nn.Module:
    torch.manual_seed(0)
    module = model().build().train().requires_grad_(True)
    steps = _EPOCHS * -(-len(images) // _BATCH)
    optimizer = torch.optim.AdamW(module.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for _ in range(_EPOCHS):
        for chosen in torch.randperm(len(images)).split(_BATCH):
            loss = torch.nn.functional.cross_entropy(module(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return module.eval()


def _inputs(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    found = photographs(folder).images
    pixels = [pixels for _, pixels, _ in prepared(found, preprocessing_of(model()), processes=2)]
    return torch.from_numpy(np.stack(pixels)), torch.tensor([photograph.label for photograph in found])
