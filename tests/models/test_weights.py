import hashlib
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models import UserError, find
from models.weights import seeded, set_norm_variances

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResK3K3(8,8,1,8,1)@32"


@pytest.fixture
def tiny():
    (model,) = find(TINY)
    return model


def test_seeded_weights_are_the_same_to_the_last_bit_everywhere():
    digest = hashlib.sha256(seeded("module_list.0.weight", (16, 3, 3, 3)).tobytes()).hexdigest()
    assert digest == "870b46f9fc2bf46b87945d6a728274496aba1d06b1da63c0da71fffdaded53bd"


def test_seeded_weights_have_no_denormals_and_the_variance_of_he():
    values = seeded("layer.weight", (64, 32, 3, 3))
    assert np.abs(values[values != 0]).min() > np.finfo(np.float32).tiny
    assert values.var() == pytest.approx(2 / (32 * 9), rel=0.05)


def test_gains_of_standardised_convolutions_keep_the_variance_of_their_input():
    gains = seeded("stages.0.0.conv1.gain", (64, 1, 1, 1))
    assert 0.75 <= gains.min() < gains.max() <= 1.25


def test_building_twice_gives_the_same_network(tiny):
    one, two = tiny.build().state_dict(), tiny.build().state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not tiny.build().training


@pytest.mark.parametrize("name", ["*flops400M*", "*latency01ms*", "EfficientNet-B3"])
def test_norms_round_alike_on_every_machine(name):
    # Another machine's logs differ in the seventh digit; one that near a half would round the other way there.
    (model,) = find(name)
    exponents = set_norm_variances(model.build(), model.resolution_px).values()
    assert min(abs(abs(exponent - round(exponent)) - 0.5) for exponent in exponents) > 1e-4


def test_logits_depend_on_the_image(tiny):
    module = tiny.build()
    with torch.inference_mode():
        one, two = module(torch.zeros(1, 3, 32, 32)), module(torch.ones(1, 3, 32, 32))
    assert (one - two).abs().max() > 0.01 * one.abs().max()


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state, "epoch": 3}])
def test_a_checkpoint_is_loaded_strictly(tiny, tmp_path, wrap):
    state = {key: tensor + 1 for key, tensor in tiny.build().state_dict().items()}
    torch.save(wrap(state), tmp_path / "weights.pth")
    loaded = tiny.build(tmp_path / "weights.pth").state_dict()
    assert all(torch.equal(loaded[key], state[key]) for key in state)


def transposed(tensor):
    return tensor.transpose(0, -1).contiguous().transpose(0, -1) if tensor.dim() else tensor


def sliced(tensor):
    return torch.stack([tensor, tensor], dim=-1)[..., 0]


def channels_last(tensor):
    return tensor.to(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


@pytest.mark.parametrize("restride", [transposed, sliced, channels_last, torch.Tensor.half])
def test_a_checkpoint_s_strides_and_types_are_not_the_network_s(tiny, tmp_path, restride):
    state = {key: tensor.half().to(tensor.dtype) for key, tensor in tiny.build().state_dict().items()}
    odd = {key: restride(tensor) for key, tensor in state.items()}
    torch.save(odd, tmp_path / "weights.pth")
    assert restride is torch.Tensor.half or not all(tensor.is_contiguous() for tensor in odd.values())
    module = tiny.build(tmp_path / "weights.pth")
    for key, tensor in module.state_dict().items():
        assert tensor.is_contiguous()
        assert tensor.dtype == state[key].dtype
        assert torch.equal(tensor, state[key])
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_tensors_that_share_storage_in_a_checkpoint_do_not_in_the_network(tiny, tmp_path):
    state = tiny.build().state_dict()
    (one, two), *_ = [
        (key, other) for key in state for other in state if key < other and state[key].shape == state[other].shape
    ]
    torch.save(state | {one: state[two]}, tmp_path / "weights.pth")
    loaded = tiny.build(tmp_path / "weights.pth").state_dict()
    assert torch.equal(loaded[one], loaded[two])
    assert loaded[one].data_ptr() != loaded[two].data_ptr()


def test_a_wrong_checkpoint_names_the_first_key_that_differs(tiny, tmp_path):
    path = tmp_path / "weights.pth"
    state = tiny.build().state_dict()
    first = next(iter(state))

    torch.save({key: value for key, value in state.items() if key != first}, path)
    with pytest.raises(UserError, match=f"no '{first}'"):
        tiny.build(path)
    torch.save(state | {first: torch.zeros(2)}, path)
    with pytest.raises(UserError, match=f"'{first}' has shape"):
        tiny.build(path)
    torch.save(state | {"extra": torch.zeros(2)}, path)
    with pytest.raises(UserError, match="'extra', which the network lacks"):
        tiny.build(path)


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


def test_a_checkpoint_that_holds_code_is_refused_and_runs_nothing(tiny, tmp_path):
    path, marker = tmp_path / "evil.pth", tmp_path / "ran"
    torch.save({"weight": Evil(marker)}, path)
    with pytest.raises(UserError, match="holds code"):
        tiny.build(path)
    path.write_bytes(pickle.dumps(Evil(marker)))
    with pytest.raises(UserError, match="unreadable checkpoint"):
        tiny.build(path)
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut"])
def test_a_damaged_checkpoint_is_one_error(tiny, tmp_path, content):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match="unreadable checkpoint"):
        tiny.build(path)


def test_a_truncated_checkpoint_and_a_missing_one_are_errors(tiny, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(tiny.build().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match="unreadable checkpoint"):
        tiny.build(path)
    with pytest.raises(UserError, match="unreadable checkpoint"):
        tiny.build(tmp_path / "absent.pth")


@pytest.mark.parametrize("name", ["x.safetensors", "x.bin"])
def test_safetensors_are_read_whatever_they_are_called(tiny, tmp_path, name):
    state = tiny.build().state_dict()
    save_file({key: value + 1 for key, value in state.items()}, tmp_path / name)
    loaded = tiny.build(tmp_path / name).state_dict()
    assert all(torch.equal(loaded[key], state[key] + 1) for key in state)


def test_damaged_safetensors_are_one_error(tiny, tmp_path):
    path = tmp_path / "x.safetensors"
    save_file(tiny.build().state_dict(), path)
    whole = path.read_bytes()
    for content in (whole[:-1], whole[:20], whole[:8] + b"{", whole[:100] + b"\0" + whole[101:]):
        path.write_bytes(content)
        with pytest.raises(UserError, match="unreadable checkpoint"):
            tiny.build(path)


@pytest.mark.filterwarnings("ignore")  # torch's, of sparse and of quantized tensors
@pytest.mark.parametrize(
    "odd",
    [
        lambda: torch.zeros(3, 3).to_sparse(),
        lambda: torch.zeros(3, dtype=torch.complex64),
        lambda: torch.zeros(3, device="meta"),
        lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8),
    ],
)
def test_tensors_that_no_network_has_are_one_error(tiny, tmp_path, odd):
    torch.save({"module_list.0.weight": odd()}, tmp_path / "x.pth")
    with pytest.raises(UserError, match=r"unreadable checkpoint .*; give dense tensors of real numbers"):
        tiny.build(tmp_path / "x.pth")
