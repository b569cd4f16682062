"""How the head of a Ray cluster is reached: one line where it isn't, and one where it goes away later.

Ray itself tries for minutes, writes a line for each attempt, and ends the process a minute after its head is gone.
"""

import os
import re
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from system.cluster_options import AUTO
from system.errors import UserError, one_line, printable
from system.silence import into

LOCAL = "local"
_MODE = "RAY_AUTH_MODE"
_CONNECT_S = 3.0
_LOOK_EVERY_S = 5.0
_GONE_S = 40.0  # Ray gives up after 60
_START = "start it with ray start --head, see docs/fleet.md"
_TOKEN_FIX = "copy ~/.ray/auth_token from its head, see docs/fleet.md"


def refuse_unreachable(address: str) -> None:
    """Raises UserError where an address can't be one, or nothing listens there. Other forms than HOST:PORT pass."""
    if address == AUTO:
        address = _found_here()
    if "://" in address or not address:
        return
    if _split(address) is None:
        raise UserError("no address of a Ray cluster", found=repr(address), fix="give HOST:PORT, local or auto")
    if (wrong := _unreachable(address)) is not None:
        raise UserError(f"no Ray cluster at {printable(address)}", found=wrong, fix=_START)


def begin(ray: Any, address: str, options: Mapping[str, Any]) -> None:
    """Connect. Raises UserError with the reason where that fails; what Ray writes meanwhile is not shown."""
    with tempfile.TemporaryFile() as log:
        try:
            with into(log):
                if address != LOCAL:
                    _offer_token()
                ray.init(**options)
        except Exception as error:
            log.seek(0)
            said = f"{error} {log.read().decode(errors='replace')}".lower()
            if "no authentication token" in said:
                raise UserError(
                    f"no token for the Ray cluster at {address}", found="none here", fix=_TOKEN_FIX
                ) from error
            if "authtoken" in said or "unauthenticated" in said:
                found = "its token is not the one here" if os.environ.get(_MODE) == "token" else "no token was sent"
                raise UserError(f"the Ray cluster at {address} refuses", found=found, fix=_TOKEN_FIX) from error
            raise UserError(f"no Ray cluster at {address}", found=one_line(error), fix=_START) from error


def _offer_token() -> None:
    """Have Ray send the token that is here, unless the user chose another mode.

    Ray does so of itself for a cluster that it finds on this machine, not for one whose address it is given.
    """
    try:
        from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
    except ImportError:  # a Ray without tokens
        return
    maybe_enable_token_auth_if_token_available(warn_if_disabled=False)


@contextmanager
def watched(head: str, end: "Callable[[str], None] | None" = None) -> Iterator[None]:
    """Call `end` once nothing has listened at `head` for a while; unless it is given, that ends this process.

    Calls that wait for a head can't be ended any other way, and Ray would end the process without a reason.
    """
    over = threading.Event()

    def look() -> None:
        seen_s = time.monotonic()
        while not over.wait(_LOOK_EVERY_S):
            if _unreachable(head) is None:
                seen_s = time.monotonic()
            elif time.monotonic() - seen_s > _GONE_S and not over.is_set():
                (end or _end)(head)
                return

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _end(head: str) -> NoReturn:
    stderr = sys.__stderr__
    if stderr is not None:
        cursor = "\r\x1b[J\x1b[?25h" if stderr.isatty() else ""  # a table may have hidden it
        fix = "start it again; what was measured so far is kept, and bench goes on with --resume"
        error = UserError(f"the Ray cluster at {head} is gone", found="its head doesn't answer", fix=fix)
        print(f"{cursor}error: {error}", file=stderr, flush=True)
    os._exit(1)


def _found_here() -> str:
    """The head that Ray finds on this machine; "" where this version of Ray can't be asked."""
    try:
        from ray._private.services import get_ray_address_from_environment as find
    except ImportError:
        return ""
    try:
        return str(find(AUTO, None))
    except ConnectionError as error:
        found = "none runs on this machine"
        raise UserError("no Ray cluster", found=found, fix=f"give --ray its address, or {_START}") from error


def _split(address: str) -> tuple[str, int] | None:
    host, _, port = address.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,9}", port) or not 0 < int(port) < 1 << 16:
        return None
    return host.removeprefix("[").removesuffix("]"), int(port)


def _unreachable(address: str) -> str | None:
    """Why nothing answers at HOST:PORT, or None."""
    place = _split(address)
    assert place is not None, address
    try:
        socket.create_connection(place, _CONNECT_S).close()
    except (OSError, UnicodeError) as error:  # UnicodeError: no name of a host
        return "no answer" if isinstance(error, TimeoutError) else one_line(getattr(error, "strerror", None) or error)
    return None
