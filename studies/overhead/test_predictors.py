"""A predictor in a process of its own beside the same one in this process: the images' way there adds less than 3 %."""

import time
from statistics import median

import msgspec
import pytest

from devices.predict import PredictorWorker, predictor_of
from devices.targets import find_targets
from exporters.cache import Cache
from models import find
from models.images import synthetic_images

FLOPS400M = find("*flops400M*")[0].source


@pytest.mark.parametrize(("batch", "px", "rounds"), [(1, 224, 200), (64, 300, 6)])
def test_a_worker_adds_less_than_three_percent(artifacts, batch, px, rounds):
    """Both answer in turn, under the same conditions; the ratio is of the medians of their faster halves."""
    target = msgspec.structs.replace(find_targets("cpu")[0], batch=batch)
    artifact = Cache(artifacts).obtain(target.job(find(f"{FLOPS400M}@{px}")[0]))
    images = synthetic_images(1, px).repeat(batch, axis=0)
    worker, here = PredictorWorker(artifact, target, timeout_s=600), predictor_of(artifact, target)
    there_s, here_s = [], []
    for _ in range(rounds):
        for taken, predictor in ((here_s, here), (there_s, worker)):
            begun = time.perf_counter()
            predictor.predict(images)
            taken.append(time.perf_counter() - begun)
    worker.close()
    here.close()
    fast_here, fast_there = (median(sorted(taken)[: rounds // 2]) for taken in (here_s, there_s))
    ratio = fast_there / fast_here
    print(f"batch {batch} at {px} px: {fast_here * 1e3:.2f} ms here, worker / here = {ratio:.4f}")
    assert ratio < 1.03
