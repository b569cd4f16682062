import pytest
from hypothesis import given
from hypothesis import strategies as st

from system.versions import release_of


@given(st.integers(0, 999), st.integers(0, 999), st.sampled_from(["", ".0", ".2rc1", ".1+cu130"]))
def test_the_release_is_the_first_two_numbers_whatever_follows(major, minor, rest):
    assert release_of(f"{major}.{minor}{rest}") == (major, minor)


@pytest.mark.parametrize(("older", "newer"), [("1.9", "1.31.0"), ("10.4.0", "10.16.1.11"), ("1", "1.0")])
def test_releases_compare_as_numbers(older, newer):
    assert release_of(older) < release_of(newer)
