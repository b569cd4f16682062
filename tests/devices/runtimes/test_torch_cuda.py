"""The torch_cuda session under the one measuring loop, on CPU tensors with a probe in place of torch.cuda."""

import threading
import time
from types import SimpleNamespace

import msgspec
import pytest
import torch

from bench.measure import visit, warm_up
from bench.protocol import Protocol
from bench.trust.reference import Reference
from devices.nvidia.cuda_events import NAME, naming_full_memory, time_each
from devices.predictor import LoadedPredictor
from devices.runtimes.torch_cuda import TorchCudaNetwork, TorchCudaSession
from devices.targets import find_targets
from exporters.artifact import Job
from exporters.cache import Cache
from exporters.fidelity import measure_fidelity, source_logits
from models import UserError, find
from models.images import synthetic_images

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"
GPU_MS = 2.0  # what the probe's GPU takes for a batch


class Probe:
    """Stands where torch.cuda does and writes down what happens in which order; its clock moves with every batch."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.now_ms = 0.0

    def current_stream(self):
        return "stream"

    def synchronize(self):
        self.log.append("synchronize")

    def Event(self, *, enable_timing):
        assert enable_timing
        return Event(self)

    def CUDAGraph(self):
        return SimpleNamespace(replay=lambda: self.log.append("replay"))

    def graph(self, captured):
        probe = self

        class Capture:
            def __enter__(self):
                probe.log.append("capture")

            def __exit__(self, *_):
                probe.log.append("captured")

        return Capture()


class Event:
    def __init__(self, probe: Probe) -> None:
        self.probe, self.at_ms = probe, None

    def record(self, stream):
        assert stream == "stream"
        self.probe.log.append("event")
        self.at_ms = self.probe.now_ms

    def elapsed_time(self, end):
        assert self.probe.log[-1] == "synchronize", "an event's time is only known after the wait"
        return end.at_ms - self.at_ms


class Watch:
    """Stands where NVML does."""

    def __init__(self, probe: Probe) -> None:
        self.probe, self.readings = probe, {"sm_clock_mhz": 1380}

    def start(self):
        self.probe.log.append("watch")

    def facts(self):
        return {"gpu": "Tesla V100-SXM2-16GB"}

    def read(self):
        if threading.current_thread() is threading.main_thread():  # the sampler's readings come whenever they come
            self.probe.log.append("read")
        return self.readings

    def close(self):
        self.probe.log.append("closed")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts"))


def target(**options):
    (target,) = find_targets("gpu-torch")
    return msgspec.structs.replace(target, batch=2, options=options)


def opened(cache, precision="fp16", **options):
    probe = Probe()
    aim = msgspec.structs.replace(target(**options), precision=precision)
    artifact = cache.obtain(aim.job(find(TINY)[0]))
    network = TorchCudaNetwork(artifact, aim, cuda=probe, device="cpu", watch=Watch(probe))

    def forward(module, inputs):
        probe.log.append("batch")
        probe.now_ms += GPU_MS
        assert torch.is_inference_mode_enabled()

    network.module.register_forward_pre_hook(forward)
    return TorchCudaSession(network), probe


def test_a_visit_is_events_around_each_batch_one_reading_and_one_wait(cache):
    session, probe = opened(cache)
    probe.log.clear()
    samples = session.run(3)
    assert probe.log == ["event", "batch", "event"] * 3 + ["read", "synchronize"]
    assert samples.seconds == pytest.approx([GPU_MS * 1e-3] * 3)
    assert len(samples.evidence["enqueue_s"]) == 3
    assert min(samples.evidence["enqueue_s"]) > 0
    assert samples.conditions[0]["sm_clock_mhz"] == 1380
    assert samples.conditions[0]["readings"] >= 1
    assert len(samples.conditions) == 1


def test_the_measuring_loop_warms_up_before_it_samples_and_waits_once_a_run(cache):
    session, probe = opened(cache)
    probe.log.clear()
    protocol = Protocol(warmup_s=0.02, visit_s=0.01, visit_samples=2, settle_samples=1, reading_every_s=0.005)
    warmup_s = warm_up(session, protocol)
    batches = len(warmup_s)
    assert sum(warmup_s) >= 0.02
    assert probe.log.count("batch") == batches
    assert probe.log[-1] == "synchronize"
    probe.log.clear()
    visited = visit(session, protocol, lambda: 0.0, Reference())
    runs = "".join({"event": "e", "batch": "b", "read": "r", "synchronize": "s"}[word] for word in probe.log)
    assert runs == "ebers" + "ebe" * 3 + "rs" + "ebe" * 2 + "rs"
    assert visited.samples.seconds == pytest.approx([GPU_MS * 1e-3] * 5)
    assert len(visited.samples.conditions) == 2


def test_fp16_and_layout_are_what_the_target_says_and_are_recorded(cache):
    session, _ = opened(cache, channels_last=True)
    assert session._network.images.dtype == torch.float16
    assert session._network.images.is_contiguous(memory_format=torch.channels_last)
    assert next(session._network.module.parameters()).dtype == torch.float16
    assert torch.backends.cudnn.benchmark
    assert session.clock == NAME
    assert session.ran_on | {"cuda": ""} == {
        "device": "cpu",
        "dtype": "float16",
        "layout": "channels_last",
        "cuda_graph": 0,
        "cudnn_benchmark": 1,
        "cuda": "",
        "gpu": "Tesla V100-SXM2-16GB",
    }
    session, _ = opened(cache, precision="fp32")
    assert (session.ran_on["dtype"], session.ran_on["layout"]) == ("float32", "contiguous_format")


def test_the_first_run_is_before_the_watch_begins_and_outside_every_sample(cache):
    _, probe = opened(cache)
    assert probe.log == ["watch"]  # what ran before the hook was there is not in the log, and no event was either


def test_a_cuda_graph_is_captured_once_after_a_run_and_replayed(cache):
    session, probe = opened(cache, cuda_graph=True)
    assert probe.log == ["capture", "captured", "watch"]
    probe.log.clear()
    session.run(2)
    assert probe.log == ["event", "replay", "event"] * 2 + ["read", "synchronize"]
    assert session.ran_on["cuda_graph"] == 1


def asked(cache, precision="fp16", **options):
    probe, aim = Probe(), msgspec.structs.replace(target(**options), precision=precision)
    artifact = cache.obtain(aim.job(find(TINY)[0]))
    network = TorchCudaNetwork(artifact, aim, cuda=probe, device="cpu", watch=Watch(probe))
    return LoadedPredictor(network, artifact, aim), network, probe


@pytest.mark.parametrize(("precision", "limit"), [("fp32", 1e-5), ("fp16", 1e-2)])
@pytest.mark.parametrize("channels_last", [False, True])
def test_a_predictor_s_logits_are_those_of_the_images_that_it_is_shown(cache, precision, limit, channels_last):
    predictor, network, _ = asked(cache, precision, channels_last=channels_last)
    assert predictor.ran_on == opened(cache, precision, channels_last=channels_last)[0].ran_on
    for seed in (3, 4):
        shown = synthetic_images(2, 32, seed=seed)
        reference = source_logits(Job(model=find(TINY)[0], format="torch", precision="fp32"), shown)
        logits = predictor.predict(shown)
        assert logits.dtype == "float32"
        assert measure_fidelity(reference, logits).relative_error < limit
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert network.images.is_contiguous(memory_format=layout)


def test_a_predictor_replays_the_graph_on_the_images_that_it_was_captured_with_filled_anew(cache):
    predictor, network, probe = asked(cache, "fp32", cuda_graph=True)
    address, shown = network.images.data_ptr(), synthetic_images(2, 32, seed=3)
    probe.log.clear()
    predictor.predict(shown)
    assert probe.log == ["replay"]
    assert network.images.data_ptr() == address
    assert (network.images.numpy() == shown).all()
    predictor.close()
    assert probe.log == ["replay", "closed"]


def test_closing_lets_the_watch_go(cache):
    session, probe = opened(cache)
    session.close()
    assert probe.log[-1] == "closed"


def test_logits_that_are_not_finite_are_never_timed(cache, monkeypatch):
    from models.model import Model

    build = Model.build

    def ruined(self, weights=None):
        module = build(self, weights)
        module.fc_linear.netblock.bias.fill_(float("nan"))
        return module

    target_, (model,) = target(), find(TINY)
    artifact = cache.obtain(target_.job(model))
    monkeypatch.setattr(Model, "build", ruined)
    probe = Probe()
    with pytest.raises(UserError, match=r"NaN or infinity in torch\.float16"):
        TorchCudaNetwork(artifact, target_, cuda=probe, device="cpu", watch=Watch(probe))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has 15.77 GiB"),
        RuntimeError("Failed to allocate memory for requested buffer of size 1073741824"),
        MemoryError("no execution context: the GPU's memory is full"),
    ],
)
def test_a_full_gpu_is_a_reason_that_names_the_batch(error):
    with (
        pytest.raises(UserError, match=r"out of GPU memory at batch 64: .*; the batch stays as it is"),
        naming_full_memory(64),
    ):
        raise error


def test_any_other_error_stays_itself():
    with pytest.raises(ZeroDivisionError), naming_full_memory(64):
        raise ZeroDivisionError


def test_a_failure_while_queueing_is_not_hidden():
    def queue():
        raise RuntimeError("no kernel image is available for execution on the device")

    with pytest.raises(RuntimeError, match="no kernel image"):
        time_each(queue, 1, cuda=Probe(), stream="stream", read=dict)


def test_a_slowdown_that_comes_and_goes_within_a_visit_is_seen():
    """The driver's answer is high only for the middle one of three batches, never at the end."""
    now = {"throttled": None}

    def read():
        seen = {name: value for name, value in now.items() if value}
        asked.set()
        return seen | {"sm_clock_mhz": 900 if seen else 1380}

    def queue():
        batches.append(None)
        now["throttled"] = "hardware slowdown" if len(batches) == 2 else None
        asked.clear()
        assert len(batches) != 2 or (asked.wait(30) and time.sleep(0.1) is None)

    batches, asked = [], threading.Event()
    samples = time_each(queue, 3, cuda=Probe(), stream="stream", read=read)
    (table,) = samples.conditions
    assert (table["throttled"], table["sm_clock_mhz"]) == ("hardware slowdown", 900)
    assert table["readings"] >= 2


def test_a_reading_that_fails_beside_the_visit_fails_the_visit():
    def read():
        if threading.current_thread() is not threading.main_thread():
            failed.set()
            raise RuntimeError("GPU is lost")
        return {}

    failed = threading.Event()
    with pytest.raises(RuntimeError, match="GPU is lost"):
        time_each(lambda: failed.wait(30), 1, cuda=Probe(), stream="stream", read=read)
