import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from exporters.fidelity import check_fidelity, measure_fidelity
from models import UserError

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
    with pytest.raises(UserError, match=r"top-1 agreement 0\.5"):
        check_fidelity(LOGITS, logits, limit=1.0)


@given(arrays(np.float32, (2, 5), elements=st.floats(-100, 100, width=32, exclude_min=True)))
def test_the_error_is_relative_to_the_largest_logit(noise):
    reference = np.linspace(1, 10, 10, dtype=np.float32).reshape(2, 5)
    found = measure_fidelity(reference, reference + noise)
    assert found.relative_error == pytest.approx(float(np.abs(reference + noise - reference).max() / 10), rel=1e-5)
    assert -1.001 <= found.cosine <= 1.001 or np.isnan(found.cosine)
