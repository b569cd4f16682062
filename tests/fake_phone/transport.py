"""adb's transport, the phone's side: packets (CNXN, AUTH, OPEN, OKAY, WRTE, CLSE) and the streams in them.

Facts from AOSP's packages/modules/adb/protocol.txt; the code is our own.
"""

import queue
import socket
import struct
import threading
from contextlib import suppress

_HEADER = struct.Struct("<4sIIIII")
_VERSION, _MAX_PAYLOAD = 0x01000000, 256 * 1024
_TOKEN, _PUBLIC_KEY = 1, 3


class Stream:
    """One opened service: bytes from the host are read, bytes to it wait for its OKAY."""

    def __init__(self, connection, local, remote):
        self._connection, self._local, self._remote = connection, local, remote
        self._inbox, self._rest = queue.Queue(), b""
        self._allowed, self.closed = threading.Semaphore(1), threading.Event()

    def read(self, count):
        """Exactly `count` bytes; EOFError where the host closes first."""
        while len(self._rest) < count:
            part = self._inbox.get()
            if part is None:
                raise EOFError
            self._rest += part
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def write(self, data):
        for start in range(0, len(data), _MAX_PAYLOAD):
            self._allowed.acquire()
            if self.closed.is_set():
                raise EOFError
            self._connection.send(b"WRTE", self._local, self._remote, data[start : start + _MAX_PAYLOAD])

    def close(self):
        if not self.closed.is_set():
            self.hang_up()
            self._connection.send(b"CLSE", self._local, self._remote)

    def hang_up(self):
        self.closed.set()
        self._inbox.put(None)
        self._allowed.release()

    def arrived(self, data):
        self._inbox.put(data)
        self._connection.send(b"OKAY", self._local, self._remote)

    def acknowledged(self):
        self._allowed.release()


class Connection:
    """One adb server's connection to the phone."""

    def __init__(self, sock, *, banner, authorized, serve):
        self._sock, self._banner, self._authorized, self._serve = sock, banner, authorized, serve
        self._sending, self._streams, self._last = threading.Lock(), {}, 0

    def run(self):
        with suppress(OSError, EOFError, struct.error):
            while True:
                self._handle(*self._receive())
        self.break_off()

    def break_off(self):
        """What pulling the cable does."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        for stream in list(self._streams.values()):
            stream.hang_up()

    def send(self, command, first, second, data=b""):
        magic = int.from_bytes(command, "little") ^ 0xFFFFFFFF
        header = _HEADER.pack(command, first, second, len(data), sum(data) & 0xFFFFFFFF, magic)
        with self._sending:
            try:
                self._sock.sendall(header + data)
            except OSError as error:
                raise EOFError from error

    def _receive(self):
        command, first, second, length, _, _ = _HEADER.unpack(self._exactly(_HEADER.size))
        return command, first, second, self._exactly(length)

    def _exactly(self, count):
        parts = bytearray()
        while len(parts) < count:
            part = self._sock.recv(count - len(parts))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    def _handle(self, command, first, second, data):
        match command:
            case b"CNXN" if self._authorized:
                self.send(b"CNXN", _VERSION, _MAX_PAYLOAD, self._banner.encode())
            case b"CNXN":
                self.send(b"AUTH", _TOKEN, 0, bytes(20))
            case b"AUTH" if first != _PUBLIC_KEY:  # a signature by a key that this phone doesn't know
                self.send(b"AUTH", _TOKEN, 0, bytes(20))
            case b"OPEN":
                self._open(first, data.rstrip(b"\0").decode())
            case b"WRTE" if stream := self._streams.get(second):
                stream.arrived(data)
            case b"OKAY" if stream := self._streams.get(second):
                stream.acknowledged()
            case b"CLSE" if stream := self._streams.pop(second, None):
                stream.hang_up()

    def _open(self, remote, service):
        self._last += 1
        stream = self._streams[self._last] = Stream(self, self._last, remote)
        self.send(b"OKAY", self._last, remote)
        threading.Thread(target=self._answer, args=(stream, service), daemon=True).start()

    def _answer(self, stream, service):
        with suppress(EOFError):
            self._serve(stream, service)
        with suppress(EOFError):
            stream.close()
