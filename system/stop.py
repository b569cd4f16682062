"""`AnyStop`: an event that is also set where another one is."""

import threading


class AnyStop(threading.Event):
    """Set by itself, or by the event that it is given; setting it leaves that one as it is."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        """Whether either is set."""
        return super().is_set() or self._other.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Whether either is set after so many seconds, or as soon as this one is."""
        return self.is_set() or super().wait(timeout) or self.is_set()
