"""LiteRT's own benchmark_litert_model, which times a TFLite file: a peer of the suite."""

import json
import subprocess
import sys
import tempfile


def tool_median_s(path: str, *, runs: int, threads: int, warmups: int | None = None) -> float:
    """The median time of an inference in seconds; with as many warm-ups as the tool has by itself unless given."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [sys.executable, "-m", "ai_edge_litert.tools.benchmark_litert_model", f"--model={path}"]
        command += [f"--num_runs={runs}", f"--num_threads={threads}", f"--result_json={result.name}"]
        command += [] if warmups is None else [f"--warmup_runs={warmups}"]
        subprocess.run(command, capture_output=True, check=True)
        return float(json.load(result)["latency"]["median_ms"]) / 1e3
