"""The key of a file in the cache: a digest of everything that its content depends on."""

import hashlib

import msgspec

from exporters.artifact import Artifact, Job, versions
from exporters.formats import find_format
from exporters.int8.calibration import calibration_name, is_calibrated
from exporters.network import checkpoint_sha256
from models.weights import SEEDED

# Part of every key: raise it when the files that the same tools make, or what is kept of them, change.
_RECIPE = 1


def file_key(job: Job, source: Artifact | None) -> str:
    """The hexadecimal SHA-256 of what the file of `job` depends on; `source` matters to formats keyed by it alone.

    Raises UserError where the checkpoint or the calibration images can't be read, or where the format needs hardware
    that isn't here.
    """
    format_ = find_format(job.format)
    # The names are those of the first version, so that its caches stay valid.
    parts: dict[str, object] = {
        "recipe": _RECIPE,
        "source": job.model.source,
        "resolution_px": job.model.resolution_px,
        "format": job.format,
        "precision": job.precision,
        "batch": job.batch,
        "weights": weights_name(job),
        "made_by": versions(format_.tools),
    }
    if job.model.has_own_weights and job.weights is not None:
        parts["content"] = job.model.content()  # which network the checkpoint is for: a file's path doesn't say
    if (recipe := format_.recipe_of(job)) is not None:
        parts["format_recipe"] = recipe
    if is_calibrated(job):
        parts["calibration"] = calibration_name(job)
    if build_host := format_.build_host(job):
        parts["place"] = build_host
    if format_.keyed_by_source and source is not None:
        parts["source_sha256"] = source.sha256
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def weights_name(job: Job) -> str:
    """Which weights the network of `job` has: the same name means the same values.

    Raises UserError where the checkpoint can't be read, or the network can't be made.
    """
    if job.weights is not None:
        return f"{job.weights.name} sha256:{checkpoint_sha256(job.weights)}"
    return f"its own sha256:{job.model.content()}" if job.model.has_own_weights else SEEDED
