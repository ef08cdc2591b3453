"""A network in this one machine: places that know each other by address only, on a switch whose cables can be pulled.

Each place is a network namespace (network_namespaces(7)) of its own; nobody else of the machine sees it, and it is gone with the process
that made it. A cable that is pulled says nothing: what is sent is lost, as with a real one, and nobody gets a reset. Needs root.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import selectors
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator

_CLONE_NEWNET = 0x4000_0000
# Connections that a scan tries side by side, and how long it waits for them.
_AT_ONCE, _SCAN_SECONDS = 800, 0.5
_LIBC = ctypes.CDLL(None, use_errno=True)


def possible() -> bool:
    """Whether a place can be made here."""
    if shutil.which("ip") is None:
        return False
    with contextlib.suppress(OSError, RuntimeError), network() as made:
        made.place("probe")
        return True
    return False


class Place:
    """`address`: the only one that the others know it by."""

    def __init__(self, address: str) -> None:
        self.address = address
        with _elsewhere():
            _checked(_LIBC.unshare(_CLONE_NEWNET))
            self._namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """This thread, the threads and processes that it starts meanwhile, and the sockets that they make stand in this place."""
        with _elsewhere():
            _checked(_LIBC.setns(self._namespace, _CLONE_NEWNET))
            yield

    def ip(self, words: str, *places: Place) -> None:
        """ip(8), inside; `{0}` in the words is the first of the other places."""
        others = [place._namespace for place in places]
        given = words.format(*(f"/proc/self/fd/{namespace}" for namespace in others)).split()
        with self.inside():
            done = subprocess.run(["ip", *given], pass_fds=others, capture_output=True, text=True, check=False, timeout=30)
        if done.returncode:
            raise RuntimeError(f"ip {words}: {done.stderr.strip()}")

    def listening(self, port: int) -> socket.socket:
        """A socket of this place, whoever goes on with it."""
        with self.inside():
            return socket.create_server((self.address, port))

    def answers(self, address: tuple[str, int], seconds: float = 1.0) -> bool:
        """Whether somebody takes a connection from here."""
        with self.inside(), contextlib.suppress(OSError), socket.create_connection(address, seconds):
            return True
        return False

    def scanned(self, address: str) -> set[int]:
        """Every port of that address that takes a connection from here."""
        ports = range(1, 65_536)
        with self.inside():
            return {port for first in range(0, len(ports), _AT_ONCE) for port in _open(address, ports[first : first + _AT_ONCE])}

    def close(self) -> None:
        """Also twice, of one that is in several networks."""
        if self._namespace >= 0:
            os.close(self._namespace)
            self._namespace = -1


class Network:
    """Places by name, joined by one switch. `cut` pulls the cable of one, `mend` puts it in again."""

    def __init__(self, number: int = 0) -> None:
        self._number = number
        self._switch = Place("")
        self._switch.ip("link add name switch type bridge")
        self._switch.ip("link set dev switch up")
        self._places: dict[str, Place] = {}

    def place(self, name: str) -> Place:
        """A new one, known by its address here. `name`: at most 15 letters."""
        made = Place(f"10.77.{self._number}.{len(self._places) + 1}")
        made.ip("link set dev lo up")
        self.join(name, made)
        return made

    def join(self, name: str, place: Place) -> str:
        """One that may be in another network already, by a line of its own; its address in this one."""
        address, line = f"10.77.{self._number}.{len(self._places) + 1}", f"eth{self._number}"
        self._places[name] = place
        self._switch.ip(f"link add name {name} type veth peer name {line} netns {{0}}", place)
        place.ip(f"addr add {address}/24 dev {line}")
        place.ip(f"link set dev {line} up")
        self._switch.ip(f"link set dev {name} master switch up")
        return address

    def cut(self, name: str) -> None:
        self._switch.ip(f"link set dev {name} down")

    def mend(self, name: str) -> None:
        self._switch.ip(f"link set dev {name} up")

    def close(self) -> None:
        for place in (*self._places.values(), self._switch):
            place.close()


@contextlib.contextmanager
def network(number: int = 0) -> Iterator[Network]:
    """`number`: of its addresses, 10.77.number.0/24."""
    made = Network(number)
    try:
        yield made
    finally:
        made.close()


def _open(address: str, ports: Iterable[int]) -> set[int]:
    with contextlib.ExitStack() as opened:
        waiting = selectors.DefaultSelector()
        opened.callback(waiting.close)
        for port in ports:
            one = opened.enter_context(socket.socket())
            one.setblocking(False)
            if one.connect_ex((address, port)) in (0, errno.EINPROGRESS):
                waiting.register(one, selectors.EVENT_WRITE, port)
        found, ends = set(), time.monotonic() + _SCAN_SECONDS
        while waiting.get_map() and (left := ends - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    found.add(int(key.data))
                waiting.unregister(key.fileobj)
        return found


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """Back to where this thread was, whatever happens."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _checked(_LIBC.setns(here, _CLONE_NEWNET))
        os.close(here)


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
