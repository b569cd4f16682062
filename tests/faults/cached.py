"""Damaged files of the caches: artifacts, the JSON beside them, a downloaded tool."""

import io
import os
import random
import shutil
from contextlib import redirect_stderr, suppress
from pathlib import Path
from unittest.mock import patch

import torch

from devices.phone.benchmark_tool import find_tool
from devices.phone.options import PhoneOptions
from exporters.artifact import Job
from exporters.cache import Cache
from models import Model, UserError, checkpoint_cache, find
from models.checkpoint_cache import official_checkpoint
from models.official import Official
from system.digest import sha256_of
from system.download import UndeliveredError, download
from tests.faults.command import TINY
from tests.faults.damage import damaged
from tests.file_server import Site, serving


def _tiny(format_: str = "onnx") -> Job:
    return Job(model=find(TINY)[0], format=format_, precision="fp32")


def artifact_bits(folder: Path) -> tuple[int, str]:
    """One bit flipped in an artifact."""
    cache, flips = Cache(folder), random.Random(2)
    path = Path(cache.obtain(_tiny()).path)
    content = path.read_bytes()
    for _ in range(200):
        flipped = bytearray(content)
        flipped[flips.randrange(len(flipped))] ^= 1 << flips.randrange(8)
        path.write_bytes(flipped)
        assert cache.find(_tiny()) is None
    path.write_bytes(content)
    assert cache.find(_tiny()) is not None
    return 200, "all 200 detected before the file was used"


def artifacts(folder: Path) -> tuple[int, str]:
    """Artifacts (ONNX, torch) cut short or overwritten."""
    cache, cases = Cache(folder), 0
    for format_ in ("onnx", "torch"):
        made = cache.obtain(_tiny(format_))
        path, sha256 = Path(made.path), made.sha256
        for content in damaged(path.read_bytes(), 3, 10):
            path.write_bytes(content)
            assert cache.find(_tiny(format_)) is None
            cases += 1
        assert cache.obtain(_tiny(format_)).sha256 == sha256_of(path) == sha256
    return cases, "detected before the file was used, exported again with the same sha256"


def sidecars(folder: Path) -> tuple[int, str]:
    """The JSON beside an artifact, damaged."""
    cache = Cache(folder)
    made = cache.obtain(_tiny())
    path = Path(made.path).with_suffix(".json")
    content, cases, found = path.read_bytes(), 0, 0
    for broken in damaged(content, 4, 200):
        path.write_bytes(broken)
        artifact = cache.find(_tiny())
        found += artifact is None
        # What is still read must be of the same file: the sha256 in it is checked against the content.
        assert artifact is None or artifact.sha256 == made.sha256
        cases += 1
    assert cache.obtain(_tiny()).sha256 == made.sha256
    return cases, f"{found} exported again, the others still have the file's sha256; none led to a wrong file"


def downloads(folder: Path) -> tuple[int, str]:
    """The downloaded `benchmark_model`, damaged, and a download that fails."""
    source, cases = folder / "tool", 0
    source.write_bytes(random.Random(8).randbytes(3000))
    options = PhoneOptions(benchmark_model_address=source.as_uri())
    with patch.dict(os.environ, XDG_CACHE_HOME=str(folder / "cache")):
        tool = find_tool(options)
        for content in damaged(source.read_bytes(), 8, 20):
            tool.path.write_bytes(content)
            assert find_tool(options) == tool
            assert sha256_of(tool.path) == tool.sha256
            cases += 1
        tool.path.write_bytes(b"")
        with suppress(UserError):
            find_tool(PhoneOptions(benchmark_model_address=(folder / "none").as_uri()))
            raise AssertionError("an empty file was taken for the tool")
    return cases + 1, "detected before it was used, downloaded again; one error where that fails"


def published(folder: Path) -> tuple[int, str]:
    """A published checkpoint (`--weights official`), its record, or the part of it that has arrived, damaged."""
    model, own, cases, refused = find(TINY)[0], folder / "own.pth", 0, 0
    state = model.build().state_dict()
    torch.save(state, own)
    cached = folder / "zennet-latency" / "weights" / "x.pth"
    with serving(own.read_bytes()) as site, patch.dict(os.environ, XDG_CACHE_HOME=str(folder)):
        there = patch.object(checkpoint_cache, "official_of", lambda model: Official(site.address, cached.name, ""))
        with there, redirect_stderr(io.StringIO()):
            for name in (cached.name, f"{cached.name}.json", f"{cached.name}.part", f"{cached.name}.part.json"):
                for number in range(20):
                    _fetch(model, site, cached, half=".part" in name)
                    *_, broken = damaged(cached.with_name(name).read_bytes(), number, 3 + number)
                    cached.with_name(name).write_bytes(broken)
                    cases += 1
                    try:
                        loaded = model.build(official_checkpoint(model)).state_dict()
                        assert all(torch.equal(loaded[key], state[key]) for key in state)
                    except UserError:
                        refused += 1
    assert 0 < refused < cases
    return cases, f"{refused} refused with one error, the others had the published values; never a traceback"


def _fetch(model: Model, site: Site, cached: Path, *, half: bool) -> None:
    """A cache with the published checkpoint, or with half of it."""
    shutil.rmtree(cached.parent, ignore_errors=True)
    if not half:
        official_checkpoint(model)
        return
    cached.parent.mkdir()
    site.breaks_after = [len(site.content) // 2, 0]
    with suppress(UndeliveredError):
        download(site.address, cached, lambda part: None, pauses_s=())
    site.breaks_after = []
