"""How long a sweep on a GPU takes, by the simulation whose figures stand in docs/nvidia.md."""

import pytest

from studies.gpu_wall_time import simulated


@pytest.mark.parametrize("scatter", [0.002, 0.02])
def test_twelve_networks_take_a_quarter_of_an_hour_at_most_on_a_card_of_80_gb(scatter):
    took = simulated(scatter, memory_gb=80.0)
    assert took.visits >= 12 * 6
    assert took.minutes <= 15


def test_a_card_that_holds_one_session_takes_longer():
    few = ["*latency0[12]*", "*t-B3"]
    whole, single = (simulated(0.002, memory_gb=memory, session_gb=6.0, models=few) for memory in (80.0, 6.0))
    assert single.visits == whole.visits
    assert single.minutes > 2 * whole.minutes
