"""Exclusive use of a phone: one of the target's model that no other process of this machine measures on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from devices.lease import first_free
from devices.options import read_options
from devices.phone.adb import candidates
from devices.phone.options import PhoneOptions
from devices.phone.preflight import LOOPBACK, server_address
from devices.runtime import Held
from devices.targets import Target


@contextmanager
def hold(target: Target) -> Iterator[Held]:
    """Hold the phone of option `serial`, or the first of the target's model that is free.

    What an owner that was killed left on it is mended by the first session (`SharedPhone.take`): an invocation that
    still runs is ended, and the states that were held are known from the phone's own file, and restored at the end.

    Raises UserError where there is no phone that can be measured, or all of them are held.
    """
    serials = [link.phone.serial for link in candidates(target)]
    if len(serials) == 1:
        wrong, fix = f"phone {serials[0]} is in use", "wait until it is free, or connect another"
    else:
        wrong, fix = f"all {len(serials)} phones are in use", "wait until one is free, or connect another"
    with first_free(serials, of=_server(read_options(target, PhoneOptions)), wrong=wrong, fix=fix) as serial:
        yield Held(msgspec.structs.replace(target, options=target.options | {"serial": serial}), serial)


def _server(options: PhoneOptions) -> str:
    """The adb server, by one name for all the ways to say where it is that are known to be one."""
    port = None if options.adb_port is None else str(options.adb_port)
    address = server_address(options.adb_host, port, os.environ)
    if address is None:  # no TCP address
        return f"adb {os.environ.get('ADB_SERVER_SOCKET', '')}"
    host, number = address
    return f"adb {'localhost' if host in LOOPBACK else host}:{number}"
