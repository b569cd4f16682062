"""One phone that several sessions use: the first one prepares it, the last one restores it."""

from contextlib import suppress
from pathlib import Path

from devices.phone.adb import Link
from devices.phone.benchmark_model import Family, explanation_of, family_of, takes_images
from devices.phone.benchmark_tool import find_tool
from devices.phone.cooling import Cooling, Rest
from devices.phone.invocation import FOLDER, TOOL, stop
from devices.phone.options import PhoneOptions
from devices.phone.state import HeldState
from system.errors import UserError


class SharedPhone:
    """One phone, its tool and its held states, while sessions use it."""

    def __init__(self, link: Link, options: PhoneOptions) -> None:
        self.link, self._options = link, options
        self._users, self._lost = 0, False
        self._state: HeldState | None = None
        self._cooling: Cooling | None = None
        self.family: Family = "tflite"
        self.tool_sha256, self.takes_images = "", False

    def take(self) -> None:
        """One user more; the first one copies the tool and sets the states."""
        self.await_return()
        if self._users == 0:
            self._prepare()
        self._users += 1

    def leave(self) -> None:
        """One user less; the last one restores the states."""
        self._users -= 1
        if self._users == 0 and self._state is not None:
            self._state.restore()

    def cool(self) -> Rest:
        """Wait until it is about as cool as at rest; a phone that was taken."""
        assert self._cooling is not None
        return self._cooling.wait()

    def await_return(self) -> None:
        """Wait for a phone that went away, once. Raises UserError where it doesn't come back."""
        wait_s = 0.0 if self._lost else self._options.reconnect_s
        self._lost = True
        self.link.wait_until_back(wait_s)
        self._lost = False

    def deliver(self, path: Path, sha256: str, remote: str, mode: str) -> None:
        """Copy a file unless the phone has it; a copy that breaks off leaves nothing behind."""
        if self.link.shell(f"sha256sum {remote}", timeout_s=60.0).text.split()[:1] == [sha256]:
            return
        part = f"{remote}.part"
        try:
            self.link.push(path, part)
            moved = self.link.shell(f"chmod {mode} {part} && mv {part} {remote} && sha256sum {remote}", timeout_s=60.0)
            if moved.text.split()[:1] != [sha256]:
                raise UserError(f"{remote} arrived damaged", found=explanation_of(moved.text), fix="try another cable")
        finally:
            with suppress(UserError):  # the phone is gone; the next copy begins with the same name
                self.link.shell(f"rm -f {part}")

    def about(self) -> dict[str, str | int]:
        """What the records say of it."""
        names = {"device": "ro.product.model", "android": "ro.build.version.release", "build": "ro.build.fingerprint"}
        values = self.link.shell("; ".join(f"getprop {name}" for name in names.values())).text.splitlines()
        about: dict[str, str | int] = dict(zip(names, values, strict=False))
        return about | {"connection": "usb" if self.link.phone.usb else "tcp"}

    def _prepare(self) -> None:
        tool = find_tool(self._options)
        self.link.shell(f"mkdir -p {FOLDER}")
        stop(self.link)  # one that a lost connection left running
        self.deliver(tool.path, tool.sha256, TOOL, "755")
        self.tool_sha256 = tool.sha256
        usage = self.link.shell(f"{TOOL} --help 2>&1").text
        self.family, self.takes_images = family_of(usage), takes_images(usage)
        asked = self._options.airplane
        airplane = asked == "always" or (asked == "usb" and self.link.phone.usb)
        state = self._state = HeldState(self.link, FOLDER, airplane=airplane)
        try:
            state.hold()
            self._cooling = self._cooling or Cooling(self.link, self._options)
        except BaseException:  # Ctrl-C too: nobody has taken the phone yet, so nobody leaves it
            state.restore()
            raise
