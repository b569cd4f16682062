"""`python -m bench TARGET --against WHAT`: the primary tool to compare two variants.

Both are loaded in processes of their own and visited in turns, so that whatever the machine does meanwhile happens to
both; the ratio new/old of each network is fitted within. "New" is the target as asked, "old" the same but for WHAT
(`bench.duet.against` lists what that may be). Records with all raw times go to results/duets/TARGET.jsonl.

Exit code 0 says that the duet was measured, and with --fail-if-slower that no network was found slower than allowed;
1 that one was, or that only its new side could not be measured; 3 ("untestable") that no network has an interval.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bench.duet.against import old_target, parse_against
from bench.duet.duet import play
from bench.duet.outcome import UNTESTABLE, Outcome, outcome_of
from bench.duet.ratio import ALL, Ratio
from bench.duet.request import DuetRequest
from bench.duet.settings import DuetSettings
from bench.kept import saying_when_interrupted
from bench.protocol import Protocol, option_of
from devices.other_python import describe
from devices.runtime import absence_of, protocol_of
from devices.targets import Target
from models.checkpoints import checkpoints_for
from models.model import Model
from system.command_line import print_json, print_table
from system.errors import UserError, one_line

EXIT_SLOWER = 1
EXIT_UNTESTABLE = 3


def run_duet(
    arguments: argparse.Namespace,
    targets: Sequence[Target],
    models: Sequence[Model],
    checkpoints: Mapping[Model, Path],
) -> int:
    """Measure, print, and return the exit code. Raises UserError where what is asked can't be measured."""
    if len(targets) > 1:
        raise UserError("a duet is of one target", found=f"{len(targets)} targets", fix="name one")
    request = _request(arguments, targets[0], models, checkpoints)
    kept = request.results / "duets" / f"{request.new.name}.jsonl"
    with saying_when_interrupted(f"every turn so far is kept in {kept}"):
        duets = play(request)
    outcome = outcome_of(duets, arguments.fail_if_slower)
    if arguments.json:
        print_json(msgspec.to_builtins(outcome))
    else:
        _print(request.new, outcome)
    return _exit_code(outcome)


def _request(
    arguments: argparse.Namespace, new: Target, models: Sequence[Model], checkpoints: Mapping[Model, Path]
) -> DuetRequest:
    against = parse_against(arguments.against)
    if against.artifact and len(models) > 1:
        raise UserError("artifact: fits one network", found=f"{len(models)} networks", fix="name one with --model")
    old = old_target(against, new, arguments.targets)
    if against.python is None and (absence := absence_of(old)):
        raise UserError("the old side can't run here", found=absence, fix="see python -m devices")
    return DuetRequest(
        new=new,
        old=old,
        against=against,
        said=arguments.against,
        models=models,
        settings=_settings(arguments, new),
        results=arguments.results,
        artifacts=arguments.artifacts,
        checkpoints=checkpoints,
        old_checkpoints=checkpoints_for(against.weights, models, "weights:") if against.weights else checkpoints,
        calibration=arguments.calibration,
        old_machine=describe(against.python, old) if against.python else {},
    )


def _settings(arguments: argparse.Namespace, target: Target) -> DuetSettings:
    """The settings, where a protocol's field of the same name was given by the target or the command line."""
    own = set(DuetSettings.__struct_fields__)
    given = {name: value for name in Protocol.__struct_fields__ if (value := vars(arguments)[name]) is not None}
    if unread := sorted(given.keys() - own):
        readable = ", ".join(map(option_of, sorted(own & set(Protocol.__struct_fields__))))
        found = ", ".join(map(option_of, unread))
        raise UserError("a duet has no such option", found=found, fix=f"of a protocol it has {readable}")
    values = {name: value for name, value in protocol_of(target).items() if name in own} | given
    try:
        return msgspec.convert(values, DuetSettings)
    except msgspec.ValidationError as error:
        raise UserError("an option is out of range", found=one_line(error), fix="see --help") from error


def _print(target: Target, outcome: Outcome) -> None:
    rows = []
    for found in outcome.networks:
        milliseconds = [
            "" if seconds is None else f"{seconds * 1e3 / target.batch:.3f}" for seconds in (found.old_s, found.new_s)
        ]
        turns = f"{found.counted} of {found.turns}" if found.counted != found.turns else f"{found.turns}"
        rows.append([found.model, *milliseconds, *_ratio(found.estimate), turns, found.change])
    if every := outcome.together:
        rows.append([ALL, "", "", *_ratio(every.estimate), "", every.change])
    print_table([target.name, "old ms", "new ms", "new/old", "95 % interval", "turns", "change"], rows)
    print(f"{outcome.test}.", file=sys.stderr)  # noqa: T201


def _ratio(estimate: Ratio | None) -> list[str]:
    return [f"{estimate.ratio:.4f}", f"{estimate.low:.4f} to {estimate.high:.4f}"] if estimate else ["", ""]


def _exit_code(outcome: Outcome) -> int:
    for line in outcome.errors:
        print(f"error: {one_line(line)}", file=sys.stderr)  # noqa: T201
    if outcome.outcome == UNTESTABLE:
        print("error: untestable: no network has an interval", file=sys.stderr)  # noqa: T201
        return EXIT_UNTESTABLE
    if untested := [found.model for found in outcome.networks if found.estimate is None]:
        print(f"warning: {len(untested)} networks could not be tested: {', '.join(untested)}", file=sys.stderr)  # noqa: T201
    return EXIT_SLOWER if outcome.errors else 0
