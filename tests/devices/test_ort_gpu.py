"""ONNX Runtime's GPU providers: what they are told; that nothing may fall back is tried with what is here."""

import pytest

from devices import ort, ort_gpu
from devices.session import sessions_at_once
from devices.targets import find_targets
from exporters.cache import Cache
from models import UserError, find

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"


def target(name):
    (target,) = find_targets(name)
    return target


def test_the_provider_gets_the_targets_options_and_our_stream():
    assert ort_gpu.provider_options(target("t4-onnxruntime"), 1234) == {
        "trt_int8_enable": "True",
        "trt_fp16_enable": "True",
        "user_compute_stream": "1234",
    }
    assert ort_gpu.provider_options(target("v100"), 7) == {
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "user_compute_stream": "7",
    }


def test_a_fallback_to_the_cpu_is_forbidden_and_the_batch_is_fixed():
    options = ort_gpu.session_options(target("v100"))
    assert options.get_session_config_entry("session.disable_cpu_ep_fallback") == "1"


def test_onnx_runtime_refuses_a_session_whose_nodes_would_run_on_the_cpu(tmp_path):
    # The rule that GPU sessions rely on, seen with a provider that is here and takes nothing.
    import onnxruntime

    artifact = Cache(tmp_path).obtain(target("cpu").job(find(TINY)[0]))
    options = ort_gpu.session_options(target("v100"))
    available = onnxruntime.get_available_providers()
    other = next(name for name in available if name != "CPUExecutionProvider")
    with pytest.raises(Exception, match="fallback"):
        onnxruntime.InferenceSession(artifact.path, options, providers=[other])


@pytest.mark.parametrize("name", ["v100", "t4-onnxruntime"])
def test_a_provider_that_is_not_installed_is_an_error_that_says_what_is(name, tmp_path):
    aim = target(name)
    artifact = Cache(tmp_path).obtain(target("cpu").job(find(TINY)[0]))
    with pytest.raises(UserError, match=f"{name} must run on {aim.options['provider']}: .*CPUExecutionProvider"):
        ort.open_session(artifact, aim)


def test_a_gpu_holds_one_session_at_once_and_the_cpu_as_many_as_fit():
    assert sessions_at_once(target("cpu")) is None
    assert sessions_at_once(target("fake")) is None
    assert {sessions_at_once(target(name)) for name in ("v100", "v100-torch", "t4", "t4-onnxruntime", "gpu")} == {1}
