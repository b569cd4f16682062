import threading
import time

from system.stop import AnyStop


def test_it_is_set_where_either_is_and_sets_itself_alone():
    other = threading.Event()
    one, two = AnyStop(other), AnyStop(other)
    assert not one.wait(0.01)
    one.set()
    assert (one.is_set(), two.is_set(), other.is_set()) == (True, False, False)
    other.set()
    assert two.is_set()
    assert two.wait(10.0)


def test_its_own_setting_ends_a_wait():
    stop = AnyStop(threading.Event())
    threading.Timer(0.1, stop.set).start()
    begun_s = time.monotonic()
    assert stop.wait(60.0)
    assert time.monotonic() - begun_s < 60.0
