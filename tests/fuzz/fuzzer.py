"""One parser under libFuzzer, in a process of its own that is forked once the suite is imported and instrumented.

What fails is kept, the smallest input of each place in the code where it fails, and the run goes on.
"""

import contextlib
import hashlib
import inspect
import io
import os
import resource
import sys
import time
import traceback
from pathlib import Path

import atheris

# Whose coverage guides the choice of inputs: the suite, and what reads outside data for it and is Python itself.
_PACKAGES = ["system", "models", "exporters", "devices", "bench", "reports"]
_PACKAGES += ["PIL", "ai_edge_litert", "csv", "flatbuffers", "tomllib"]
_MODULES = ["torch._export.serde.serialize", "torch._weights_only_unpickler", "torch.export.pt2_archive._package"]
_MOST_BYTES = 1 << 16
_LONGEST_S = 5.0  # of one input, of this process's own time
_MOST_MEMORY_BYTES = 2_000_000_000
_KILLED_S, _KILLED_MB = 60, 6000  # what libFuzzer ends itself: inputs that never end

with contextlib.redirect_stderr(io.StringIO()), atheris.instrument_imports(include=_PACKAGES):
    from tests.fuzz.mutate import mutated
    from tests.fuzz.parser import CORPUS, Parser, attempt
    from tests.fuzz.parsers import PARSERS


class TooMuchError(Exception):
    """An input that takes too long, or too much memory."""


class Findings:
    """The inputs that fail, the smallest one of each place."""

    def __init__(self, folder: Path, parser: Parser) -> None:
        self._folder, self._parser = folder, parser
        self._sizes: dict[str, int] = {}

    def test(self, content: bytes) -> None:
        """Try an input."""
        begun_s, before_bytes = time.process_time(), _peak_bytes()
        try:
            attempt(self._parser, content)
            if (took_s := time.process_time() - begun_s) > _LONGEST_S:
                raise TooMuchError(f"{took_s:.1f} s")
            if _peak_bytes() > max(before_bytes, _MOST_MEMORY_BYTES):
                raise TooMuchError(f"{_peak_bytes() / 1e9:.1f} GB")
        except Exception as error:
            self._keep(content, error)

    def _keep(self, content: bytes, error: Exception) -> None:
        place = _place(error)
        if len(content) >= self._sizes.get(place, 1 << 30):
            return
        self._sizes[place] = len(content)
        path = self._folder / f"finding-{hashlib.sha256(place.encode()).hexdigest()[:8]}"
        path.write_bytes(content)
        said = "".join(traceback.format_exception(error, chain=False))
        path.with_suffix(".txt").write_text(f"{place}\n{said[:2000]}\n...\n{said[-2000:]}", errors="replace")


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _place(error: Exception) -> str:
    """The error's kind and the last frame of ours, which two inputs that fail alike share."""
    if isinstance(error, TooMuchError):
        return type(error).__name__
    root = f"{CORPUS.parents[2]}/"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(root)]
    ours = [f"{frame.filename.removeprefix(root)}:{frame.lineno}" for frame in frames if ".venv" not in frame.filename]
    return f"{type(error).__name__} at {ours[-1] if ours else 'nowhere'}"


def warm_up(names: list[str]) -> None:
    """Read the corpus of these parsers: what the suite imports only when it is used is imported, and instrumented.

    Raises what an input of the corpus raises.
    """
    with contextlib.redirect_stderr(io.StringIO()), atheris.instrument_imports(include=_PACKAGES):
        for name in names:
            for path in PARSERS[name].corpus():
                attempt(PARSERS[name], path.read_bytes())
    for module in filter(None, map(sys.modules.get, _MODULES)):
        for value in vars(module).values():
            functions = vars(value).values() if isinstance(value, type) else [value]
            for function in functions:
                if inspect.isfunction(function) and function.__module__ == module.__name__:
                    atheris.instrument_func(function)


def fuzz(name: str, folder: Path, seconds: int) -> int:
    """Fuzz a parser in a process of its own, which writes `log.txt` and findings into the folder; its exit code."""
    if process := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        with (folder / "log.txt").open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        _run(PARSERS[name], folder, seconds)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def _run(parser: Parser, folder: Path, seconds: int) -> None:
    """Fuzz; libFuzzer ends the process."""
    own, words = folder / "corpus", folder / "words.txt"
    own.mkdir(exist_ok=True)
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in parser.words))
    options = [f"-max_total_time={seconds}", f"-max_len={_MOST_BYTES}", "-print_final_stats=1"]
    options += [
        f"-timeout={_KILLED_S}",
        f"-report_slow_units={_KILLED_S}",
        f"-rss_limit_mb={_KILLED_MB}",
        f"-artifact_prefix={folder}/killed-",
    ]
    options += [f"-dict={words}"] if parser.words else []

    def mutate(content: bytes, most_bytes: int, seed: int) -> bytes:
        return mutated(parser.shape, content, most_bytes, seed, atheris.Mutate)

    ways = {} if parser.shape == "bytes" else {"custom_mutator": mutate}
    atheris.Setup([sys.argv[0], *options, str(own), *map(str, parser.folders)], Findings(folder, parser).test, **ways)
    atheris.Fuzz()


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())
