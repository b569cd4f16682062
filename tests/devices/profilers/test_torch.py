"""Times of kernels, read from torch's own events: a GPU's are built by hand, since here is none."""

import pytest
from torch.autograd import DeviceType
from torch.autograd.profiler_util import FunctionEvent

from devices.profilers.torch import read_events


def event(name, *, number, start_us, end_us, kernels_us=()):
    made = FunctionEvent(id=number, name=name, thread=1, start_us=start_us, end_us=end_us, use_device="cuda")
    for duration_us in kernels_us:
        made.append_kernel("kernel", 0, duration_us)
    return made


def within(parent, *children):
    for child in children:
        parent.append_cpu_child(child)
        child.set_cpu_parent(parent)


@pytest.fixture
def events():
    scope = event("module module_list.1", number=1, start_us=0, end_us=100)
    convolution = event("aten::conv2d", number=2, start_us=1, end_us=60)
    cudnn = event("aten::cudnn_convolution", number=3, start_us=2, end_us=50, kernels_us=[300, 40])
    relu = event("aten::relu_", number=4, start_us=61, end_us=80, kernels_us=[20])
    view = event("aten::view", number=5, start_us=81, end_us=90)
    within(scope, convolution, relu, view)
    within(convolution, cudnn)
    kernel = FunctionEvent(
        id=6, name="aten::not_a_kernels_name", thread=0, start_us=5, end_us=305, device_type=DeviceType.CUDA
    )
    return [scope, convolution, cudnn, relu, view, kernel]


def test_the_operator_that_started_a_kernel_has_its_time(events):
    found = read_events(events, of_kernels=True)
    assert [(each.kind, each.scope) for each in found] == [
        ("aten::cudnn_convolution", "module_list.1"),
        ("aten::relu_", "module_list.1"),
    ]
    assert [each.seconds for each in found] == pytest.approx([340e-6, 20e-6])


def test_on_the_cpu_an_operator_has_its_own_time(events):
    found = {each.kind: each.seconds for each in read_events(events[:-1], of_kernels=False)}
    assert found["aten::conv2d"] == pytest.approx(11e-6)
    assert found["aten::cudnn_convolution"] == pytest.approx(48e-6)
