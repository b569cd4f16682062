"""What the runtime of phones understands."""

from typing import Annotated, Literal

from msgspec import Meta

from devices.options import DeviceClockOptions

_NIGHTLY = (
    # What the TFLite documentation links to. It moves, so its sha256 goes into every record.
    "https://storage.googleapis.com/tensorflow-nightly-public/prod/tensorflow/release/lite/tools/nightly/latest/"
    "android_aarch64_benchmark_model"
)
_Mask = Annotated[str, Meta(pattern="^[0-9a-fA-F]{1,16}$")]
# Digits alone are a whole number on the command line.
_DecimalMask = Annotated[int, Meta(ge=0, lt=10**16)]
_Count = Annotated[int, Meta(ge=1)]
_Seconds = Annotated[float, Meta(ge=0)]


class PhoneOptions(DeviceClockOptions, frozen=True, kw_only=True):
    """How the network runs, how long an invocation takes, what is waited for, and which phone and tool it is."""

    threads: Annotated[_Count, Meta(description="threads of an inference")] = 1
    affinity: Annotated[
        _Mask | _DecimalMask | None,
        Meta(description="hexadecimal mask of the cores that it may use: 80 is core 7; any core unless given",
             examples=["f0"]),
    ] = None  # fmt: skip
    delegate: Annotated[Literal["xnnpack", "gpu"], Meta(description="what computes it")] = "xnnpack"
    fp16: Annotated[bool, Meta(description="whether the GPU may compute in FP16")] = True
    runs: Annotated[_Count, Meta(description="inferences of an invocation at least")] = 10
    # Of these two the defaults are the tool's own.
    min_s: Annotated[_Seconds, Meta(description="seconds of an invocation at least")] = 1.0
    max_s: Annotated[
        float, Meta(gt=0, description="seconds after which an invocation is cut off, more where its runs need more")
    ] = 150.0
    grace_s: Annotated[_Seconds, Meta(description="seconds beyond that after which it counts as hung")] = 60.0
    airplane: Annotated[
        Literal["usb", "always", "never"], Meta(description="airplane mode while it measures; usb: only over a cable")
    ] = "usb"
    reconnect_s: Annotated[_Seconds, Meta(description="seconds to wait for a phone that went away")] = 20.0
    # These two were chosen before any phone could be measured.
    warmer_c: Annotated[
        float, Meta(gt=0, description="degrees above its idle temperature from which a battery cools first")
    ] = 5.0
    max_temperature_c: Annotated[
        float, Meta(description="battery temperature above which it cools first, whatever its idle one is")
    ] = 40.0
    cool_down_max_s: Annotated[_Seconds, Meta(description="seconds that cooling is waited for at most")] = 300.0
    cool_down_poll_s: Annotated[_Seconds, Meta(description="seconds between two readings meanwhile")] = 5.0
    serial: Annotated[str | None, Meta(description="which phone, where several are connected")] = None
    adb_host: Annotated[str | None, Meta(description="the adb server's machine; what adb itself asks unless given")] = (
        None
    )
    adb_port: Annotated[Annotated[int, Meta(ge=1, le=65535)] | None, Meta(description="the adb server's port")] = None
    benchmark_model: Annotated[str | None, Meta(description="path of the tool; downloaded unless given")] = None
    benchmark_model_address: Annotated[str, Meta(description="where it is downloaded from")] = _NIGHTLY

    @property
    def mask(self) -> str | None:
        """The cores as hexadecimal digits; None allows any."""
        return None if self.affinity is None else str(self.affinity)
