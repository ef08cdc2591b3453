"""Other programs that read archives, each asked for what it sees: they must all see the same in what we write."""

from __future__ import annotations

import io
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}


def walked(data: bytes) -> dict[str, bytes]:
    """A strict forward walk of our own over local records, then over the directory; both must say the same and fill the file."""
    found: dict[str, bytes] = {}
    records, at = [], 0
    while data[at : at + 4] == b"PK\3\4":
        version, flags, method, time, date, crc, packed, size, named, extra = struct.unpack_from("<5H3I2H", data, at + 4)
        assert (flags & ~0x0800, extra, time, date) == (0, 0, 0, 33)
        raw = data[at + 30 : at + 30 + named]
        body = data[at + 30 + named : at + 30 + named + packed]
        content = body if method == 0 else zlib.decompress(body, -15)
        assert (len(content), zlib.crc32(content)) == (size, crc)
        assert raw.decode() not in found
        found[raw.decode()] = content
        records.append((version, flags, method, time, date, crc, packed, size, raw, at))
        at += 30 + named + packed
    directory = at
    for version, flags, method, time, date, crc, packed, size, raw, offset in records:
        said = struct.unpack_from("<4s6H3I5H2I", data, at)
        assert said[1] == 11 << 8 | 20
        assert said[2:10] == (version, flags, method, time, date, crc, packed, size)
        assert said[10:15] == (len(raw), 0, 0, 0, 0)
        assert said[16] == offset
        assert data[at + 46 : at + 46 + len(raw)] == raw
        at += 46 + len(raw)
    assert data[at:] == struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(records), len(records), at - directory, directory, 0)
    return found


def by_zipfile(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


def by_program(data: bytes, folder: Path, *command: str) -> dict[str, bytes]:
    """Unpacked by a program into an empty folder; `{}` in the command is the archive. Folders have an empty content and end with "/"."""
    folder.mkdir()
    packed = folder.with_suffix(".archive")
    packed.write_bytes(data)
    filled = [word.replace("{}", str(packed)) for word in command]
    done = subprocess.run(filled, cwd=folder, capture_output=True, timeout=60, check=False, env=_ENVIRONMENT)
    assert done.returncode == 0, (command, done.stdout[-500:], done.stderr[-500:])
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[f"{name}/"] = b""
    return found


def agreed(data: bytes, folder: Path) -> dict[str, bytes]:
    """What zipfile, a strict walk, unzip, bsdtar and 7-Zip all see in a zip; raises AssertionError where one differs."""
    seen = walked(data)
    assert by_zipfile(data) == seen
    if not seen:
        return seen
    assert by_program(data, folder / "unzip", "unzip", "-q", "{}") == seen
    assert by_program(data, folder / "bsdtar", "bsdtar", "-xf", "{}") == seen
    assert by_program(data, folder / "7z", "7z", "x", "-y", "-bd", "-bso0", "{}") == seen
    return seen
