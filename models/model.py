"""`Model`: a network by its source, built on demand."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.given.file import GivenFile
from models.published import Published, published
from models.timm_networks import has_branches, merge, merged, timm_network
from system.errors import UserError, one_line

if TYPE_CHECKING:
    from torch import nn


RESOLUTIONS_PX = range(8, 4097)  # that can be asked for; a slip would exhaust the memory
NO_FAMILY = "custom"  # what networks from elsewhere have as their family


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
    def spec(self) -> str:
        """What stands behind that word: a structure, a name of timm, a function or a path."""
        return self.source.partition(":")[2]

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
        if self.kind != "torch":
            return ""
        from models.given.factory import content_of

        return content_of(self.spec, self.resolution_px)

    def architecture(self, device: str = "meta") -> "nn.Module":
        """The network in eval mode, on the meta device: shapes without weights. One with its own weights is on the CPU.

        Raises UserError where the source can't be read, or names a file that no torch module can be made of.
        """
        import torch

        if not self.has_module:
            fix = "name it by timm, zennet, torch or pt2 for that"
            raise UserError(f"no torch module of {self.name}", found=f"an {self.kind} file", fix=fix)
        if self.has_own_weights:
            return evaluating(_own(self.kind, self.spec)).requires_grad_(False)
        with torch.device(device):
            if self.kind == "timm":
                module = timm_network(self.spec, self.resolution_px)
            else:
                from models.zennet import zennet

                module = zennet(self.spec, squeeze_excite=self.kind == "zennet-se")
        return module.eval().requires_grad_(False)

    def used_architecture(self) -> "nn.Module":
        """The network as it is used: `architecture`, with parallel branches merged, which takes weights and the CPU."""
        module = self.architecture()
        return self.build() if self.kind == "timm" and has_branches(module) else module

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

        Without one they are its own where it has any, else seeded. Parallel branches of timm's networks are merged.

        `features_only` gives the backbone: a list of feature maps, by stride, with timm's `feature_info`, of which
        `out_indices` chooses. No parameter asks for a gradient: call `.train().requires_grad_(True)` to fine-tune.
        Raises UserError where the checkpoint can't be read or belongs to another network.
        """
        from models.weights import has_keys_of, load_checkpoint, load_seeded

        # Some networks of timm have buffers that are in no state dict: on the meta device these would keep no values.
        module = self.architecture("cpu" if self.kind == "timm" else "meta")
        if weights is None and not self.has_own_weights:
            load_seeded(module, self.resolution_px)
        branches = self.kind == "timm" and has_branches(module)
        if branches and weights is not None and not has_keys_of(module, Path(weights)):
            module, branches = merge(module), False  # the checkpoint is of a merged one
        if weights is not None:
            load_checkpoint(module, Path(weights))
        if features_only:
            from models.features import backbone

            return backbone(self, module, out_indices)
        return merged(module, self.resolution_px) if branches else module


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
