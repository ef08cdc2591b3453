"""Pictures and files inside a result: each is one that the engine delivered for a part of this file, byte for byte, or the neutral picture
that stands in the place of one that it did not deliver. Of a WMF without its placeable head the length alone is compared.
"""

from __future__ import annotations

import hashlib
import re
import struct
from typing import Final

from sanitizers.context import Context
from sanitizers.model import VerificationFailed

# One grey pixel, and no room for anything else.
_NEUTRAL: Final = re.compile(
    rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0.{4}\0\0\0.IDAT.{4,20}\0\0\0\0IEND\xaeB`\x82", re.DOTALL
)
_FILE_HEAD: Final = 14  # BITMAPFILEHEADER: [MS-WMF] calls what follows a DeviceIndependentBitmap
_LEAST_BITMAP: Final = 40  # BITMAPINFOHEADER
_PLACEABLE: Final = 22  # META_PLACEABLE: [MS-WMF] 2.3.2.3


class Parts:
    """What the engine delivered for the parts of the file that is looked at."""

    def __init__(self, context: Context) -> None:
        outputs = [part.output for part in context.parts if part.output is not None]
        self._digests = {output.sha256 for output in outputs}
        self._metafiles = {output.size for output in outputs if output.kind.value == "wmf"}

    def check(self, content: bytes | memoryview, where: str) -> None:
        """Raises VerificationFailed."""
        if hashlib.sha256(content).hexdigest() not in self._digests and not _NEUTRAL.fullmatch(content):
            raise VerificationFailed(f"{where} is not what was rebuilt")

    def check_bitmap(self, bitmap: bytes | memoryview, where: str) -> None:
        """The same of a BMP without the head that it has as a file. Raises VerificationFailed."""
        if len(bitmap) < _LEAST_BITMAP:
            raise VerificationFailed(f"{where} is no bitmap")
        head, colours = (struct.unpack_from("<I", bitmap, at)[0] for at in (0, 32))
        at = (_FILE_HEAD + head + 4 * colours) & 0xFFFF_FFFF
        self.check(struct.pack("<2sIHHI", b"BM", _FILE_HEAD + len(bitmap), 0, 0, at) + bytes(bitmap), where)

    def check_wmf(self, content: bytes | memoryview, where: str) -> None:
        """The same of a WMF; of one that lost its placeable head only the size can be known. Raises VerificationFailed."""
        if len(content) + _PLACEABLE not in self._metafiles:
            self.check(content, where)
