"""Tiny networks, exported once for a whole test run: two as TFLite files, and whatever other files a test needs."""

import warnings

from filelock import FileLock

from exporters.artifact import Job
from exporters.cache import Cache
from models import find

FIRST = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResIDWE1K3(8,16,2,16,1)@32"
SECOND = "zennet:SuperConvK3BNRELU(3,16,2,2)@32"


def tiny_artifacts(tmp_path_factory):
    """The cache folder that holds both in FP32; workers of one run share it."""
    for source in (FIRST, SECOND):
        exported(tmp_path_factory, Job(model=find(source)[0], format="tflite", precision="fp32", batch=1))
    return _folder(tmp_path_factory)


def exported(tmp_path_factory, job):
    """The artifact of a job, whatever the converters warn of; workers of one run share it."""
    folder = _folder(tmp_path_factory)
    with FileLock(folder.with_suffix(".lock")), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Cache(folder).obtain(job)


def _folder(tmp_path_factory):
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen-"):  # one worker of several
        shared = shared.parent
    return shared / "tiny-artifacts"
