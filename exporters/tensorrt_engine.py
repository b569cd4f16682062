"""A plan on the GPU, of TensorRT or TensorRT for RTX: its buffers are allocated once, `queue` sends one batch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import tensorrt as trt
    from numpy.typing import NDArray


class Engine:
    """A deserialized plan of fixed shapes with one input and one output, and a stream of its own."""

    def __init__(self, plan: Path, runtime: "trt.Runtime") -> None:
        """Load the plan. Raises UserError where it is not for this GPU and this version of the runtime's library."""
        import torch

        self._runtime = runtime
        engine = runtime.deserialize_cuda_engine(plan.read_bytes())
        if engine is None:
            raise UserError(f"can't load {plan}", found="a plan of another GPU or TensorRT", fix="remove it")
        self._engine = engine
        self._context: trt.IExecutionContext | None = engine.create_execution_context()
        if self._context is None:
            raise MemoryError("no execution context: the GPU's memory is full")
        self.stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        for index in range(engine.num_io_tensors):
            name = engine.get_tensor_name(index)
            dtype = {"FLOAT": torch.float32, "HALF": torch.float16}[engine.get_tensor_dtype(name).name]
            dims = engine.get_tensor_shape(name)
            shape = [dims[axis] for axis in range(len(dims))]
            tensor = torch.empty(shape, dtype=dtype, device="cuda")
            self._context.set_tensor_address(name, tensor.data_ptr())
            if engine.get_tensor_mode(name).name == "INPUT":
                self.input = tensor
            else:
                self.output = tensor

    def show(self, images: "NDArray[np.float32]") -> None:
        """Copy images (N, 3, H, W) to the plan's input on the GPU, N being the plan's batch."""
        import torch

        self.input.copy_(torch.from_numpy(images))
        torch.cuda.synchronize()

    def queue(self) -> None:
        """Send one batch to the stream. Raises RuntimeError where TensorRT refuses."""
        if self._context is None or not self._context.execute_async_v3(self.stream.cuda_stream):
            raise RuntimeError("TensorRT could not queue the batch")

    def report_to(self, profiler: Any) -> None:
        """Report the milliseconds of each layer of every batch to a trt.IProfiler; `queue` then waits for its batch."""
        assert self._context is not None
        self._context.profiler = profiler
        self._context.enqueue_emits_profile = True

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The output for these images, float32."""
        import torch

        self.show(images)
        self.queue()
        self.stream.synchronize()
        logits: Any = self.output.to("cpu", torch.float32, copy=True).numpy()
        return logits  # type: ignore[no-any-return]

    def close(self) -> None:
        """Free the GPU's memory: the context before the engine that it belongs to."""
        self._context = None
        del self.input, self.output, self._engine, self._runtime
