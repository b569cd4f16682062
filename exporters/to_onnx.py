"""ONNX, FP32 or FP16, batch norms folded into the convolutions, fixed or dynamic batch."""

from collections import Counter
from pathlib import Path

import msgspec

from exporters.artifact import Artifact, Exported, Fidelity, Job
from exporters.fidelity import FP16_LIMIT, FP32_LIMIT, check_against_source
from exporters.format import Format
from exporters.given import as_given, given_file
from exporters.given_onnx import write_given
from exporters.half import refuse_large_weights
from exporters.network import torch_network
from exporters.onnx_run import BATCH, INPUT, OUTPUT, fixed_batch, run
from system.errors import UserError

# 18 is what torch's exporter is written for; 20 still runs on TensorRT 8.6 and ONNX Runtime 1.17.
_OPSET = 18
_SCOPES = "pkg.torch.onnx.name_scopes"  # the module that each node comes from
_LIMITS = {"fp32": FP32_LIMIT, "fp16": FP16_LIMIT}


def source(job: Job) -> Job | None:
    """A fixed batch is derived from the dynamic one, FP16 from FP32; FP32 with a dynamic batch is traced from torch."""
    if job.batch is not None:
        return msgspec.structs.replace(job, batch=None)
    return None if job.precision == "fp32" else msgspec.structs.replace(job, precision="fp32")


def export(job: Job, source: Artifact | None, path: Path) -> Exported | Fidelity:
    """Write the network to `path`, its batch dynamic or fixed.

    Raises UserError where ONNX Runtime's logits differ from torch's by more than 1e-4 (FP32) or 2e-2 (FP16).
    """
    if file := given_file(job):
        write_given(job, file, path)
        return as_given()
    if source is None:
        _trace(job, path)
    elif job.batch is None:
        halve(Path(source.path), path)
    else:
        fix_batch(Path(source.path), path, job.batch)
        # The same nodes: only the declared shape differs.
        return Exported(fidelity=source.fidelity, remark=source.remark)
    return check_against_source(job, lambda images: run(path, images), limit=_LIMITS[job.precision])


def op_counts(path: Path) -> dict[str, int]:
    """How many nodes of each kind an ONNX file holds, the most frequent first."""
    import onnx

    return dict(Counter(node.op_type for node in onnx.load(str(path)).graph.node).most_common())


def _trace(job: Job, path: Path) -> None:
    import torch

    px = job.model.resolution_px
    # Two images, since torch would trace a batch of one as a constant.
    images = torch.zeros(job.model.batch or 2, 3, px, px)
    dynamic = None if job.model.batch else ({0: torch.export.Dim(BATCH)},)
    program = torch.onnx.export(
        torch_network(job),
        (images,),
        dynamo=True,
        optimize=True,  # folds the batch norms
        opset_version=_OPSET,
        dynamic_shapes=dynamic,
        input_names=[INPUT],
        output_names=[OUTPUT],
        verbose=False,
    )
    assert program is not None
    # Stack traces hold this machine's paths: without them the file is the same on every machine. Profiles need scopes.
    for node in program.model.graph.all_nodes():
        for name in node.metadata_props.keys() - {_SCOPES}:
            del node.metadata_props[name]
        for value in node.outputs:
            value.metadata_props.clear()
    for value in (*program.model.graph.inputs, *program.model.graph.initializers.values()):
        value.metadata_props.clear()
    program.model.metadata_props.clear()
    program.save(str(path), external_data=False)


def halve(source: Path, path: Path) -> None:
    """Write an FP32 ONNX file in FP16. Raises UserError where a weight is larger than FP16's largest number."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = onnx.load(str(source))
    refuse_large_weights(model)
    # Batch norms were folded in FP32; weights, activations, input and output are FP16.
    onnx.save(convert_float_to_float16(model, keep_io_types=False), str(path))


def fix_batch(source: Path, path: Path, batch: int) -> None:
    """Write an ONNX file of a dynamic batch with `batch` declared instead.

    Raises UserError where it has another batch, of a network that takes no other.
    """
    import onnx
    from onnx.tools.update_model_dims import update_inputs_outputs_dims

    model = onnx.load(str(source))
    if (fixed := fixed_batch(source)) not in {None, batch}:
        raise UserError(f"the network takes batches of {fixed}", found=f"{batch}", fix="save it with a dynamic batch")
    shapes = {
        value.name: [batch, *(dim.dim_value for dim in value.type.tensor_type.shape.dim[1:])]
        for value in (*model.graph.input, *model.graph.output)
    }
    inputs = {value.name: shapes[value.name] for value in model.graph.input}
    outputs = {value.name: shapes[value.name] for value in model.graph.output}
    del model.graph.value_info[:]  # shapes of the dynamic batch
    onnx.save(update_inputs_outputs_dims(model, inputs, outputs), str(path))


FORMAT = Format(
    precisions=("fp32", "fp16"),
    suffix=".onnx",
    source=source,
    export=export,
    tools=("torch", "onnx", "onnxscript", "onnx-ir", "onnxruntime", "timm"),
    recipe=3,
    peak_bytes=6_000_000_000,
    preload=("torch", "timm", "onnxscript", "onnxruntime"),
    op_counts=op_counts,
)
