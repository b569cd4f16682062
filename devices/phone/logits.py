"""A network on a phone that is asked for logits: images are pushed to it, one invocation of the tool runs each batch.

The TFLite benchmark_model fills the input from a file of raw values (--input_layer_value_files, since 2020) and writes
the output's raw values once it has run (--output_filepath, since TensorFlow 2.11: tensorflow#55493); LiteRT's own has
neither. It drops an output that it can't write without a word, so what comes back is counted.
"""

import base64
import binascii
import itertools
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devices.phone.benchmark_model import explanation_of, parse_benchmark_model
from devices.phone.invocation import FOLDER
from devices.phone.network import PhoneNetwork
from exporters.artifact import Artifact
from exporters.tflite_run import TensorDetails, ends, input_of, output_of
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INPUT = "images"  # the tool names the input as it is told, and warns where the file calls it otherwise


class PhoneLogits:
    """A network on a phone and the files that it reads and writes there."""

    def __init__(self, network: PhoneNetwork, artifact: Artifact) -> None:
        """Raises UserError where the tool takes no images or writes no logits."""
        self._network, self.ran_on = network, network.ran_on
        if not network.phone.takes_images:
            family = {"litert": "LiteRT's own benchmark_model", "tflite": "benchmark_model of before TensorFlow 2.11"}
            found = f"{family[network.phone.family]}, which runs random inputs and keeps no outputs"
            fix = "give --benchmark-model a newer one of the TFLite family"
            raise UserError("the phone's tool gives no logits", found=found, fix=fix)
        self._given, self._produced = ends(Path(artifact.path))
        self._numbers = itertools.count()
        network.phone.link.shell(f"rm -f {FOLDER}/*.raw")  # what a lost connection left

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes) of images (N, 3, H, W), float32.

        Raises UserError where the phone is gone or full, or the tool fails.
        """
        self._network.phone.await_return()
        number = next(self._numbers)
        given, produced = (f"{FOLDER}/{name}-{number}.raw" for name in ("images", "logits"))
        try:
            self._push(input_of(self._given, images), given)
            self._run(given, produced)
            return output_of(self._produced, self._read(produced))
        finally:
            with suppress(UserError):  # the phone is gone; the next predictor deletes them
                self._network.phone.link.shell(f"rm -f {given} {produced}")

    def close(self) -> None:
        """Leave the phone; a second call does nothing."""
        self._network.close()

    def _push(self, values: "NDArray[Any]", remote: str) -> None:
        with tempfile.TemporaryDirectory(prefix="images-") as folder:
            path = Path(folder) / "images.raw"
            path.write_bytes(values.tobytes())
            self._network.phone.link.push(path, remote)

    def _run(self, given: str, produced: str) -> None:
        shape = ",".join(map(str, self._given["shape"]))
        files = [f"--input_layer={_INPUT}", f"--input_layer_shape={shape}", f"--output_filepath={produced}"]
        files.append(f"--input_layer_value_files={_INPUT}:{given}")
        text = self._network.invoke(runs=1, min_s=0.0, warmup=False, more=files)
        parse_benchmark_model(text)
        self._network.delegation(text)

    def _read(self, remote: str) -> "NDArray[Any]":
        """The raw values of the output, in its shape."""
        import numpy as np

        answered = self._network.phone.link.shell(f"base64 {remote}", timeout_s=60.0)
        details: TensorDetails = self._produced
        count = int(np.prod(details["shape"]))
        wanted_bytes = count * np.dtype(details["dtype"]).itemsize
        try:
            values = base64.b64decode(answered.text, validate=False) if answered.code == 0 else b""
        except binascii.Error:
            values = b""
        if len(values) != wanted_bytes:
            said = explanation_of(answered.text) if answered.code else f"{len(values)} of {wanted_bytes} bytes"
            raise UserError("the phone kept no logits", found=said, fix=f"make room there: adb shell rm -r {FOLDER}")
        return np.frombuffer(values, dtype=details["dtype"]).reshape(details["shape"])
