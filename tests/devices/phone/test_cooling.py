"""How long a phone is waited for, against temperatures that it is said to have."""

from hypothesis import given
from hypothesis import strategies as st

from devices.phone.adb import Reply
from devices.phone.cooling import Cooling
from devices.phone.options import PhoneOptions


class Said:
    """A link to a phone whose battery has these temperatures, one a reading, and then the last for ever."""

    def __init__(self, *celsius):
        self.celsius = list(celsius)

    def shell(self, command, timeout_s=20.0):
        now_c = self.celsius.pop(0) if len(self.celsius) > 1 else self.celsius[0]
        return Reply(0, "" if now_c is None else f"  temperature: {round(now_c * 10)}\n")


def cooling(*celsius, longest_s=60.0, **options):
    return Cooling(Said(*celsius), PhoneOptions(cool_down_poll_s=0.0, cool_down_max_s=longest_s, **options))


def test_it_is_held_to_its_own_idle_temperature():
    phone = cooling(24.0, 31.0, 29.5, 29.0)
    rest = phone.wait()
    assert (rest.idle_c, rest.limit_c, rest.readings.battery_c) == (24.0, 29.0, 29.0)
    assert rest.waited_s > 0


def test_a_phone_whose_idle_temperature_is_above_35_is_not_waited_for():
    phone = cooling(34.0, 36.5, longest_s=0.0)
    assert (phone.wait().readings.battery_c, phone.limit_c) == (36.5, 39.0)


def test_one_that_was_hot_at_the_start_is_held_to_the_highest_limit_and_then_to_what_it_cools_to():
    phone = cooling(43.0, 42.0, 39.0, 30.0, 30.0)
    assert phone.limit_c == 40.0
    assert phone.wait().readings.battery_c == 39.0
    assert phone.wait().limit_c == 40.0
    assert phone.limit_c == 35.0


def test_one_that_a_charger_warms_is_waited_for_in_vain_once():
    phone = cooling(24.0, 33.0, longest_s=0.0)
    assert phone.wait().limit_c == 29.0
    rest = phone.wait()
    assert (rest.idle_c, rest.limit_c) == (33.0, 38.0)
    assert rest.waited_s < 60


def test_one_that_tells_no_temperature_is_never_waited_for():
    phone = cooling(None)
    rest = phone.wait()
    assert (rest.readings.battery_c, rest.idle_c) == (None, None)


@given(st.lists(st.one_of(st.none(), st.floats(-20, 90)), min_size=2), st.integers(1, 5))
def test_no_phone_is_let_in_above_the_highest_limit_unless_it_was_waited_for_whole(celsius, visits):
    phone = cooling(*celsius, longest_s=0.0)
    for _ in range(visits):
        rest = phone.wait()
        assert rest.limit_c <= 40.0
        assert rest.idle_c is None or rest.limit_c <= rest.idle_c + 5.0
