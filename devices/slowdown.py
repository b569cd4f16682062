"""A planted slowdown: every inference of a session longer by a share, to see what `reports compare` finds."""

import msgspec

from devices.host import clock
from devices.samples import Samples
from devices.session import VIRTUAL_CLOCK, Session
from system.errors import UserError


def slowed(session: Session, share: float) -> Session:
    """The session with every inference longer by `share` of its time.

    The host spins for it inside the timed region; a virtual clock's seconds are only reported longer. Raises UserError
    where another clock takes the seconds.
    """
    if session.clock not in (clock.NAME, VIRTUAL_CLOCK):
        raise UserError("no slowdown can be planted", found=session.clock, fix="leave planted_slowdown out")
    return SlowedSession(session, share)


class SlowedSession:
    """Another session in the same process, each of its inferences longer."""

    def __init__(self, session: Session, share: float) -> None:
        self._session, self._share = session, share
        self.ran_on, self.clock, self.aggregates = session.ran_on, session.clock, session.aggregates

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences, each longer."""
        if self.clock == VIRTUAL_CLOCK:
            samples = self._session.run(count)
            return msgspec.structs.replace(samples, seconds=[second * (1 + self._share) for second in samples.seconds])
        with clock.lengthening(self._share):
            return self._session.run(count)

    def close(self) -> None:
        """Free the device."""
        self._session.close()
