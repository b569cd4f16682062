"""Checkpoints whose tensors lie in memory in every odd way: each file is the one that plain tensors give."""

import itertools
import warnings
from pathlib import Path

import pytest
import torch

from exporters.artifact import Job
from exporters.cache import Cache
from exporters.formats import find_format
from models import find
from models.images import synthetic_images
from tests.run_files import FILES, leave_out_where_onnxruntime_is_too_old, logits_of

# A projection and an identity as shortcut, a depthwise convolution with squeeze-excite, a classifier.
SOURCE = "zennet-se:SuperConvK3BNRELU(3,16,2,1)SuperResIDWE2K3(16,16,1,16,1)SuperConvK1BNRELU(16,32,1,1)@32"


def transposed(tensor):
    return tensor.transpose(0, -1).contiguous().transpose(0, -1)


def sliced(tensor):
    return torch.stack([tensor, tensor + 1], dim=-1)[..., 0]


def channels_last(tensor):
    return tensor.to(memory_format=torch.channels_last) if tensor.dim() == 4 else transposed(tensor)


def expanded(tensor):
    return tensor.flatten()[0].expand(tensor.shape)


def of_one_storage(tensors):
    """The tensors as views of one storage."""
    whole = torch.cat([tensor.flatten() for tensor in tensors])
    begins = itertools.accumulate((tensor.numel() for tensor in tensors), initial=0)
    return [whole[begin : begin + each.numel()].view(each.shape) for begin, each in zip(begins, tensors, strict=False)]


ODD = [transposed, sliced, channels_last, torch.Tensor.half, torch.Tensor.bfloat16, torch.Tensor.double]


def odd_state(state):
    """The same keys, the tensors of each kind of layer laid out in all the ways of `ODD` in turns, and two more."""
    ways = {}
    found = {}
    for key, tensor in state.items():
        if not tensor.dim():
            found[key] = tensor
            continue
        turn = ways.setdefault((tensor.dim(), key.rpartition(".")[2]), itertools.cycle(ODD))
        found[key] = next(turn)(tensor)
    scales = [key for key, tensor in state.items() if key.endswith("weight") and tensor.dim() == 1]
    found[scales[0]] = expanded(state[scales[0]])
    sharing = [key for key in state if key.endswith(("running_mean", "running_var"))][:6]
    found |= dict(zip(sharing, of_one_storage([state[key] for key in sharing]), strict=True))
    found[scales[2]] = found[scales[1]] = sliced(state[scales[1]])  # two keys of one tensor
    return found


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """A checkpoint of odd tensors, and one of the same values as plain ones."""
    folder = tmp_path_factory.mktemp("layouts")
    odd = odd_state(find(SOURCE)[0].build().state_dict())
    plain = {
        key: tensor.to(torch.float32).contiguous().clone() if tensor.dim() else tensor for key, tensor in odd.items()
    }
    for name, state in (("odd.pth", odd), ("plain.pth", plain)):
        torch.save(state, folder / name)
    return folder / "odd.pth", folder / "plain.pth"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts"))


def test_the_odd_ones_are_odd(checkpoints):
    odd = torch.load(checkpoints[0], weights_only=True)
    kernels = [tensor for tensor in odd.values() if tensor.dim() == 4]
    assert sum(not tensor.is_contiguous() for tensor in kernels) >= 3
    assert any(0 in tensor.stride() for tensor in odd.values())
    assert {tensor.dtype for tensor in odd.values()} >= {torch.float16, torch.bfloat16, torch.float32, torch.float64}
    storages = [tensor.untyped_storage().data_ptr() for tensor in odd.values()]
    assert len(set(storages)) <= len(storages) - 6
    assert any(tensor.untyped_storage().nbytes() > tensor.numel() * tensor.element_size() for tensor in odd.values())


@pytest.mark.parametrize(("format_", "precision"), FILES)
def test_every_exporter_makes_the_same_of_both(checkpoints, cache, format_, precision):
    leave_out_where_onnxruntime_is_too_old(precision)
    model = find(SOURCE)[0]
    batch = None if find_format(format_).dynamic_batch else 1
    images = synthetic_images(2, model.resolution_px, seed=5)
    files: list[bytes] = []
    logits = []
    for path in checkpoints:
        job = Job(model=model, format=format_, precision=precision, batch=batch, weights=path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the converters' own
            artifact = cache.obtain(job)
        files.append(Path(artifact.path).read_bytes())
        logits.append(logits_of(job, artifact, images))
    assert files[0] == files[1] or (logits[0] == logits[1]).all()
    assert logits[0].std() > 0
    # The ONNX files are what plans of TensorRT are built from.
    assert format_ not in {"onnx", "onnx_int8"} or files[0] == files[1]
