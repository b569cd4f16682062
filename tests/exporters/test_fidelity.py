import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from exporters.fidelity import FP32_LIMIT, check_fidelity, measure_fidelity
from models import UserError, find
from models.images import synthetic_images

LOGITS = np.array([[1.0, 2.0, 3.0], [9.0, 5.0, 7.0]], dtype=np.float32)


def test_equal_logits_are_faithful():
    fidelity = check_fidelity(LOGITS, LOGITS.copy(), limit=1e-4)
    assert (fidelity.relative_error, fidelity.top1_agreement) == (0.0, 1.0)
    assert fidelity.cosine == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("logits", "says"),
    [
        (LOGITS + 0.01, "relative error"),
        (LOGITS[:, ::-1], "top-1 agreement 0"),
        (LOGITS * np.nan, "NaN"),
        (LOGITS[:1], "shape"),
    ],
)
def test_other_logits_are_refused(logits, says):
    with pytest.raises(UserError, match=says):
        check_fidelity(LOGITS, logits, limit=1e-4)


def test_one_image_that_disagrees_is_enough():
    logits = LOGITS.copy()
    logits[1] = logits[1, [2, 1, 0]]
    with pytest.raises(UserError, match=r"top-1 agreement 0\.5, relative margin lost 0\.22"):
        check_fidelity(LOGITS, logits, limit=0.22)


def test_a_top1_class_may_change_within_the_error_that_a_logit_may_have():
    reference = np.array([[9.9, 10.0, 1.0], [1.0, 5.0, 2.0]], dtype=np.float32)
    logits = reference + np.array([[0.15, -0.05, 0.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    fidelity = check_fidelity(reference, logits, limit=0.02)
    assert fidelity.top1_agreement == 0.5
    with pytest.raises(UserError, match=r"relative error 0\.015, top-1 agreement 0\.5"):
        check_fidelity(reference, logits, limit=0.0149)


def test_a_top1_class_that_two_allowed_errors_together_change_is_refused():
    reference = np.array([[9.7, 10.0, 1.0]], dtype=np.float32)
    logits = np.array([[9.88, 9.82, 1.0]], dtype=np.float32)
    with pytest.raises(UserError, match=r"relative error 0\.018, top-1 agreement 0, relative margin lost 0\.03"):
        check_fidelity(reference, logits, limit=0.02)


@given(arrays(np.float32, (2, 5), elements=st.floats(-100, 100, width=32, exclude_min=True)))
def test_the_error_is_relative_to_the_largest_logit(noise):
    reference = np.linspace(1, 10, 10, dtype=np.float32).reshape(2, 5)
    found = measure_fidelity(reference, reference + noise)
    assert found.relative_error == pytest.approx(float(np.abs(reference + noise - reference).max() / 10), rel=1e-5)
    assert -1.001 <= found.cosine <= 1.001 or np.isnan(found.cosine)


def logits_of(network, source):
    (model,) = find(source)
    dtype = next(network.parameters()).dtype
    with torch.inference_mode():
        return network(torch.from_numpy(synthetic_images(2, model.resolution_px, seed=1)).to(dtype)).numpy()


@pytest.mark.parametrize("source", ["timm:test_resnet@96", "timm:test_vit@96"])
def test_an_error_of_a_percent_in_any_one_layer_is_refused(source):
    network = find(source)[0].build()
    reference = logits_of(network, source)
    layers = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) > 10
    for layer in layers:
        exact = layer.weight.clone()
        layer.weight.mul_(1.01)
        with pytest.raises(UserError, match="relative error"):
            check_fidelity(reference, logits_of(network, source), limit=FP32_LIMIT)
        layer.weight.copy_(exact)
    assert check_fidelity(reference, logits_of(network, source), limit=0).relative_error == 0


@pytest.mark.parametrize(
    "source",
    [f"timm:test_{kind}@160" for kind in ("resnet", "vit", "convnext", "coatnet", "mambaout")]
    + ["timm:eca_nfnet_l0@64"],
)
def test_rounding_alone_is_far_below_the_limit_in_networks_of_every_kind(source):
    """So that no network needs a wider limit: what exceeds this one computes something else."""
    network = find(source)[0].build()
    rounded = logits_of(network, source)
    assert 0 < measure_fidelity(logits_of(network.double(), source), rounded).relative_error < FP32_LIMIT / 20
