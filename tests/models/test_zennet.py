"""Parity with the original implementation: the golden file holds its keys, shapes, parameter counts and logits."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models import find
from models.counts import count

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "zennet_golden.json").read_text())


def golden_weight(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """The weights that the golden logits were computed with: from the key and the shape alone."""
    if key.endswith("num_batches_tracked"):
        return np.zeros((), dtype=np.int64)
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    random = np.random.Generator(np.random.PCG64(seed))
    size = int(np.prod(shape))
    if key.endswith("running_var"):
        values = random.uniform(0.5, 1.5, size)
    elif len(shape) == 1 and key.endswith("weight"):
        values = random.uniform(0.5, 1.0, size)
    elif len(shape) == 1:
        values = random.normal(0, 0.1, size)
    else:
        values = random.normal(0, (2.0 / np.prod(shape[1:])) ** 0.5, size)
    return values.astype(np.float32).reshape(shape)


@pytest.mark.parametrize("name", GOLDEN)
def test_keys_shapes_parameters_and_logits_equal_the_original(name):
    golden = GOLDEN[name]
    (model,) = find(name)
    module = model.architecture()
    shapes = [[key, list(tensor.shape)] for key, tensor in module.state_dict().items()]
    assert shapes == golden["state_dict"]
    assert count(model).params == golden["params"]

    state = {key: torch.from_numpy(golden_weight(key, tuple(shape))) for key, shape in shapes}
    module.load_state_dict(state, strict=True, assign=True)
    images = np.random.Generator(np.random.PCG64(20210202)).normal(0, 1, (2, 3, 224, 224)).astype(np.float32)
    with torch.inference_mode():
        logits = module(torch.from_numpy(images)).numpy()

    expected = np.array(golden["logits_first8"])
    assert np.abs(logits[:, :8] - expected).max() <= 1e-4 * np.abs(expected).max()
    assert logits.mean() == pytest.approx(golden["logits_mean"], abs=1e-4)
    assert logits.std() == pytest.approx(golden["logits_std"], rel=1e-4)
    assert logits.argmax(axis=1).tolist() == golden["argmax"]
