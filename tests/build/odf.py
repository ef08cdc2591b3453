"""OpenDocument packages member by member."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple
from xml.parsers import expat

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.decrepit.ciphers.algorithms import Blowfish
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

O = "urn:oasis:names:tc:opendocument:xmlns:"  # noqa: E741
SPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "office": f"{O}office:1.0", "style": f"{O}style:1.0", "text": f"{O}text:1.0", "table": f"{O}table:1.0", "draw": f"{O}drawing:1.0",
        "fo": f"{O}xsl-fo-compatible:1.0", "svg": f"{O}svg-compatible:1.0", "form": f"{O}form:1.0", "script": f"{O}script:1.0",
        "presentation": f"{O}presentation:1.0", "xlink": "http://www.w3.org/1999/xlink", "dc": "http://purl.org/dc/elements/1.1/",
        "meta": f"{O}meta:1.0", "config": f"{O}config:1.0", "of": f"{O}of:1.2", "chart": f"{O}chart:1.0", "number": f"{O}datastyle:1.0",
        "anim": f"{O}animation:1.0", "smil": f"{O}smil-compatible:1.0", "math": "http://www.w3.org/1998/Math/MathML",
        "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0", "xforms": "http://www.w3.org/2002/xforms",
        "loext": "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0", "xhtml": "http://www.w3.org/1999/xhtml",
    }.items()
)  # fmt: skip
CANARY = "CANARY-3f9c"
SALT = b"sixteen bytes, s"
_Cipher = Callable[[bytes, str], tuple[bytes, str]]


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

    def encrypt(self, password: str, cipher: _Cipher | None = None) -> Pack:
        """Every member under a password, as LibreOffice does it with AES or OpenOffice with Blowfish."""
        for name, content in self.members.items():
            self.members[name], self.locks[name] = (cipher or aes)(content, password)
        return self

    def encrypt_whole(self, password: str) -> Pack:
        """The whole package as one locked member of another, as LibreOffice 24.8 does it."""
        outer = Pack()
        outer.kind = self.kind
        outer.members["encrypted-package"], outer.locks["encrypted-package"] = _argon2(self.bytes(), password)
        outer.types["encrypted-package"] = ""
        return outer

    def _manifest(self) -> str:
        entries = {"/": self.kind, **self.types}
        lines = "".join(
            f'<manifest:file-entry manifest:full-path="{n}" manifest:media-type="{t}"' + (self.locks.get(n) or "/>") for n, t in entries.items()
        )
        return f'<manifest:manifest xmlns:manifest="{O}manifest:1.0" manifest:version="1.3">{lines}</manifest:manifest>'


def aes(content: bytes, password: str) -> tuple[bytes, str]:
    """The encrypted bytes and the rest of the manifest's entry: AES-256-CBC, PBKDF2."""
    packed = _packed(content)
    key = hashlib.pbkdf2_hmac("sha1", hashlib.sha256(password.encode()).digest(), SALT, 1000, 32)
    padding = 16 - len(packed) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(SALT)).encryptor()
    secret = encryptor.update(packed + bytes(padding - 1) + bytes([padding])) + encryptor.finalize()
    check = f'manifest:checksum-type="{O}manifest:1.0#sha256-1k" manifest:checksum="{_base64(hashlib.sha256(packed[:1024]).digest())}"'
    start = '<manifest:start-key-generation manifest:start-key-generation-name="http://www.w3.org/2000/09/xmldsig#sha256" manifest:key-size="32"/>'
    derivation = f'manifest:key-derivation-name="PBKDF2" manifest:key-size="32" manifest:iteration-count="1000" manifest:salt="{_base64(SALT)}"'
    return secret, _entry(content, check, "http://www.w3.org/2001/04/xmlenc#aes256-cbc", SALT, start, derivation)


def blowfish(content: bytes, password: str) -> tuple[bytes, str]:
    """As `aes`, the way of OpenOffice 2 and 3."""
    packed, vector = _packed(content), b"8 bytes!"
    key = hashlib.pbkdf2_hmac("sha1", hashlib.sha1(password.encode()).digest(), SALT, 1024, 16)
    encryptor = Cipher(Blowfish(key), CFB(vector)).encryptor()
    check = f'manifest:checksum-type="SHA1/1K" manifest:checksum="{_base64(hashlib.sha1(packed[:1024]).digest())}"'
    derivation = f'manifest:key-derivation-name="PBKDF2" manifest:iteration-count="1024" manifest:salt="{_base64(SALT)}"'
    return encryptor.update(packed) + encryptor.finalize(), _entry(content, check, "Blowfish CFB", vector, "", derivation)


def _argon2(content: bytes, password: str) -> tuple[bytes, str]:
    vector = b"twelve bytes"
    start = hashlib.sha256(password.encode()).digest()
    key = hash_secret_raw(start, SALT, time_cost=1, memory_cost=64, parallelism=4, hash_len=32, type=Type.ID)
    secret = vector + AESGCM(key).encrypt(vector, _packed(content), None)
    said = '<manifest:start-key-generation manifest:start-key-generation-name="http://www.w3.org/2000/09/xmldsig#sha256" manifest:key-size="32"/>'
    derivation = (
        'manifest:key-derivation-name="urn:org:documentfoundation:names:experimental:office:manifest:argon2id" manifest:key-size="32" '
        f'loext:argon2-iterations="1" loext:argon2-memory="64" loext:argon2-lanes="4" manifest:salt="{_base64(SALT)}" '
        'xmlns:loext="urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0"'
    )
    return secret, _entry(content, "", "http://www.w3.org/2009/xmlenc11#aes256-gcm", vector, said, derivation)


def _entry(content: bytes, check: str, algorithm: str, vector: bytes, start: str, derivation: str) -> str:
    return (
        f' manifest:size="{len(content)}"><manifest:encryption-data {check}><manifest:algorithm manifest:algorithm-name="{algorithm}" '
        f'manifest:initialisation-vector="{_base64(vector)}"/>{start}<manifest:key-derivation {derivation}/>'
        "</manifest:encryption-data></manifest:file-entry>"
    )


def _packed(content: bytes) -> bytes:
    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    return coder.compress(content) + coder.flush()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


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


def odp(page: str = "") -> Pack:
    inside = f'<draw:page draw:name="p1" draw:master-page-name="M"><draw:frame svg:width="5cm" svg:height="2cm"><draw:text-box><text:p>本文</text:p></draw:text-box></draw:frame>{page}</draw:page>'
    return Pack("presentation").member("content.xml", content(f"<office:presentation>{inside}</office:presentation>"))


def odg(page: str = "") -> Pack:
    inside = f'<draw:page draw:name="p1" draw:master-page-name="M"><draw:rect svg:width="5cm" svg:height="2cm"><text:p>本文</text:p></draw:rect>{page}</draw:page>'
    return Pack("graphics").member("content.xml", content(f"<office:drawing>{inside}</office:drawing>"))


def flat(kind: str, body: str, before: str = "", *, meta: str = "") -> bytes:
    """A document as one XML file."""
    head = f"<office:meta>{meta}</office:meta>{before}<office:styles/><office:automatic-styles/><office:master-styles/>"
    root = f'office:document {SPACES} office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.{kind}"'
    return f'<?xml version="1.0" encoding="UTF-8"?><{root}>{head}<office:body>{body}</office:body></office:document>'.encode()


def zipped(given: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in given.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


class Node(NamedTuple):
    """One element as expat sees it; names are `uri local`."""

    member: str
    name: str
    attributes: dict[str, str]

    @property
    def local(self) -> str:
        return self.name.rpartition(" ")[2]


def walk(data: bytes) -> Iterator[Node]:
    """Every element of every XML member, by zipfile and expat."""
    for name, content in members(data).items():
        if name.endswith(".xml"):
            nodes: list[Node] = []
            parser = expat.ParserCreate(namespace_separator=" ")
            parser.StartElementHandler = lambda tag, attributes, name=name, nodes=nodes: nodes.append(Node(name, tag, attributes))
            parser.Parse(content, True)
            yield from nodes


def texts(data: bytes) -> bytes:
    """Every member's name and content."""
    return b"\n".join(name.encode() + b"\n" + content for name, content in members(data).items())
