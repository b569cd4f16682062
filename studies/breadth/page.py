"""The attempts as a page of Markdown: how many networks run on each target, and why each of the others doesn't."""

from collections.abc import Iterable, Sequence

from studies.breadth.attempts import TARGETS, Attempt, Network

_INTRODUCTION = """# Breadth: 40 networks of timm

Which networks of [timm](https://github.com/huggingface/pytorch-image-models) run on which targets, at their own
resolution and with seeded weights. The list ([networks.csv](../studies/breadth/networks.csv)) was drawn up before any of
them was tried, by kind and by how common they are; most have fewer than 30 million parameters. For each network and
target `python -m studies.breadth` exports the file, compares its logits with torch's
([what is compared](architecture.md#what-is-guarded)), loads it as a sweep does and times a few inferences; a network
counts as running where all of that succeeds. The attempts are
[attempts.jsonl](../studies/breadth/data/attempts.jsonl); the command writes this page from them, and tries what is not
among them yet (`--again` repeats failures).
"""


def page(networks: Sequence[Network], attempts: Iterable[Attempt]) -> str:
    """The whole page; targets that no network was tried on are left out."""
    by_cell = {(attempt.network, attempt.target): attempt for attempt in attempts}
    targets = [target for target in TARGETS if any(cell[1] == target for cell in by_cell)]
    found = {
        target: [by_cell[network.name, target] for network in networks if (network.name, target) in by_cell]
        for target in targets
    }
    parts = [
        _INTRODUCTION,
        *_versions(by_cell.values()),
        _table(_COUNTS, [_counts(target, found[target]) for target in targets]),
        "## Each network\n\nThe relative error of the logits, where a limit is set on it; else their smallest cosine with"
        "\nthose of the FP32 file.\n",
        _table(
            ("network", "kind", "px", *targets),
            [
                (network.name, network.kind, str(network.px), *(_cell(by_cell.get((network.name, t))) for t in targets))
                for network in networks
            ],
        ),
        "## What failed\n",
        _reasons(by_cell.values()),
    ]
    return "\n".join(parts)


_COUNTS = ("target", "tried", "exported", "agree with torch", "timed")


def _counts(target: str, attempts: Sequence[Attempt]) -> tuple[str, ...]:
    exported = [attempt for attempt in attempts if attempt.failed_at != "export"]
    agree = [attempt for attempt in exported if attempt.failed_at != "agreement"]
    timed = [attempt for attempt in agree if attempt.failed_at is None]
    return (f"`{target}`", *(str(len(each)) for each in (attempts, exported, agree, timed)))


def _cell(attempt: Attempt | None) -> str:
    if attempt is None:
        return "not tried"
    if attempt.failed_at is not None:
        return f"**{attempt.failed_at}**"
    fidelity = attempt.fidelity
    if fidelity is None:
        return "yes"
    if fidelity.relative_error_limit is None:
        return f"cosine {fidelity.cosine:.3f}"
    return f"{fidelity.relative_error:.1e}" if fidelity.relative_error else "0"


def _versions(attempts: Iterable[Attempt]) -> list[str]:
    """A line of the tools, each with every version that an attempt had."""
    seen: dict[str, set[str]] = {}
    for attempt in attempts:
        for name, version in attempt.versions.items():
            if version != "absent":
                seen.setdefault(name, set()).add(version)
    if not seen:
        return []
    return ["Made with " + ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in seen.items()) + ".\n"]


def _reasons(attempts: Iterable[Attempt]) -> str:
    failed = [attempt for attempt in attempts if attempt.failed_at is not None]
    rows = [(attempt.network, f"`{attempt.target}`", attempt.failed_at or "", attempt.reason or "") for attempt in failed]
    return _table(("network", "target", "step", "reason"), rows) if rows else "Nothing.\n"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
