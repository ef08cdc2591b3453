"""A web server on the loopback that a document may ask, to see whether it does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 5.0


class Listener:
    """Has nothing, and remembers that it was asked."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(_SECONDS)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[bytes] = []
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while self._open:
            try:
                one, _ = self._socket.accept()
            except OSError:
                continue
            with one:
                one.settimeout(_SECONDS)
                try:
                    self.requests.append(one.recv(1000).partition(b"\r\n")[0])
                    one.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                except OSError:
                    self.requests.append(b"")

    def close(self) -> None:
        self._open = False
        self._socket.close()
        self._thread.join(_SECONDS)


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    try:
        yield listener
    finally:
        listener.close()
