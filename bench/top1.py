"""`--top1`: the accuracies of networks as the user states them, in percent or in a table such as timm's results."""

import argparse
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from system.errors import UserError, one_line

if TYPE_CHECKING:
    from models.model import Model

_ACCURACY = ("top1_percent", "top1")
_RESOLUTION = ("resolution_px", "img_size")
# By the network's name, and by the resolution in pixels where the table has one.
Table = dict[tuple[str, int | None], float]


def add_top1_option(parser: argparse.ArgumentParser) -> None:
    """The argument that `with_top1` reads."""
    what = "accuracy of the network in percent, or a CSV with columns model and top1, such as timm's results tables"
    parser.add_argument("--top1", metavar="PERCENT|CSV", help=what)


def with_top1(models: "Sequence[Model]", given: str | None) -> "list[Model]":
    """The networks with the accuracies that are `given`: a number for one network, or the path of a table.

    Of a table the networks that it has not, and published ones, keep theirs. Raises UserError where the number is not
    of one network, or of a published one, and where the table can't be read or has none of the networks.
    """
    from dataclasses import replace

    if given is None:
        return list(models)
    try:
        float(given)
    except ValueError:
        return _with_table(models, Path(given))
    percent = _percent(given, "--top1")
    if len(models) != 1:
        fix = "name one, or give a CSV with columns model and top1"
        raise UserError("--top1 fits one network", found=f"{len(models)} networks", fix=fix)
    if published := models[0].published:
        fix = f"name other weights of it by its source, {one_line(models[0].source, 60)}@{models[0].resolution_px}"
        found = f"{published.top1_percent:g} % is published"
        raise UserError(f"--top1 would hide the accuracy of {models[0].name}", found=found, fix=fix)
    return [replace(models[0], stated_percent=percent)]


def _with_table(models: "Sequence[Model]", path: Path) -> "list[Model]":
    from dataclasses import replace

    try:
        table = read_table(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or one_line(error, 120)
        raise UserError(f"can't read --top1 {path}", found=found, fix="give percent or a CSV") from error
    stated = [model if model.published else replace(model, stated_percent=_look_up(model, table)) for model in models]
    if not any(new.stated_percent is not None for new in stated) and not all(model.published for model in models):
        found, fix = f"{len(table)} rows", "name networks as the command does, or as timm does"
        raise UserError(f"{path} has none of the networks", found=found, fix=fix)
    return [new if new.stated_percent is not None else model for new, model in zip(stated, models, strict=True)]


def read_table(text: str, name: str) -> Table:
    """The accuracies of a CSV in percent; `name` is what errors call it.

    Raises UserError where a column is missing, a number can't be read, or one network has two accuracies.
    """
    import csv

    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    table: Table = {}
    try:
        columns = rows.fieldnames or []
        accuracy = next((column for column in _ACCURACY if column in columns), None)
        resolution = next((column for column in _RESOLUTION if column in columns), None)
        if "model" not in columns or accuracy is None:
            found = one_line(", ".join(map(str, columns)), 80) or "no line"
            raise UserError(f"{name} is no table of accuracies", found=found, fix="give columns model and top1")
        for row in rows:
            where = f"{name}:{rows.line_num}"
            px = _pixels(row[resolution], where) if resolution else None
            percent = _percent(row[accuracy], where)
            if table.setdefault((str(row["model"]).lower(), px), percent) != percent:
                raise UserError(f"{where} states a second accuracy", found=one_line(row["model"], 80), fix="keep one")
    except csv.Error as error:
        fix = "write it as a spreadsheet does"
        raise UserError(f"{name}:{rows.line_num} is no CSV", found=str(error), fix=fix) from error
    return table


def _look_up(model: "Model", table: Table) -> float | None:
    """The accuracy of a network at its resolution, None where the table has none."""
    for name in _names(model):
        for px in (model.resolution_px, None):
            if (percent := table.get((name.lower(), px))) is not None:
                return percent
    return None


def _names(model: "Model") -> Iterator[str]:
    """What a table may call a network: its name, or timm's, with the tag of its weights or without."""
    yield model.name
    if model.kind != "timm":
        return
    yield model.spec
    architecture, _, tag = model.spec.partition(".")
    if not tag:
        from models.timm_networks import timm_configuration  # for --help, which needs no networks

        configuration = timm_configuration(architecture)
        yield f"{architecture}.{configuration.tag if configuration else ''}"
    yield architecture


def _percent(text: str | None, where: str) -> float:
    try:
        percent = float(text or "")
    except ValueError:
        percent = -1.0
    if not 0 < percent <= 100:
        fix = "give a number above 0, 100 at most"
        raise UserError(f"{where}: no accuracy in percent", found=one_line(repr(text), 60), fix=fix)
    return percent


def _pixels(text: str | None, where: str) -> int:
    try:
        return int(text or "")
    except ValueError:
        raise UserError(f"{where}: no resolution in pixels", found=one_line(repr(text), 60), fix="give 224") from None
