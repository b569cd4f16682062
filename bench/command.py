"""What `python -m bench` does once its arguments are read."""

import argparse
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.accuracy.options import is_evaluation
from bench.axis import at_batches, at_resolutions
from bench.duet.options import is_duet
from bench.kept import saying_when_interrupted
from bench.options import sweep_request, with_options
from bench.protocol import Protocol
from bench.sweep import sweep
from bench.table import print_records
from bench.top1 import with_top1
from devices.runtime import absence_of, protocol_of
from devices.targets import Target, find_targets
from models.checkpoints import checkpoints_for
from models.groups import DEFAULT
from models.model import Model
from models.zoo import find
from system.errors import UserError, one_line

Named = TypeVar("Named", Target, Model)

_KEPT = "every visit so far is kept; the same command with --resume goes on"

# The name of each field of the protocol in records.
_ON_DISK = dict(zip(Protocol.__struct_fields__, Protocol.__struct_encode_fields__, strict=True))


def measure(arguments: argparse.Namespace) -> int:
    """Measure what the arguments ask for; 1 where a network has no number. Raises UserError where they can't be met."""
    targets = _unique(find_targets(pattern, arguments.targets) for pattern in arguments.target)
    targets = at_batches([with_options(target, arguments) for target in targets], arguments.batch)
    models = with_top1(_unique(find(pattern) for pattern in _patterns(arguments)), arguments.top1)
    models = at_resolutions(models, arguments.resolution)
    protocols = [protocol_for(arguments, target, len(models)) for target in targets]
    if arguments.repeat < 1:
        raise UserError("--repeat must be 1 or more", found=f"{arguments.repeat}", fix="leave it out for one sweep")
    for target in targets:
        if arguments.ray is None and (absence := absence_of(target)):
            raise UserError(f"target {target.name} can't run here", found=absence, fix="see python -m devices")
    checkpoints = checkpoints_for(arguments.weights, models)  # before anything is measured: one may be missing
    if arguments.ray is not None:
        return _fleet(arguments, list(zip(targets, protocols, strict=True)), models, checkpoints)
    if is_evaluation(arguments):
        from bench.accuracy.command import run_accuracy

        return run_accuracy(arguments, list(zip(targets, protocols, strict=True)), models, checkpoints)
    if is_duet(arguments):
        from bench.duet.command import run_duet

        return run_duet(arguments, targets, models, checkpoints)
    if arguments.profile:
        return _profile(targets, models, checkpoints, arguments)
    return _sweeps(arguments, list(zip(targets, protocols, strict=True)), models, checkpoints)


def _fleet(
    arguments: argparse.Namespace,
    targets: Sequence[tuple[Target, Protocol]],
    models: Sequence[Model],
    checkpoints: Mapping[Model, Path],
) -> int:
    if is_evaluation(arguments) or is_duet(arguments) or arguments.profile:
        found = " and ".join(flag for flag in ("--accuracy", "--against", "--profile") if vars(arguments)[flag[2:]])
        fix = "leave --ray out, and measure on the device's own host"
        raise UserError("--ray is of sweeps", found=found, fix=fix)
    from bench.fleet.command import run_fleet

    with saying_when_interrupted(_KEPT):
        return run_fleet(arguments, targets, models, checkpoints)


def _sweeps(
    arguments: argparse.Namespace,
    targets: Sequence[tuple[Target, Protocol]],
    models: Sequence[Model],
    checkpoints: Mapping[Model, Path],
) -> int:
    complete = True
    # The targets alternate, so that what drifts meanwhile is no difference between them.
    for repetition, (target, protocol) in itertools.product(range(arguments.repeat), targets):
        request = sweep_request(arguments, target, protocol, models, checkpoints, repetition)
        with saying_when_interrupted(_KEPT):
            records = sweep(request)
        print_records(target, records)
        complete = complete and all(record.measurement for record in records)
    return 0 if complete else 1


def _profile(
    targets: list[Target], models: list[Model], checkpoints: Mapping[Model, Path], arguments: argparse.Namespace
) -> int:
    from bench.profile import print_profile, profile

    for target, model in itertools.product(targets, models):
        job = target.job(model, checkpoints.get(model), arguments.calibration)
        print_profile(profile(job, target, arguments.artifacts, arguments.results))
    return 0


def _patterns(arguments: argparse.Namespace) -> list[str]:
    """What --model or --profile asks for. Raises UserError where both do."""
    if not arguments.profile:
        return arguments.model or [DEFAULT]
    if arguments.model or arguments.resume or arguments.repeat != 1:
        unread = "--model, --resume and --repeat are of a sweep"
        raise UserError("--profile measures no sweep", found=unread, fix="leave them out")
    return [arguments.profile]


def protocol_for(arguments: argparse.Namespace, target: Target, networks: int) -> Protocol:
    """The protocol of a target and so many networks with what the arguments give.

    Raises UserError where it is out of range.
    """
    given = {field: getattr(arguments, field) for field in Protocol.__struct_fields__}
    if unknown := target.protocol.keys() - given.keys():
        found = ", ".join(sorted(unknown))
        raise UserError(f"target {target.name} has an unknown protocol", found=found, fix="see --help")
    values = protocol_of(target) | {field: value for field, value in given.items() if value is not None}
    if endless := [f"{field} {value}" for field, value in values.items() if not math.isfinite(value)]:
        raise UserError("a protocol option is out of range", found=", ".join(endless), fix="give a finite number")
    try:
        protocol = msgspec.convert({_ON_DISK[field]: value for field, value in values.items()}, Protocol)
    except msgspec.ValidationError as error:
        raise UserError("a protocol option is out of range", found=_said(error), fix="see --help") from error
    return protocol if arguments.budget_s is not None else protocol.of_networks(networks)


def _said(error: msgspec.ValidationError) -> str:
    """What was wrong, by the name that the option has here."""
    text = one_line(error)
    for field, on_disk in _ON_DISK.items():
        text = text.replace(f"$.{on_disk}`", f"{field}`")
    return text


def _unique(groups: "Iterable[list[Named]]") -> "list[Named]":
    return list({item.name: item for group in groups for item in group}.values())
