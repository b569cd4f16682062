"""ExecuTorch programs, FP32, fixed batch, lowered to XNNPACK; what ExecuTorch loads on CPUs and in apps."""

import warnings
from pathlib import Path
from typing import Any

from exporters.artifact import Artifact, Fidelity, Job
from exporters.executorch_run import absence, run_file
from exporters.fidelity import FP32_LIMIT, check_against_source
from exporters.format import Format
from exporters.mobile_graph import keep_pooled_axes
from exporters.network import torch_network
from system.errors import UserError
from system.silence import silence


def export(job: Job, source: Artifact | None, path: Path) -> Fidelity:
    """Write the network to `path`.

    Raises UserError where ExecuTorch isn't here, where operators are left that XNNPACK doesn't take, or where the
    logits differ from torch's by more than 1e-4.
    """
    assert job.batch is not None
    if missing := absence():
        raise UserError("no ExecuTorch", found=missing, fix="export with .venv-executorch/bin/python")
    with silence(), warnings.catch_warnings(action="ignore"):  # ExecuTorch's, about its own imports
        program = _lower(job, job.batch)
        left = _left_over(program)
        if not left:
            with path.open("wb") as file:
                program.to_executorch().write_to_file(file)
    if left:
        raise UserError("XNNPACK takes only a part of the network", found=f"left: {', '.join(left)}", fix="not timed")
    return check_against_source(job, run_file(path), limit=FP32_LIMIT, batch=2 * job.batch)


def _lower(job: Job, batch: int) -> Any:
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    px = job.model.resolution_px
    example = (torch.zeros(batch, 3, px, px),)
    traced = torch.export.export(torch_network(job), example).module()
    keep_pooled_axes(traced)
    return to_edge_transform_and_lower(torch.export.export(traced, example), partitioner=[XnnpackPartitioner()])


def _left_over(program: Any) -> list[str]:
    """The operators outside of what XNNPACK takes, which ExecuTorch's slow reference kernels would run."""
    calls = [node for node in program.exported_program().graph.nodes if node.op == "call_function"]
    names = (str(node.target) for node in calls)
    return sorted({name for name in names if "executorch_call_delegate" not in name and "getitem" not in name})


FORMAT = Format(
    precisions=("fp32",),
    suffix=".pte",
    export=export,
    default_batch=1,
    tools=("torch", "timm", "executorch"),
    peak_bytes=8_000_000_000,
    preload=("torch", "timm"),
)
