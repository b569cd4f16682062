"""`Record`: one cell of the table, as it is kept on disk, raw times included."""

from typing import Annotated

import msgspec

from bench.protocol import Protocol
from bench.records.conditions import Conditions
from bench.trust.measurement import Measurement
from bench.trust.verdict import Verdict
from devices.targets import Target
from exporters.artifact import Artifact

# Raise it when a field changes its meaning; readers refuse what is newer than they are.
# 2: readings within a visit, and a `basis` instead of `limits`.
SCHEMA = 2


# What a table holds as a whole number.
Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """The model that a record is of; enough to report it without the zoo that named it."""

    name: str
    family: str
    resolution_px: Count
    source: str
    params: Count | None
    macs: Count | None
    top1_percent: float | None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One cell: a measurement with its verdict, or the reason why there is none; both where one ended early."""

    schema: int = SCHEMA
    sweep: str
    model: Network
    target: Target
    protocol: Protocol
    artifact: Artifact | None
    conditions: Conditions
    measurement: Measurement | None = None
    verdict: Verdict | None = None
    reason: str | None = None
