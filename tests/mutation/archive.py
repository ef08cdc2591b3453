"""What the tests of archives and names must notice when it is switched off. `python -m tests.mutation.archive` prints each rule with its test."""

from __future__ import annotations

import hmac
import re
import zipfile
from types import SimpleNamespace
from typing import Any

from sanitizers import library, names
from sanitizers.formats.archive import lzh, tar
from sanitizers.formats.archive.pack import What
from sanitizers.inflating import Inflating
from sanitizers.model import Reason
from sanitizers.source import Source
from sanitizers.zip_records import STORED
from tests.mutation.runner import Mutant, main

_ARCHIVE = "sanitizers.formats.archive"
_PACK = f"{_ARCHIVE}.pack"
_VERIFY = "sanitizers.verify.archive"
_NEVER = re.compile(r"(?!)")
_TESTS = "tests/sanitizers/formats/archive"
_ZIP, _NAMES, _PACKED, _SECOND = "tests/sanitizers/test_zip.py", "tests/sanitizers/test_names.py", f"{_TESTS}/test_zip.py", "tests/sanitizers/verify/test_archive.py"
_TAR, _SINGLE, _OTHERS, _RAR = f"{_TESTS}/test_tar.py", f"{_TESTS}/test_compressed.py", f"{_TESTS}/test_foreign.py", f"{_TESTS}/test_rar.py"


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _as_it_is(self: Any, path: str, entry: Any) -> None:
    """A member that goes into the new archive without going round the engine."""
    self._put(path, entry.read())
    self.delivered.add(entry.name)


_read = library.Reading.read


def _read_without_cap(self: library.Reading, _cap: int) -> Source:
    return _read(self, 1 << 60)


def _members_without_checks(data: bytes, most: int) -> Any:
    """LZH without a look at what lies behind the last member."""
    found: list[lzh.Member] = []
    at = 0
    while at < len(data) and data[at] and len(found) < most:
        header = lzh._header(data, at)
        found.append(lzh._member(header))
        at = header.start + header.packed
    return tuple(found)


def _unchecked_header(block: bytes) -> int:
    return tar._number(block[124:136])


def _content_of_any_size(packed: Any, method: int, size: int, crc: Any, where: str) -> Source:
    if method == STORED:
        return Source(bytes(packed))
    return Source(b"".join(Inflating(packed).blocks(where, "zip.deflate", "zip.size")))


_CHECKS_OF_ZIP = {
    "local against central record": "_agree", "gaps, overlaps and orphans": "_refuse_gap", "twins": "_refuse_twins",
}  # fmt: skip

MUTANTS: tuple[Mutant, ...] = (
    *(Mutant(f"zip: {name}", f"sanitizers.zip:{function}", _nothing, _ZIP) for name, function in _CHECKS_OF_ZIP.items()),
    Mutant("zip: second end record", "sanitizers.zip_records:_refuse_second_end", _nothing, _ZIP),
    Mutant("zip: size and CRC", "sanitizers.zip:_content", _content_of_any_size, _ZIP),
    Mutant("zip: folder or file", "sanitizers.zip:_directory", lambda _central, name: name.endswith("/"), _ZIP),
    Mutant("zip: agreed flags", "sanitizers.zip:_AGREED_FLAGS", 0, _ZIP),
    Mutant("zip: longest name", "sanitizers.zip:_LONGEST_NAME", 1 << 30, _ZIP),
    Mutant("zip: ordinary extra fields", "sanitizers.zip:_ORDINARY_FIELDS", frozenset(range(1 << 16)), _ZIP),
    Mutant("zip: Unicode path", "sanitizers.zip_records:_unicode_path", _nothing, _ZIP),
    Mutant("zip: ZIP64 of the directory", "sanitizers.zip_records:_wide_central", lambda _body, *said: said, _ZIP),
    Mutant("zip: ZIP64 of a local record", "sanitizers.zip_records:_wide_local", lambda _body, *said: said, _ZIP),
    Mutant("zip: forged AES", "sanitizers.zip_crypto:hmac", SimpleNamespace(compare_digest=lambda *_: True, new=hmac.new), _ZIP),
    Mutant("zip: what of the container was lost", f"{_ARCHIVE}.zip:_report_container", _nothing, _PACKED),
    Mutant("zip: list of what is locked", f"{_ARCHIVE}.zip:_read", lambda opened, member, context: opened.open(member, context.budget, context.passwords), _PACKED),
    Mutant("members go round the engine", f"{_PACK}:Pack._embed", _as_it_is, _PACKED),
    Mutant("links and devices", f"{_PACK}:What", SimpleNamespace(FILE=What.FILE, FOLDER=What.FOLDER, OTHER=None), _PACKED),
    Mutant("paths", f"{_PACK}:names.safe_path", lambda path: names.Path(path, "", climbs=False), _PACKED),
    Mutant("names that changed", f"{_PACK}:Pack._note_name", _nothing, _PACKED),
    Mutant("notices", f"{_ARCHIVE}.notice:text", lambda *_: b"", _PACKED),
    Mutant("words of a notice", f"{_ARCHIVE}.notice:_REASONS", dict.fromkeys(Reason, ("", "")), _PACKED),
    Mutant("the worst member decides", f"{_PACK}:_WORST_FIRST", {}, _PACKED),
    Mutant("extension of the new kind", f"{_PACK}:names.with_extension", lambda name, _kind: name, _PACKED),
    Mutant("two of one name", f"{_PACK}:names.numbered", lambda path, _taken: path, _PACKED),
    Mutant("empty members of any name", f"{_PACK}:_DELIVERABLE", frozenset({"exe", "txt", ""}), _PACKED),
    Mutant("tar: checksums", f"{_ARCHIVE}.tar:_checked", _unchecked_header, _TAR),
    Mutant("tar: twins", f"{_ARCHIVE}.tar:_refuse_twin", _nothing, _TAR),
    Mutant("tar: after the end", f"{_ARCHIVE}.tar:_check_end", _nothing, _TAR),
    Mutant("tar: length of extension headers", f"{_ARCHIVE}.tar:_LONGEST_HEADER", 1 << 40, _TAR),
    Mutant("tar: pax", f"{_ARCHIVE}.tar:_pax", lambda _body: {}, _TAR),
    Mutant("gz: header", f"{_ARCHIVE}.compressed:_gzip_header", lambda _data, at: (at + 10, []), _SINGLE),
    Mutant("bz2 and xz: memory", f"{_ARCHIVE}.compressed:_cap", lambda _context: 1 << 60, _SINGLE),
    Mutant("other archives: twins", f"{_ARCHIVE}.foreign:_refuse_twin", _nothing, _OTHERS),
    Mutant("other archives: split sets", f"{_ARCHIVE}.foreign:_refuse_split", _nothing, _OTHERS),
    Mutant("other archives: links", f"{_ARCHIVE}.foreign:_what", lambda _found: What.FILE, _OTHERS),
    Mutant("split sets by name", f"{_ARCHIVE}.held:_VOLUME", _NEVER, _OTHERS),
    Mutant("split sets by mark", f"{_ARCHIVE}.held:_SPANNED", b"none", _OTHERS),
    Mutant("LZH: after the end", f"{_ARCHIVE}.lzh:members", _members_without_checks, _OTHERS),
    Mutant("LZH: links", f"{_ARCHIVE}.lzh:_SYMLINK_MODE", -1, _OTHERS),
    Mutant("LZH: CP932", f"{_ARCHIVE}.lzh:names.decode_unmarked", lambda raw: (raw.decode("latin-1"), False), _OTHERS),
    Mutant("7z: window", f"{_ARCHIVE}.sevenzip_streams:_LARGEST_WINDOW", 1 << 60, _OTHERS),
    Mutant("7z: rounds", f"{_ARCHIVE}.sevenzip_streams:_MOST_ROUNDS", 63, _OTHERS),
    Mutant("atc: versions", f"{_ARCHIVE}.atc:_VERSION_4", range(1 << 16)),
    Mutant("rar: checksums", f"{_ARCHIVE}.rar_locked:Sum.fits", lambda _self, _content: True, _RAR),
    Mutant("rar: rounds", f"{_ARCHIVE}.rar_locked:_MOST_ROUNDS", 1 << 60, _RAR),
    Mutant("rar: what is locked", f"{_ARCHIVE}.rar:is_locked", lambda _data: False, _RAR),
    Mutant("libarchive: cap", "sanitizers.library:Reading.read", _read_without_cap, _OTHERS),
    Mutant("names: characters that Windows forbids", "sanitizers.names:_FORBIDDEN", {}, _NAMES),
    Mutant("names: invisible characters", "sanitizers.names:_INVISIBLE", frozenset(), _NAMES),
    Mutant("names: directions and controls", "sanitizers.names:_harmless", lambda text: text, _NAMES),
    Mutant("names: selectors", "sanitizers.names:_selector", lambda match: match.group(), _NAMES),
    Mutant("names: devices", "sanitizers.names:_DEVICE", _NEVER, _NAMES),
    Mutant("names: length", "sanitizers.names:LONGEST", 1 << 30, _NAMES),
    Mutant("names: depth", "sanitizers.names:DEEPEST", 1 << 30, _NAMES),
    Mutant("names: roots", "sanitizers.names:_rooted", lambda _path: "", _NAMES),
    Mutant("names: composed", "sanitizers.names:compose", lambda text: text, _NAMES),
    Mutant("names: characters that NFC would replace", "sanitizers.names:_KEPT_SINGLETONS", re.compile("((?!))"), _NAMES),
    Mutant("names: bytes that CP932 has not", "sanitizers.names:_NOT_CP932", _NEVER, _NAMES),
    Mutant("names: kana or accents", "sanitizers.names:_HALF_KANA_ONLY", _NEVER, _NAMES),
    Mutant("names: twins by case and composition", "sanitizers.names:key", lambda path: path, _NAMES),
    Mutant("second opinion: paths", f"{_VERIFY}:_check_path", _nothing, _SECOND),
    Mutant("second opinion: members", f"{_VERIFY}:_check_parts", _nothing, _SECOND),
    Mutant("second opinion: notices", f"{_VERIFY}:_is_notice", lambda *_: True, _SECOND),
    Mutant("second opinion: forward walk", f"{_VERIFY}:_forward_walk", lambda output, _count: zipfile.ZipFile(output.stream()).namelist(), _SECOND),
    Mutant("second opinion: plain members", f"{_VERIFY}:_check_zip_member", _nothing, _SECOND),
    Mutant("second opinion: plain files of a tar", f"{_VERIFY}:_check_tar_member", _nothing, _SECOND),
)  # fmt: skip
TESTS = (_TESTS, _ZIP, _NAMES, _SECOND)

if __name__ == "__main__":
    main(MUTANTS, TESTS)
