"""Whether a contribution is well-formed, and was made by a released version: what CI asks of docs/results/."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from bench.accuracy.record import Accuracy
from bench.profile import Profile
from bench.protocol import Protocol
from bench.records.record import SCHEMA, Record
from bench.records.store import read_lines
from devices.host.conditions import Machine
from devices.peaks import Peaks
from devices.runtime import protocol_of
from devices.targets import Target, find_targets
from models.published import published
from system.errors import UserError, one_line
from system.unreadable import UNREADABLE
from tools.gallery.contribution import ROOT, Contribution, same_hardware, suite_release
from tools.gallery.pages import readme

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# What a contribution consists of, and what decodes it.
_FILES: dict[str, Callable[[bytes], object] | None] = {
    r"README\.md": None,
    r"(speed|targets)\.png": None,
    r"report\.html": None,
    r"profile-[\w.-]+\.(md|png)": None,
    r"records/[a-z0-9-]+\.jsonl": msgspec.json.Decoder(Record).decode,
    r"records/accuracy/[a-z0-9-]+\.jsonl": msgspec.json.Decoder(Accuracy).decode,
    r"records/profiles/[\w.-]+\.json": msgspec.json.Decoder(Profile).decode,
    r"records/peaks\.json": msgspec.json.Decoder(dict[str, Peaks]).decode,
}
_LARGEST_BYTES = 48_000_000  # git keeps it at a quarter; 300 s for each of seven targets are 15 MB
_PERSONAL = re.compile(rb'"(/|[A-Za-z]:\\\\|~)[^"]*"|/(home|Users)/')
# Options that name a device of its owner.
_OWNERS = {"serial", "adb_host", "adb_port", "benchmark_model"}


def problems(contribution: Contribution) -> list[str]:
    """What is wrong with a contribution, a line each; nothing where it can be merged."""
    files = list(_of_files(contribution.folder))
    if files:  # what can't be read can't be judged further
        return files
    found: dict[str, list[str]] = {}
    for name, problem in _of_records(contribution):
        found.setdefault(problem, []).append(name)
    records = [f"{names[0]}{f' and {len(names) - 1} more' * (len(names) > 1)}: {what}" for what, names in found.items()]
    return [*records, *_of_pages(contribution)]


def released() -> list[str]:
    """The versions that CHANGELOG.md has, with a day, the newest first."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"^## (\d+\.\d+\.\d+), \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)


def _of_files(folder: Path) -> Iterator[str]:
    if not _NAME.fullmatch(folder.name):
        yield f"{folder.name}: the name must be of small letters, digits and hyphens"
    size_bytes, found = 0, False
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        kind = next((kind for kind in _FILES if re.fullmatch(kind, name)), None)
        if path.is_symlink() or kind is None:
            yield f"{name}: no file of a contribution"
            continue
        size_bytes += path.stat().st_size
        found |= name.endswith(".jsonl") and "accuracy" not in name
        yield from (f"{name}{problem}" for problem in _of_content(path, _FILES[kind]))
    if not found:
        yield "records/: there is no TARGET.jsonl"
    if size_bytes > _LARGEST_BYTES:
        yield f"{size_bytes / 1e6:.0f} MB, more than {_LARGEST_BYTES / 1e6:.0f}: keep fewer sweeps in records/"


def _of_content(path: Path, decode: Callable[[bytes], object] | None) -> Iterator[str]:
    if decode is None:
        return
    documents = read_lines(path) if path.suffix == ".jsonl" else iter([(1, path.read_bytes())])
    for number, document in documents:
        try:
            decode(document)
        except UNREADABLE as error:
            yield f":{number}: {one_line(error, 160)}"
        if personal := _PERSONAL.search(document):
            found = one_line(personal[0].decode(errors="replace"), 80)
            yield f":{number}: names a place on its owner's machine: {found}"


def _of_records(contribution: Contribution) -> Iterator[tuple[str, str]]:
    """What a problem is of, and the problem, which many records may share."""
    machine, versions = contribution.machine, released()
    parts: list[tuple[str, Machine]] = []
    for record in contribution.records:
        name = f"{record.model.name} on {record.target.name}"
        parts.append((name, record.conditions.machine))
        if record.schema != SCHEMA:
            yield name, f"schema {record.schema}, not {SCHEMA}"
        yield from ((name, problem) for problem in _of_target(record.target, record.protocol))
    parts += [
        (f"accuracy of {each.model.name} on {each.target.name}", each.machine) for each in contribution.accuracies
    ]
    for name, measured_on in parts:
        if not same_hardware(measured_on, machine):
            yield name, f"of another machine: {measured_on.cpu}, {measured_on.usable_cores} cores"
        if suite_release(measured_on) not in versions or (measured_on.suite or "").endswith(".dirty"):
            fix = f"check out one of {', '.join(versions)}"
            yield name, f"not made by a released version: {measured_on.suite}; {fix}"
    for target in contribution.targets:
        yield from ((target, problem) for problem in _of_networks(contribution, target))


def _of_target(target: Target, protocol: Protocol) -> Iterator[str]:
    known = _known(target.name)
    if known is None:
        yield "no target of devices/targets.toml"
        return
    if known.runtime == "fake":
        yield "the fake device measures nothing"
    if _without_owner(target) != _without_owner(known):
        yield "the target differs from the one of devices/targets.toml"
    own = msgspec.convert(protocol_of(known), Protocol)
    # More time makes intervals narrower, and changes nothing that is measured.
    if protocol != msgspec.structs.replace(own, budget_s=max(own.budget_s, protocol.budget_s)):
        yield "the protocol differs from the target's own, in more than a larger budget"


def _known(name: str) -> Target | None:
    """The target of that name, None where there is none; a glob is no name."""
    with suppress(UserError):
        return next((target for target in find_targets(name) if target.name == name), None)
    return None


def _without_owner(target: Target) -> Target:
    options = {name: value for name, value in target.options.items() if name not in _OWNERS}
    return msgspec.structs.replace(target, options=options)


def _of_networks(contribution: Contribution, target: str) -> Iterator[str]:
    records = [record for record in contribution.newest if record.target.name == target]
    if missing := sorted(published().keys() - {record.model.name for record in records}):
        yield f"no record of {', '.join(missing)}"
    if not any(record.measurement for record in records):
        yield "none of its networks has a number"


def _of_pages(contribution: Contribution) -> Iterator[str]:
    for name in ("README.md", "speed.png", "targets.png", "report.html"):
        if not (contribution.folder / name).is_file():
            yield f"{name}: missing"
    report = contribution.folder / "report.html"
    if report.is_file() and b'href="../' in report.read_bytes():
        yield "report.html: links out of its folder; python -m tools.gallery render writes it"
    page = contribution.folder / "README.md"
    if page.is_file() and page.read_text(encoding="utf-8") != readme(contribution):
        yield "README.md: not what its records give; python -m tools.gallery render writes it"
