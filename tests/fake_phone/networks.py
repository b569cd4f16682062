"""Two tiny networks as TFLite files, converted once for a whole test run."""

import warnings

from filelock import FileLock

from exporters.artifact import Job
from exporters.cache import Cache
from models import find

FIRST = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResIDWE1K3(8,16,2,16,1)@32"
SECOND = "zennet:SuperConvK3BNRELU(3,16,2,2)@32"


def tiny_artifacts(tmp_path_factory):
    """The cache folder that holds both in FP32; workers of one run share it."""
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen-"):  # one worker of several
        shared = shared.parent
    folder = shared / "tiny-tflite"
    with FileLock(folder.with_suffix(".lock")), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for source in (FIRST, SECOND):
            (model,) = find(source)
            Cache(folder).obtain(Job(model=model, format="tflite", precision="fp32", batch=1))
    return folder
