"""A real SFTP server (asyncssh) on loopback over one folder, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from gateway.shares.document import Sftp

USER, PASSWORD = "sekisho", "ひみつの合言葉"


@dataclass
class Server:
    """`folder`: what its users see as `/`."""

    port: int
    host_key: str
    user_key: str
    folder: Path

    def place(self, **changes: object) -> Sftp:
        known = {"server": "127.0.0.1", "port": self.port, "folder": "取込み", "user": USER, "password": PASSWORD, "key": "", "host_key": self.host_key}
        return Sftp(**(known | changes))  # type: ignore[arg-type]


@contextmanager
def sftp(folder: Path, algorithm: str = "ssh-ed25519") -> Iterator[Server]:
    (folder / "取込み").mkdir(parents=True)
    host, user = asyncssh.generate_private_key(algorithm), asyncssh.generate_private_key("ssh-ed25519")
    authorized = asyncssh.import_authorized_keys(user.export_public_key().decode())

    class Door(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

        def begin_auth(self, username: str) -> bool:
            return True

    class Folder(asyncssh.SFTPServer):
        """Below the folder, and renaming as the protocol has it: nothing is replaced."""

        def __init__(self, channel: asyncssh.SSHServerChannel) -> None:
            super().__init__(channel, chroot=str(folder).encode())

        def rename(self, oldpath: bytes, newpath: bytes) -> None:
            if Path(self.map_path(newpath).decode()).exists():
                raise asyncssh.SFTPFailure("is there")
            super().rename(oldpath, newpath)

    loop, ready = asyncio.new_event_loop(), threading.Event()
    found: list[asyncssh.SSHAcceptor] = []

    async def listen() -> None:
        found.append(
            await asyncssh.listen("127.0.0.1", 0, server_factory=Door, server_host_keys=[host], sftp_factory=Folder, authorized_client_keys=authorized)
        )
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(listen())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    kind, key = host.export_public_key().decode().split()[:2]
    try:
        yield Server(found[0].get_port(), f"{kind} {key}", user.export_private_key().decode(), folder)
    finally:

        async def close() -> None:
            found[0].close()
            await found[0].wait_closed()
            rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
