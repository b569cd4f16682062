"""What several devices' tests need."""

from tests.fake_phone.fixtures import phones, server

__all__ = ["phones", "server"]
