"""`Model`: a network by its source, built on demand."""

import functools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.given.file import GivenFile
from models.published import Published, published
from system.errors import UserError, one_line

if TYPE_CHECKING:
    from torch import nn


RESOLUTIONS_PX = range(8, 4097)  # that can be asked for; a slip would exhaust the memory


@dataclass(frozen=True)
class Model:
    """A network: `source` is what it is made from (models/sources.py), `file` the file that it names, if any.

    `stated_percent` is its ImageNet top-1 at its resolution as somebody states it, None where nobody does.
    """

    name: str
    family: str
    resolution_px: int
    source: str
    stated_percent: float | None = None
    file: GivenFile | None = None

    def at_resolution(self, resolution_px: int) -> "Model":
        """The same network for images of another size, of no known accuracy; itself where it is of that size."""
        assert self.file is None
        if resolution_px == self.resolution_px:
            return self
        name = f"{self.name}@{resolution_px}"
        return replace(self, name=name, resolution_px=resolution_px, stated_percent=None)

    @property
    def published(self) -> Published | None:
        """The printed row of this network, where there is one."""
        return published().get(self.name)

    @property
    def top1_percent(self) -> float | None:
        """The ImageNet accuracy as published, else as stated; `bench --accuracy` measures that of a file."""
        return self.published.top1_percent if self.published else self.stated_percent

    @property
    def kind(self) -> str:
        """The first word of the source: what the network is made from."""
        return self.source.partition(":")[0]

    @property
    def batch(self) -> int | None:
        """The only batch that the network takes; None where it takes any."""
        return self.file.batch if self.file else None

    @property
    def has_module(self) -> bool:
        """Whether it is a torch module, rather than a file of another kind."""
        return self.kind not in {"onnx", "tflite"}

    @property
    def has_own_weights(self) -> bool:
        """Whether it comes with weights, which are not seeded then."""
        return self.file is not None or self.kind == "torch"

    def content(self) -> str:
        """A hexadecimal digest of what the source alone doesn't tell: a file, or the module that a function makes.

        "" where the source says everything. Raises UserError where the function makes no network.
        """
        if self.file is not None:
            return self.file.sha256
        return _fingerprint(self.source.partition(":")[2], self.resolution_px) if self.kind == "torch" else ""

    def architecture(self, device: str = "meta") -> "nn.Module":
        """The network in eval mode, on the meta device: shapes without weights. One with its own weights is on the CPU.

        Raises UserError where the source can't be read, or names a file that no torch module can be made of.
        """
        import torch

        kind, _, spec = self.source.partition(":")
        if not self.has_module:
            fix = "name it by timm, zennet, torch or pt2 for that"
            raise UserError(f"no torch module of {self.name}", found=f"an {kind} file", fix=fix)
        if self.has_own_weights:
            return evaluating(_own(kind, spec)).requires_grad_(False)
        with torch.device(device):
            if kind == "timm":
                module = timm_network(spec, self.resolution_px)
            else:
                module = _zennet(spec, squeeze_excite=kind == "zennet-se")
        return module.eval().requires_grad_(False)

    def run_once(self, module: "nn.Module") -> None:
        """Run an image, or a batch of the size that it takes, through `module` on its device.

        On the meta device nothing is computed. Raises UserError where it takes no images of this resolution.
        """
        import torch

        device = next((tensor.device for tensor in module.state_dict().values()), torch.device("meta"))
        try:
            with torch.inference_mode():
                module(torch.zeros(self.batch or 1, 3, self.resolution_px, self.resolution_px, device=device))
        except (AssertionError, RuntimeError, ValueError) as error:
            what = f"{self.name} takes no images of {self.resolution_px} px"
            raise UserError(what, found=one_line(error, 160), fix="give another resolution behind its @") from error

    def build(
        self,
        weights: Path | str | None = None,
        *,
        features_only: bool = False,
        out_indices: Sequence[int] | None = None,
    ) -> "nn.Module":
        """The network in eval mode on the CPU, FP32, with the weights of the checkpoint at `weights`.

        Without one they are its own where it has any, else seeded.

        `features_only` gives the backbone: a list of feature maps, by stride, with timm's `feature_info`, of which
        `out_indices` chooses. No parameter asks for a gradient: call `.train().requires_grad_(True)` to fine-tune.
        Raises UserError where the checkpoint can't be read or belongs to another network.
        """
        from models.weights import load_checkpoint, load_seeded

        # Some networks of timm have buffers that are in no state dict: on the meta device these would keep no values.
        module = self.architecture("cpu" if self.source.startswith("timm:") else "meta")
        if weights is not None:
            load_checkpoint(module, Path(weights))
        elif not self.has_own_weights:
            load_seeded(module, self.resolution_px)
        if features_only:
            from models.features import backbone

            return backbone(self, module, out_indices)
        return module


def _own(kind: str, spec: str) -> "nn.Module":
    """The module of an exported program, or that which a function of the user's makes."""
    if kind == "pt2":
        from models.given.program import module_of

        return module_of(Path(spec))
    from models.given.factory import made_by

    return made_by(spec)


def evaluating(module: "nn.Module") -> "nn.Module":
    """A module in eval mode; an exported program is in the mode in which it was exported."""
    with suppress(NotImplementedError):
        module.eval()
    return module


@functools.lru_cache(maxsize=8)
def _fingerprint(spec: str, resolution_px: int) -> str:
    from models.given.factory import fingerprint

    return fingerprint(spec, evaluating(_own("torch", spec)), resolution_px)


def _zennet(structure: str, *, squeeze_excite: bool) -> "nn.Module":
    from models.zennet import zennet

    return zennet(structure, squeeze_excite=squeeze_excite)


def timm_network(name: str, resolution_px: int, **options: Any) -> "nn.Module":
    """A network of timm with untrained weights, in train mode; `options` are timm.create_model's.

    Raises UserError where timm has no network of that name.
    """
    import timm

    if not timm.is_model(name):
        near = timm.list_models(f"*{name}*")[:3]
        fix = f"did you mean {' or '.join(near)}?" if near else "timm.list_models() names them"
        raise UserError("timm has no such network", found=repr(name), fix=fix)
    # A transformer holds a position for each patch: its resolution is part of the network.
    sized = getattr(timm.get_pretrained_cfg(name), "fixed_input_size", False)
    size = {"img_size": resolution_px} if sized else {}
    # pretrained=False: the zoo is offline, and latency does not depend on what the weights learned.
    module: nn.Module = timm.create_model(name, pretrained=False, **size, **options)
    if getattr(module, "dynamic_img_size", False):
        # While they are exported such networks resize their positions in the graph, to the size that they have: work
        # that a network of one resolution doesn't do, which LiteRT's converter can't take.
        module = timm.create_model(name, pretrained=False, **size, **options, dynamic_img_size=False)
    return module
