"""The published checkpoint of a network: where it lies, and under which names it may be found in a folder."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from models.model import Model
from models.published import published
from models.timm_networks import timm_configuration
from system.names import split_at

SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")  # of checkpoints

_HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Official:
    """One published file: `file` is its name in the cache, `also` is what it is called where it comes from.

    `sha256_begins` are the first digits of its SHA-256, as far as its address tells them.
    """

    address: str
    file: str
    also: str
    sha256_begins: str = ""


def official_of(model: Model) -> Official | None:
    """The published checkpoint of a network, None where there is none. Raises UserError where timm lacks its tag."""
    name, _ = split_at(model.name)  # its weights are the same at every resolution
    if (row := published().get(name)) is not None and (address := row.checkpoint_url):
        # All nine files of the ZenNets have one name; their folders tell them apart.
        return Official(address, f"{name}.pth", "/".join(PurePosixPath(urlsplit(address).path).parts[-2:]))
    return _of_timm(model.spec) if model.kind == "timm" else None


def _of_timm(name: str) -> Official | None:
    configuration = timm_configuration(name)
    if configuration is None:
        return None
    url = configuration.url if isinstance(configuration.url, str) else ""
    stem = ".".join(filter(None, (configuration.architecture, configuration.tag)))
    also = PurePosixPath(urlsplit(url).path).name
    suffix = PurePosixPath(also).suffix
    # timm's own files end so, as torch.hub's do.
    digits = re.search(r"-([0-9a-f]{8,64})\.\w+$", also)
    if suffix in SUFFIXES and (digits or not configuration.hf_hub_id):
        return Official(url, stem + suffix, also, digits[1] if digits else "")
    if configuration.hf_hub_id:
        also = configuration.hf_hub_filename or "model.safetensors"
        address = f"{_HUB}/{configuration.hf_hub_id}/resolve/main/{also}"
        return Official(address, stem + PurePosixPath(also).suffix, f"{stem}/{also}")
    return None
