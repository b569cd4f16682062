"""Text that can be handed to others: without the names of this machine and its user, and without serial numbers."""

import getpass
import json
import re
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path


def personal_names(serials: Iterable[str] = ()) -> dict[str, str]:
    """What must not be handed on, and what stands for it; `serials` are adb's names of phones.

    A serial may be an address or hold the phone's own number ("192.168.1.7:5555", "adb-FA7AA1A-x._adb-tls-connect"),
    which then go too.
    """
    names = {str(Path.home()): "~"}
    names |= dict.fromkeys([socket.gethostname(), socket.gethostname().partition(".")[0]], "HOST")
    with suppress(OSError, KeyError):  # a user without a name
        names[getpass.getuser()] = "USER"
    for serial in serials:
        names |= dict.fromkeys([serial, *re.split(r":\d+$", serial), *re.findall(r"^adb-(\w+)", serial)], "SERIAL")
    # These are the same on many machines, and say nothing of anyone.
    return {name: stands for name, stands in names.items() if name and name not in {"/", "root", "localhost"}}


def impersonal(text: str, names: Mapping[str, str]) -> str:
    """The text with each of the names replaced where it stands as a word, whatever its case."""
    for name in sorted(names, key=len, reverse=True):
        pattern = rf"(?<![^\W_]){re.escape(name)}(?![^\W_])"
        text = re.sub(pattern, names[name].replace("\\", r"\\"), text, flags=re.IGNORECASE)
    return text


def impersonal_json(line: str, names: Mapping[str, str]) -> str:
    """The same of a JSON document's strings; keys and numbers stay."""
    return json.dumps(_cleaned(json.loads(line), names), ensure_ascii=False)


def _cleaned(part: object, names: Mapping[str, str]) -> object:
    if isinstance(part, dict):
        return {key: _cleaned(value, names) for key, value in part.items()}
    if isinstance(part, list):
        return [_cleaned(item, names) for item in part]
    return impersonal(part, names) if isinstance(part, str) else part
