"""ExecuTorch's programs and sessions, in its own environment: tools/check_environments.py makes it and runs these."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from devices.predict import predictor_of
from devices.runtime import absence_of
from devices.runtimes import executorch
from devices.targets import find_targets
from devices.worker import SessionLost, open_session
from exporters import to_executorch
from exporters.artifact import Job
from exporters.cache import Cache
from exporters.fidelity import measure_fidelity, source_logits
from models import UserError, find
from models.images import synthetic_images

here = pytest.mark.executorch
TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResK3K3(8,8,1,8,1)@32"
SQUEEZING = "timm:tf_efficientnet_b0@32"


def target_named(name, **changes):
    (target,) = find_targets(name)
    return msgspec.structs.replace(target, **changes)


@pytest.fixture(scope="module")
def artifact_of(tmp_path_factory):
    cache = Cache(tmp_path_factory.mktemp("artifacts"))
    return lambda name=TINY: cache.obtain(target_named("cpu-executorch").job(find(name)[0]))


def test_without_it_target_and_export_say_what_installs_it(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert absence_of(target_named("cpu-executorch")) == (
        "no executorch; `make bench-cpu-executorch` installs it into an environment of its own"
    )
    job = Job(model=find(TINY)[0], format="executorch", precision="fp32", batch=1)
    with pytest.raises(UserError, match=r"no ExecuTorch: .*; export with \.venv-executorch/bin/python"):
        to_executorch.export(job, None, tmp_path / "x.pte")


def test_it_has_no_profiler():
    with pytest.raises(UserError, match="no profiler for target cpu-executorch: ExecuTorch sees one call of XNNPACK"):
        executorch.open_profiler(None, target_named("cpu-executorch"))


@here
@pytest.mark.parametrize("network", [TINY, SQUEEZING])
def test_logits_are_those_of_the_torch_network(artifact_of, network):
    artifact = artifact_of(network)
    predictor = predictor_of(artifact, target_named("cpu-executorch"))
    images = [synthetic_images(1, 32, seed=seed) for seed in range(3)]
    reference = source_logits(Job(model=find(network)[0], format="torch", precision="fp32"), np.concatenate(images))
    logits = [predictor.predict(each) for each in images]
    assert measure_fidelity(reference, np.concatenate(logits)).relative_error <= 1e-4
    assert (predictor.predict(images[0]) == logits[0]).all()
    assert artifact.fidelity.relative_error <= 1e-4
    predictor.close()
    predictor.close()


@here
@pytest.mark.parametrize("threads", [1, 2])
def test_a_session_in_a_worker_gives_every_time_and_says_where_it_runs(artifact_of, threads):
    target = target_named("cpu-executorch", options={"threads": threads})
    session = open_session(artifact_of(), target, timeout_s=120)
    samples = session.run(5)
    assert len(samples.seconds) == 5
    assert min(samples.seconds) > 0
    assert session.ran_on == {"backend": "XnnpackBackend", "threads": threads}
    session.close()


@here
def test_another_batch_is_refused(artifact_of):
    with pytest.raises(UserError, match="wrong batch: 1; export with --batch 4"):
        executorch.open_session(artifact_of(), target_named("cpu-executorch", batch=4))


@here
def test_a_damaged_file_is_a_lost_session(artifact_of, tmp_path):
    damaged = tmp_path / "damaged.pte"
    damaged.write_bytes(Path(artifact_of().path).read_bytes()[:100])
    with pytest.raises(SessionLost, match=r"can't load damaged\.pte"):
        open_session(
            msgspec.structs.replace(artifact_of(), path=str(damaged)), target_named("cpu-executorch"), timeout_s=120
        )
