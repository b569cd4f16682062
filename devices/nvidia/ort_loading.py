"""A network of an ONNX file loaded by one of ONNX Runtime's GPU providers; what would fall back is an error."""

from typing import Any, NamedTuple

from devices.nvidia.cuda_events import naming_full_memory
from devices.nvidia.explicit_pads import FOLDING, pad_explicitly
from devices.nvidia.ort_options import TENSORRT, gpu_options
from devices.targets import Target
from exporters.onnx_run import BATCH, INTEGER_BIASES
from system.errors import UserError, one_line


class Source(NamedTuple):
    """What is loaded: the file at `path`, or its `content` in which so many convolutions were `padded` explicitly."""

    path: str
    content: bytes | None = None
    padded: int = 0


def session_options(target: Target) -> Any:
    """The batch fixed, and no node left to the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_free_dimension_override_by_name(BATCH, target.batch)
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    return options


def explicitly_padded(path: str) -> Source:
    """The network of a file, each of its convolutions that pads two sides differently behind a Pad of its own."""
    import onnx

    model = onnx.load(path)
    padded = pad_explicitly(model)
    return Source(path, model.SerializeToString(), padded) if padded else Source(path)


def load(source: Source, target: Target, told: dict[str, str]) -> Any:
    """The session. Raises UserError with ONNX Runtime's own reason where there is none on the target's provider."""
    import onnxruntime

    provider = gpu_options(target).provider
    if provider == TENSORRT:
        import tensorrt  # noqa: F401 - it brings the libraries that the provider loads
    providers, options = [(provider, told)], session_options(target)
    left_out = [INTEGER_BIASES, FOLDING] if source.padded else [INTEGER_BIASES]
    try:
        with naming_full_memory(target.batch):
            # Its own fallback would try the CPU next, and hide what was wrong.
            session = onnxruntime.InferenceSession(
                source.content or source.path,
                options,
                providers=providers,
                enable_fallback=0,
                disabled_optimizers=left_out,
            )
    except UserError:
        raise
    except Exception as error:  # onnxruntime's own exceptions have no common ancestor but this
        found = one_line(error, 240)
        if "fallback" in str(error):
            raise fell_back(target, provider, found) from error
        fix = f"check the target's options, or remove {source.path}"
        raise UserError(f"{provider} can't load the network", found=found, fix=fix) from error
    if (found := session.get_providers()[0]) != provider:
        raise fell_back(target, provider, found)
    return session


def fell_back(target: Target, provider: str, found: str) -> UserError:
    """The error of a network that another provider than the target's would run, even in part."""
    return UserError(f"{target.name} must run on {provider}", found=found, fix="a fallback isn't timed")
