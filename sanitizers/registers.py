"""The wide registers of the processor, left clean.

ISA-L's checksums and its deflate end with the upper halves of the vector registers in use (no VZEROUPPER). From then on every SSE
instruction of the process waits for them: zlib, Pillow and PDFium take up to twice as long, until some other code happens to clear them.
"""

from __future__ import annotations

import hashlib
from typing import Final

# One block of SHA-512: OpenSSL's code for AVX2 ends with VZEROUPPER. Where it has another one, this costs a microsecond for nothing.
_BLOCK: Final = bytes(128)


def clear() -> None:
    """Before code that lives on SSE, where something may have used ISA-L."""
    hashlib.sha512(_BLOCK)
