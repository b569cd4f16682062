"""Break the suite in every way that its users will, and write what happened into docs/reliability.md.

    make faults

Each row is a kind of fault, how many cases were tried, and how they ended. A case that ends otherwise than it should
stops the run with its output. The fake device and small networks keep it to minutes.
"""

import argparse
import contextlib
import ctypes
import json
import pickle
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.record import Record
from bench.store import read_records
from exporters.artifact import Job
from exporters.cache import Cache
from models import UserError, find
from models.structure import parse_structure
from models.zoo import zoo

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResK3K3(8,8,1,8,1)@32"
ALL = Counter(list(zoo()))


def main() -> None:
    """Try every fault and write the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    rows = []
    for number, fault in enumerate(FAULTS, start=1):
        assert fault.__doc__
        begun = time.monotonic()
        print(f"[{number}/{len(FAULTS)}] {fault.__doc__}", end=" ", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            cases, outcome = fault(Path(folder))
        print(f"{cases} cases, {time.monotonic() - begun:.0f} s", file=sys.stderr)
        rows.append(f"| {fault.__doc__.rstrip('.')} | {cases} | {outcome} |")
    head = "# Reliability\n\nWhat was broken on purpose, and what happened (`make faults` writes this page).\n"
    table = "\n".join(["| fault | cases | outcome |", "|---|---|---|", *rows])
    Path(__file__).with_name("reliability.md").write_text(f"{head}\n{table}\n", encoding="utf-8")


def command(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a room's command and wait for it."""
    line = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


def one_error(ended: subprocess.CompletedProcess[str], code: int = 1) -> None:
    """The command must have ended in one `error:` line and no traceback."""
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("warning:")]
    assert ended.returncode == code, (ended.args, ended.returncode, ended.stderr)
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("error: "), ended.stderr


def bench_fake(folder: Path, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """A sweep of the whole zoo on the fake device."""
    paths = ["--results", folder / "results", "--artifacts", folder / "artifacts"]
    return command("bench", "fake", *paths, *arguments, **options)


def killed_sweeps(folder: Path) -> tuple[int, str]:
    """A sweep killed with SIGKILL at a random moment, again and again, then resumed."""
    moments, kills = random.Random(1), 0
    arguments = ["--min-rounds", "40", "--budget", "100000", "--resume"]
    paths = ["--results", str(folder / "results"), "--artifacts", str(folder / "artifacts")]
    file = folder / "results" / "fake.jsonl"
    kept: list[str] = []
    while kills < 30:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", "fake", *paths, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moments.uniform(0.1, 0.6))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
        lines = file.read_text().splitlines() if file.exists() else []
        assert lines[: len(kept)] == kept, "a finished cell was lost"
        kept = lines
        if len(kept) == len(ALL):  # complete: the next kills hit another sweep
            assert Counter(json.loads(line)["model"]["name"] for line in kept) == ALL
            file.unlink()
            kept = []
    assert bench_fake(folder, *arguments).returncode == 0
    records = read_records(file)
    assert Counter(record.model.name for record in records) == ALL, Counter(record.model.name for record in records)
    assert all(len(record.measurement.rounds) == 40 for record in records if record.measurement)
    return kills, "`--resume` completed every sweep: no finished cell lost, none doubled, no visit counted twice"


def two_sweeps(folder: Path) -> tuple[int, str]:
    """Two sweeps at once on one results folder."""
    for _ in range(5):
        line = [sys.executable, "-m", "bench", "fake", "--min-rounds", "60", "--budget", "100000"]
        line += ["--results", str(folder / "results"), "--artifacts", str(folder / "artifacts")]
        both = [subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        ended = [(process.communicate()[1], process.returncode) for process in both]
        for stderr, code in ended:
            assert code == 0 or (code == 1 and "another sweep writes" in stderr and stderr.count("\n") == 1), stderr
        assert any(code == 0 for _, code in ended)
    for sweep, count in Counter(record.sweep for record in read_records(folder / "results" / "fake.jsonl")).items():
        assert count == len(ALL), sweep
    return 5, "one measures, the other ends with one error; every sweep on disk is whole"


def shared_cache(folder: Path) -> tuple[int, str]:
    """Four processes exporting the same network into one cache."""
    line = [sys.executable, "-m", "exporters", TINY, "--to", "onnx", "--out", str(folder), "--json"]
    processes = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(4)]
    found = [json.loads(process.communicate()[0])[0]["sha256"] for process in processes]
    assert len(set(found)) == 1
    assert len(list(folder.rglob("*.onnx"))) == 1
    return 4, "one made it, the others waited and took it"


def full_disk(folder: Path) -> tuple[int, str]:
    """The disk full while records or artifacts are written."""
    bench_fake(folder)
    before = (folder / "results" / "fake.jsonl").read_bytes()
    size = len(before)
    for extra in (0, 100, 2000, 9000, 20000):

        def limit(most: int = size + extra) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        ended = bench_fake(folder, preexec_fn=limit)
        one_error(ended)
        assert "cat" in ended.stderr
        rescued = Path(ended.stderr.split("append ")[1].split(" to it")[0])
        assert rescued.read_bytes().endswith(b"\n")
        rescued.unlink()
        assert (folder / "results" / "fake.jsonl").read_bytes().startswith(before)
        read_records(folder / "results" / "fake.jsonl")
        (folder / "results" / "fake.journal").unlink(missing_ok=True)

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    one_error(command("exporters", TINY, "--to", "onnx", "--out", folder / "small", preexec_fn=small))
    assert not list((folder / "small").rglob("*.onnx"))
    return 6, "one error each; what was on disk is whole, what could not be written is saved where the error says"


def unwritable(folder: Path) -> tuple[int, str]:
    """A file where results, artifacts or reports should go, and read-only folders."""
    (folder / "file").write_text("")
    one_error(command("bench", "fake", "--results", folder / "file", "--artifacts", folder / "artifacts"))
    one_error(command("bench", "fake", "--results", folder / "results", "--artifacts", folder / "file"))
    one_error(command("reports", "render", "--results", folder / "none", "--out", folder / "file"))
    one_error(command("exporters", TINY, "--to", "fake", "--out", folder / "file"))

    def obey_permissions() -> None:
        # Root overrides them; without this capability (CAP_DAC_OVERRIDE) it doesn't.
        ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)

    locked = folder / "locked"
    locked.mkdir(mode=0o555)
    for paths in (("--results", locked), ("--artifacts", locked)):
        others = ("--results", folder / "results", "--artifacts", folder / "artifacts")
        one_error(command("bench", "fake", *others, *paths, preexec_fn=obey_permissions))
    one_error(command("reports", "render", "--out", locked, preexec_fn=obey_permissions))
    return 7, "one error that names the folder; exit 1"


def no_memory(folder: Path) -> tuple[int, str]:
    """Memory running out while a network is exported."""

    def little() -> None:
        most = 6_000_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    ended = command("exporters", "*latency12ms*", "--to", "onnx", "--out", folder, preexec_fn=little)
    assert ended.returncode == 1, ended.stderr
    assert any(line.startswith("error: ") for line in ended.stderr.splitlines()), ended.stderr
    assert not list(folder.rglob("*.onnx"))
    return 1, "the reason stands in the error (in a sweep: in the record); nothing half-made is left"


def bit_flips(folder: Path) -> tuple[int, str]:
    """One bit flipped in an artifact."""
    cache = Cache(folder)
    job = Job(model=find(TINY)[0], format="onnx", precision="fp32")
    path = Path(cache.obtain(job).path)
    content, flips, found = path.read_bytes(), random.Random(2), 0
    for _ in range(200):
        damaged = bytearray(content)
        damaged[flips.randrange(len(damaged))] ^= 1 << flips.randrange(8)
        path.write_bytes(damaged)
        found += cache.find(job) is None
    path.write_bytes(content)
    assert found == 200
    assert cache.find(job) is not None
    return 200, "all 200 found before the file was used"


def damaged_files(folder: Path) -> tuple[int, str]:
    """Every kind of file that is read, truncated or overwritten with noise."""
    bench_fake(folder)
    noise, cases = random.Random(3), 0
    results = folder / "results" / "fake.jsonl"
    journal = folder / "results" / "fake.journal"
    sidecars = list((folder / "artifacts").rglob("*.json"))
    targets = folder / "targets.toml"
    checkpoint = folder / "weights.pth"
    whole = results.read_bytes()
    for _ in range(20):
        for path in (results, journal, noise.choice(sidecars)):
            content = whole[: noise.randrange(len(whole))] if noise.random() < 0.5 else noise.randbytes(300)
            path.write_bytes(content)
            ended = bench_fake(folder, *(["--resume"] if noise.random() < 0.3 else []))
            assert ended.returncode == 0 or "--resume would mix" in ended.stderr, ended.stderr
            assert "Traceback" not in ended.stderr, ended.stderr
            assert command("reports", "compare", results, results).returncode in (0, 1)
            cases += 1
        targets.write_bytes(noise.randbytes(100))
        one_error(command("devices", "--targets", targets))
        checkpoint.write_bytes(noise.randbytes(noise.randrange(1, 3000)))
        with contextlib.suppress(UserError):
            find(TINY)[0].build(checkpoint)
            raise AssertionError("noise was taken for a checkpoint")
        cases += 2
    return cases, "passed over with a warning, made again, or one error; never a traceback"


def hostile_text(folder: Path) -> tuple[int, str]:
    """Hostile structure strings and records."""
    alphabet = "SuperConvResIDWEKBNRLU0123456789(),-+ \0é<>&"
    noise, cases = random.Random(4), 0
    structures = [model.source.partition(":")[2] for model in zoo().values() if model.source.startswith("zennet")]
    for _ in range(2000):
        text = list(noise.choice(structures))
        for _ in range(noise.randrange(1, 6)):
            place = noise.randrange(len(text))
            text[place] = noise.choice(alphabet) * noise.choice((0, 1, 1, 1, 12))
        with contextlib.suppress(UserError):
            parse_structure("".join(text))
        cases += 1
    bench_fake(folder)
    lines = (folder / "results" / "fake.jsonl").read_bytes().splitlines()
    for _ in range(1000):
        line = bytearray(noise.choice(lines))
        for _ in range(noise.randrange(1, 4)):
            line[noise.randrange(len(line))] = noise.randrange(256)
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            msgspec.json.decode(bytes(line), type=Record)
        cases += 1
    return cases, "read, or refused with one clear error"


def path_traversal(folder: Path) -> tuple[int, str]:
    """Model names that lead out of the cache, and an artifact whose weights lie elsewhere."""
    import onnx

    cache = Cache(folder / "artifacts")
    names = ["timm:../../../etc/passwd", "timm:..", "timm:/etc/passwd", "timm:a/../../b", "timm:" + "x" * 5000]
    for name in names:
        path = cache.path(Job(model=find(name)[0], format="fake", precision="fp32"))
        assert path.resolve().is_relative_to((folder / "artifacts").resolve())
    job = Job(model=find(TINY)[0], format="onnx", precision="fp32")
    path = Path(cache.obtain(job).path)
    model = onnx.load(str(path))
    onnx.external_data_helper.convert_model_to_external_data(model, location="weights.bin", size_threshold=0)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../../../../etc/passwd"
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
    path.write_bytes(model.SerializeToString())
    assert cache.find(job) is None
    return len(names) + 1, "every path stays below the cache; a file that was changed is never loaded"


class Evil:
    """Runs code when it is unpickled by a careless reader."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.marker), "w")


def evil_checkpoint(folder: Path) -> tuple[int, str]:
    """A checkpoint that tries to run code."""
    import torch

    marker, path = folder / "ran", folder / "evil.pth"
    torch.save({"state_dict": {"weight": Evil(marker)}}, path)
    one_error(command("exporters", TINY, "--to", "onnx", "--weights", path, "--out", folder / "one"))
    path.write_bytes(pickle.dumps({"weight": Evil(marker)}))
    one_error(command("exporters", TINY, "--to", "onnx", "--weights", path, "--out", folder / "two"))
    assert not marker.exists()
    shutil.rmtree(folder / "one", ignore_errors=True)
    return 2, "refused by name; nothing ran"


FAULTS = (
    killed_sweeps,
    two_sweeps,
    shared_cache,
    full_disk,
    unwritable,
    no_memory,
    bit_flips,
    damaged_files,
    hostile_text,
    path_traversal,
    evil_checkpoint,
)


if __name__ == "__main__":
    main()
