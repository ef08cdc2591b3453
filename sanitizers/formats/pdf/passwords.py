"""Passwords as the bytes that writers made of them (ISO 32000-2 §7.6.4.3): prepared UTF-8, or whatever the system had."""

from __future__ import annotations

import stringprep
import unicodedata
from typing import Final

# Revision 5 and 6 use 127 bytes, earlier revisions 32; the library cuts those itself.
_LONGEST: Final = 127
# PDFDocEncoding as the specification has it, then what Japanese Windows programs wrote instead.
_EARLIER: Final = ("pdfdoc", "cp932", "euc_jp")


def spellings(password: str) -> list[bytes]:
    """Every byte form in which a writer may have used this password, the likeliest first, each once."""
    forms = [prepared(password).encode("utf-8", "replace")[:_LONGEST], password.encode("utf-8", "replace")[:_LONGEST]]
    for encoding in _EARLIER:
        try:
            forms.append(password.encode(encoding))
        except UnicodeEncodeError:
            continue
    return list(dict.fromkeys(forms))


def prepared(password: str) -> str:
    """SASLprep (RFC 4013) without its prohibitions: full-width letters become plain ones, invisible characters go."""
    kept = "".join(" " if stringprep.in_table_c12(char) else char for char in password if not stringprep.in_table_b1(char))
    return unicodedata.normalize("NFKC", kept)
