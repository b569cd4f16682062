"""The pages of a contribution, made of its records: README.md, two charts, report.html and its profiles."""

from collections.abc import Sequence

from bench.accuracy.record import Accuracy
from bench.trust.verdict import USABLE
from models.published import COLUMNS, published
from models.zoo import zoo
from reports.chart.chart import Style, chart
from reports.gather import baseline, gather, narrow
from reports.render import RenderRequest, render
from reports.table.overview import overview
from reports.table.to_markdown import escape, markdown
from system.files import write_whole
from tools.gallery.contribution import Contribution, facts_of

_KEPT = ("report.html", "profile-*.md", "profile-*.png")
# The chart that stands beside the published one: of the target that every machine has.
_ONE = "cpu"
_FIX = "make room"


def write_pages(contribution: Contribution) -> None:
    """Write them beside the records. Raises UserError where the records can't be rendered."""
    folder = contribution.folder
    # EfficientNet-Lite0 is in README.md's tables: it has no accuracy that a chart could show.
    families = list(dict.fromkeys(network.family for network in map(zoo().__getitem__, published())))
    # Rendered where the page will lie, since it links to the records by the way from there.
    for path in render(RenderRequest(results=contribution.results, out=folder, families=families)):
        if path.name == "speed.png":
            path.replace(folder / "targets.png")
        elif not any(path.match(kept) for kept in _KEPT):
            path.unlink()
    write_whole(folder / "speed.png", _beside_published(contribution, families), fix=_FIX)
    write_whole(folder / "README.md", readme(contribution).encode(), fix=_FIX)


def _beside_published(contribution: Contribution, families: Sequence[str]) -> bytes:
    """The chart of the one target, where it was measured, and of the published ones."""
    report = gather(contribution.newest, contribution.accuracies)
    shown = narrow(report, [*COLUMNS, *({_ONE} & set(contribution.targets))], families)
    style = Style(against=baseline(report, shown, None))
    return dict(chart(shown, style, ("png",)))["png"]


def readme(contribution: Contribution) -> str:
    """The text of README.md: the machine, the chart, a table of every target and what the verdicts are."""
    # Without accuracies, a column for each target: agreements have a table of their own.
    latencies = overview(gather(contribution.newest))
    parts = [
        f"# {contribution.name}",
        f"Measured on {contribution.day}; made by `python -m tools.gallery`, see [the gallery](../README.md).",
        table(
            ["machine", ""], [[name, escape(value)] for name, value in facts_of(contribution.machine)], numbers=False
        ),
        "![Speed against accuracy on every target](targets.png)",
        "Everything, interactive and offline: [report.html](report.html) (download it). Records, raw times included: "
        "[records/](records/).",
        "## Verdicts",
        _verdicts(contribution),
        "## Latencies",
        markdown([latencies]).partition("\n\n")[2].strip(),
        *_agreements(contribution),
        *_profiles(contribution),
    ]
    return "\n\n".join(parts) + "\n"


def _verdicts(contribution: Contribution) -> str:
    counts = {target: contribution.verdicts(target) for target in contribution.targets}
    words = sorted({word for count in counts.values() for word in count}, key=_word_order)
    rows = [[target, *(str(count[word] or "") for word in words)] for target, count in counts.items()]
    return table(["networks", *words], rows)


def _word_order(word: str) -> tuple[int, str]:
    return (USABLE.index(word) if word in USABLE else len(USABLE), word)


def _agreements(contribution: Contribution) -> list[str]:
    newest: dict[tuple[str, str], Accuracy] = {
        (accuracy.model.name, accuracy.target.name): accuracy for accuracy in contribution.accuracies
    }
    if not newest:
        return []
    rows = [
        [escape(model), target, f"{accuracy.images}", f"{accuracy.agreement.same_top1 / accuracy.images:.1%}"]
        for (model, target), accuracy in sorted(newest.items())
    ]
    about = (
        "Of crops of photographs that calibrated no file, on how many the file that was timed finds the class "
        "likeliest that torch finds in FP32 with the same trained weights. Crops of one photograph resemble each "
        "other, so this shows whether a file is sound, not its accuracy."
    )
    return ["## Agreement with torch", about, table(["network", "target", "images", "the same class"], rows)]


def _profiles(contribution: Contribution) -> list[str]:
    files = sorted(contribution.folder.glob("profile-*.md"))
    links = [f"- [{file.stem.removeprefix('profile-')}]({file.name}): times of its operators" for file in files]
    return ["## Profiles", "\n".join(links)] if links else []


def table(head: list[str], rows: list[list[str]], *, numbers: bool = True) -> str:
    """A table of Markdown: the first column is text, the others are `numbers`."""
    rule = ["---", *["---:" if numbers else "---"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])
