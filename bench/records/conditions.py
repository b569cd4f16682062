"""`Conditions`: what a machine was, and what it did when a cell's sweep began and when the cell ended."""

import msgspec

from devices.host.conditions import Machine, Moment


class Conditions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Conditions of one cell; what an older record doesn't say has its default.

    `end` is None while the cell is being measured.
    """

    machine: Machine = Machine()
    start: Moment = Moment()
    end: Moment | None = None
