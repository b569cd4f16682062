"""What a trial was and took, as its line in data/ has it."""

import msgspec


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What sweeps took. `driver_cpu_s` is of all threads of the driver's process, `hosts_cpu_s` of the hosts'.

    Memory is the resident set of the driver's process: before the sweeps, and at most.
    """

    wall_s: float
    driver_cpu_s: float
    hosts_cpu_s: float
    before_bytes: int
    peak_bytes: int
    threads: int


class Figures(Spent, frozen=True, kw_only=True):
    """What a trial was and took. `lines` were written to journals, each with an fsync, and to files of records.

    `records` are those on disk, `twice` how many of these have another of the same network before them.
    """

    devices: int
    networks: int
    visits_each: int
    samples_each: int
    visits: int
    records: int
    twice: int
    lines: int
    load_average: float
    cpu: str
    at: str

    @property
    def work_s(self) -> float:
        """Processor seconds of the driver a visit."""
        return self.driver_cpu_s / self.visits
