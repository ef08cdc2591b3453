"""OpenDocument packages member by member."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
import zlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

O = "urn:oasis:names:tc:opendocument:xmlns:"  # noqa: E741
SPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "office": f"{O}office:1.0", "style": f"{O}style:1.0", "text": f"{O}text:1.0", "table": f"{O}table:1.0", "draw": f"{O}drawing:1.0",
        "fo": f"{O}xsl-fo-compatible:1.0", "svg": f"{O}svg-compatible:1.0", "form": f"{O}form:1.0", "script": f"{O}script:1.0",
        "presentation": f"{O}presentation:1.0", "xlink": "http://www.w3.org/1999/xlink", "dc": "http://purl.org/dc/elements/1.1/",
        "meta": f"{O}meta:1.0", "config": f"{O}config:1.0", "of": f"{O}of:1.2", "chart": f"{O}chart:1.0",
    }.items()
)  # fmt: skip
CANARY = "CANARY-3f9c"


class Pack:
    """`members`: name → bytes; `types`: its media type in the manifest."""

    def __init__(self, kind: str = "text") -> None:
        self.kind = f"application/vnd.oasis.opendocument.{kind}"
        self.members: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.locks: dict[str, str] = {}

    def member(self, name: str, content: bytes | str, media_type: str = "text/xml") -> Pack:
        self.members[name] = content.encode() if isinstance(content, str) else content
        self.types[name] = media_type
        return self

    def bytes(self) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("mimetype"), self.kind)
            for name, content in self.members.items():
                archive.writestr(zipfile.ZipInfo(name), content)
            archive.writestr(zipfile.ZipInfo("META-INF/manifest.xml"), self._manifest())
        return out.getvalue()

    def encrypt(self, password: str) -> Pack:
        """Every member under a password, as LibreOffice does it."""
        for name, content in self.members.items():
            self.members[name], self.locks[name] = _encrypted(content, password)
        return self

    def _manifest(self) -> str:
        entries = {"/": self.kind, **self.types}
        lines = "".join(
            f'<manifest:file-entry manifest:full-path="{n}" manifest:media-type="{t}"' + (self.locks.get(n) or "/>") for n, t in entries.items()
        )
        return f'<manifest:manifest xmlns:manifest="{O}manifest:1.0" manifest:version="1.3">{lines}</manifest:manifest>'


def _encrypted(content: bytes, password: str) -> tuple[bytes, str]:
    """The encrypted bytes and the rest of the manifest's entry."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = coder.compress(content) + coder.flush()
    check = base64.b64encode(hashlib.sha256(packed[:1024]).digest()).decode()
    salt, vector = b"s" * 16, b"v" * 16
    key = hashlib.pbkdf2_hmac("sha1", hashlib.sha256(password.encode()).digest(), salt, 1000, 32)
    padding = 16 - len(packed) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    secret = encryptor.update(packed + bytes(padding - 1) + bytes([padding])) + encryptor.finalize()
    entry = (
        f' manifest:size="{len(content)}"><manifest:encryption-data manifest:checksum-type="{O}manifest:1.0#sha256-1k" manifest:checksum="{check}">'
        '<manifest:algorithm manifest:algorithm-name="http://www.w3.org/2001/04/xmlenc#aes256-cbc" '
        f'manifest:initialisation-vector="{base64.b64encode(vector).decode()}"/><manifest:start-key-generation '
        'manifest:start-key-generation-name="http://www.w3.org/2000/09/xmldsig#sha256" manifest:key-size="32"/><manifest:key-derivation '
        'manifest:key-derivation-name="PBKDF2" manifest:key-size="32" manifest:iteration-count="1000" '
        f'manifest:salt="{base64.b64encode(salt).decode()}"/></manifest:encryption-data></manifest:file-entry>'
    )
    return secret, entry


def content(body: str, styles: str = "", before: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {SPACES} office:version="1.3">{before}'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body>{body}</office:body></office:document-content>"
    )


def odt(inside: str = "", *, styles: str = "", before: str = "") -> Pack:
    """A text of the paragraph 「本文」 and what is given."""
    body = f"<office:text><text:p>本文</text:p>{inside}</office:text>"
    return Pack("text").member("content.xml", content(body, styles, before))


def ods(cells: str = "", *, inside: str = "") -> Pack:
    table = f'<table:table table:name="表1"><table:table-row><table:table-cell office:value-type="string"><text:p>本文</text:p></table:table-cell>{cells}'
    return Pack("spreadsheet").member("content.xml", content(f"<office:spreadsheet>{table}</table:table-row></table:table>{inside}</office:spreadsheet>"))


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
