"""Results by machine, below docs/results/: measure this one's, write their pages, or check them.

make gallery                            # python -m tools.gallery make
python -m tools.gallery render [NAME …]  # the pages again, of the records that are there
python -m tools.gallery check [NAME …]   # what is wrong, a line each; exit 1 where anything is
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from devices.host.conditions import machine
from devices.targets import find_targets
from system.command_line import run
from system.errors import UserError
from system.files import write_whole
from tools.gallery.checks import problems
from tools.gallery.contribution import GALLERY, ROOT, Contribution, contributions, own_folder
from tools.gallery.front_page import with_table, write_front_page
from tools.gallery.index import index, write_index
from tools.gallery.measure import TARGETS, measure
from tools.gallery.pages import write_pages
from tools.impersonal import impersonal_json, personal_names
from tools.lane_hardware import serials_of

# What is measured, and what is copied of it into the gallery.
_RESULTS = Path("results") / "gallery"
_COPIED = ("*.jsonl", "accuracy/*.jsonl", "profiles/*.json", "peaks.json")


def main() -> int:
    """Exit 1 where a check finds something."""
    arguments, further = _parser().parse_known_args()
    if arguments.command == "make":
        return _make(arguments, further)
    if further:
        raise UserError(f"{arguments.command} has no such option", found=" ".join(further), fix="leave it out")
    if arguments.command == "render":
        for contribution in _named(arguments.name):
            write_pages(contribution)
        write_index()
        write_front_page()
        return 0
    return _check(_named(arguments.name))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.gallery", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="measure this machine; further options are those of python -m bench")
    make.add_argument("--name", help="of its folder (default: the processor and its cores)")
    make.add_argument("--target", action="append", help=f"(default: {', '.join(TARGETS)})")
    for command, text in (("render", "write the pages of records"), ("check", "say what is wrong with them")):
        commands.add_parser(command, help=text).add_argument("name", nargs="*", help="(default: all)")
    return parser


def _make(arguments: argparse.Namespace, further: list[str]) -> int:
    folder = own_folder(machine(), GALLERY, arguments.name)
    targets = arguments.target or TARGETS
    measure(_RESULTS, targets, further)
    contribution = Contribution(folder)
    _copy(_RESULTS, contribution.results, targets)
    write_pages(contribution)
    write_index()
    print(contribution.folder)
    return _check([contribution])


def _copy(results: Path, into: Path, targets: Sequence[str]) -> None:
    """What was measured, in place of what an earlier run left there, without the names of machine, user and phones."""
    names = personal_names(serial for name in targets for target in find_targets(name) for serial in serials_of(target))
    shutil.rmtree(into, ignore_errors=True)
    for pattern in _COPIED:
        for file in sorted(results.glob(pattern)):
            text = file.read_text(encoding="utf-8")
            documents = filter(str.strip, text.splitlines()) if file.suffix == ".jsonl" else [text]
            text = "".join(f"{impersonal_json(document, names)}\n" for document in documents)
            write_whole(into / file.relative_to(results), text.encode(), fix="make room")


def _named(names: Sequence[str]) -> list[Contribution]:
    known = {each.name: each for each in contributions()}
    if unknown := [name for name in names if name not in known]:
        raise UserError(
            "no such machine in docs/results/", found=", ".join(unknown), fix=f"there are: {', '.join(known)}"
        )
    return [known[name] for name in names or known]


def _check(found: Sequence[Contribution]) -> int:
    told = [f"{each.name}: {problem}" for each in found for problem in problems(each)]
    if (GALLERY / "README.md").read_text(encoding="utf-8") != index(contributions()):
        told.append("README.md: not what the records give; python -m tools.gallery render writes it")
    front = (ROOT / "README.md").read_text(encoding="utf-8")
    if front != with_table(front):
        told.append("the repository's README.md: not what the records give; python -m tools.gallery render writes it")
    for problem in told:
        print(problem)
    print(f"{len(found)} contributions, {len(told)} problems", file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    run(main)
