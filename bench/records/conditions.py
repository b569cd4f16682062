"""`Conditions`: what a machine was, and what it did when a sweep began and when a record of it was written."""

import msgspec

from devices.host.conditions import Machine, Moment


class Conditions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Conditions of one record; what an older one doesn't say has its default.

    `end` is None while the record isn't written yet.
    """

    machine: Machine = Machine()
    start: Moment = Moment()
    end: Moment | None = None
