"""A loaded network as a session whose inferences the host's clock times."""

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from devices.host.clock import NAME, time_each
from devices.predictor import Loaded
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from models.images import synthetic_images

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class HostNetwork(Loaded, Protocol):
    """What a runtime on this host has loaded: it is shown a batch, and returns from an inference once that is done."""

    def show(self, images: "NDArray[np.float32]") -> None:
        """Take images (N, 3, H, W), N being the target's batch, for the inferences that follow."""

    def infer(self) -> object:
        """Run the batch that was shown."""


Network = TypeVar("Network", bound=HostNetwork)


class HostSession(Generic[Network]):
    """A network whose input is set once."""

    clock = NAME
    aggregates = False

    def __init__(self, network: Network, artifact: Artifact, target: Target) -> None:
        self.network, self.ran_on = network, network.ran_on
        network.show(synthetic_images(target.batch, artifact.input_shape[-1] or 0))

    def run(self, count: int) -> Samples:
        """The seconds of `count` inferences of one batch."""
        return time_each(self.network.infer, count)

    def close(self) -> None:
        """Free the network's memory."""
        self.network.close()
