"""Text kinds: is it text at all, and which. Only here may a name choose, among kinds that differ in nothing but the name."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Final

from sanitizers import charset, names
from sanitizers.identify.markup import PAGE, by_markup
from sanitizers.model import Kind
from sanitizers.source import Source

_HEAD: Final = 64 << 10
_CONTROL_BYTES: Final = bytes(byte for byte in range(0x20) if byte not in b"\x08\t\n\x0b\x0c\r\x1b\x07") + b"\x7f"
_CONTROL: Final = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_SUBSTITUTE: Final = b"\x1a"        # Ctrl-Z, the end of a text file under CP/M, DOS and on many host computers still
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")

# Names under which a file is shown and never run: clear evidence only makes it another kind of text.
_PLAIN: Final = frozenset({"txt", "text", "log", "md", "asc", "csv", "tsv"})
_TABLES: Final = frozenset({"csv", "tsv"})
_PAGES: Final = frozenset({"html", "htm", "xhtml", "shtml"})
_JSON: Final = frozenset({"json", "geojson"})
_SCRIPTS: Final = frozenset({
    "asp", "aspx", "bas", "bat", "cgi", "cmd", "csh", "hta", "js", "jse", "jsp", "ksh", "php", "phtml", "pl", "ps1", "ps1xml", "psd1",
    "psm1", "py", "pyw", "rb", "sct", "sh", "tcsh", "vb", "vbe", "vbs", "wsc", "wsf", "wsh",
})  # fmt: skip

_HEADER: Final = re.compile(rb"[!-9;-~]{1,76}[ \t]*:")
_SEPARATOR: Final = re.compile(rb"\r?\n\r?\nFrom \S+ .*\r?\n[!-9;-~]{1,76}:")
_MAIL_HEADERS: Final = re.compile(
    rb"^(?:received|from|to|cc|subject|date|message-id|mime-version|return-path|content-type|delivered-to|reply-to|x-[a-z-]{1,70}|dkim-signature)"
    rb"(?=[ \t]*:)",
    re.IGNORECASE | re.MULTILINE,
)
_ONLY_IN_MAIL: Final = frozenset({b"received", b"message-id", b"mime-version", b"return-path", b"delivered-to", b"dkim-signature"})
_ADDRESSED: Final = frozenset({b"received", b"to", b"message-id", b"return-path", b"delivered-to"})

_SYLK_RECORD: Final = re.compile(rb"^(?:[BCFOPW]|N[NEU]);[A-Z]", re.MULTILINE)
_FIRST_LINES: Final[tuple[tuple[re.Pattern[str], Kind], ...]] = (
    (re.compile(r"BEGIN:VCALENDAR", re.IGNORECASE), Kind.ICS),
    (re.compile(r"BEGIN:VCARD", re.IGNORECASE), Kind.VCF),
    # .url, desktop.ini, autorun.inf and .scf: sections that the shell obeys
    (re.compile(r"(?:;.{0,200}\r?\n|\s){0,20}\[(?:InternetShortcut|\.ShellClassInfo|autorun)\b", re.IGNORECASE), Kind.URL),
    (re.compile(r"\[Shell\]\s+(?:Command|IconFile)=", re.IGNORECASE), Kind.URL),
    (re.compile(r"WEB\r?\n1\r?\n\s*(?:https?|ftp|file):", re.IGNORECASE), Kind.URL),    # .iqy
    (re.compile(r"(?:[a-z ]{3,40}:[isb]:.*\r?\n){2}", re.IGNORECASE), Kind.URL),         # .rdp
    (re.compile(r"TABLE\r?\n0,1\r?\n\""), Kind.UNKNOWN),                               # DIF, whose cells may be formulas
    (re.compile(r"(?:999\r?\n.*\r?\n){0,50}\s*0\r?\n\s*SECTION\r?\n"), Kind.DXF),
)
_JSON_START: Final = re.compile(r"[\[{]\s*(?:[\"\[{\]}\d-]|true|false|null)")

# A script under a harmless name: what its first line or a call in it can only mean. Prose that speaks of WScript.Shell is no script.
_SCRIPT_START: Final = re.compile(
    r"#!\s?/|#@~\^|@echo\s+off\b|@?powershell(?:\.exe)?\s+-|<%@|Option\s+Explicit\s*$|On\s+Error\s+Resume\s+Next\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_CODE_LINE: Final = re.compile(
    r"(?:Dim|Set|Const|Function|Sub|Private|Public|Call|var|let|const|function|try|if|param|import|using|Rem)\b|['/$(\[]|\w+\s*=|CreateObject|WScript\.|new\s",
    re.IGNORECASE,
)
_SCRIPT_CALL: Final = re.compile(
    r"\bCreateObject\s*\(\s*[\"']|\bnew\s+ActiveXObject\s*\(|\bWScript\.(?:CreateObject|Echo|Quit|Sleep)\b|\bGetObject\s*\(\s*[\"']winmgmts"
    r"|\bInvoke-Expression\b|\bNew-Object\s+(?:System\.)?Net\.WebClient|\bStart-Process\b|\bInvoke-WebRequest\b",
    re.IGNORECASE,
)


def by_text(source: Source, name: str) -> Kind | None:
    """A text kind, or None if these bytes are not text."""
    extension = names.extension(name)
    head = _head(source)
    stripped = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if stripped[:4].lower() == b"{\\rt":  # all of the signature that Word asks for
        return Kind.RTF
    wide = head.startswith(_WIDE_MARKS) or _wide_without_mark(head)
    stray = 0 if wide else _strays(source)
    if stray > _tolerated(len(source), extension):
        return None
    if not wide and (kind := _by_header(stripped, extension)):
        return kind
    decoded = charset.decode(head)
    if decoded.replaced > max(2, len(decoded.text) // 50) or not _looks_like_text(decoded.text, extension, wide=wide):
        return None
    return _by_content(decoded.text.lstrip("\ufeff \t\r\n"), extension, source)


def _head(source: Source) -> bytes:
    """The first 64 KiB, cut at a line end so that no character is cut in two."""
    head = source.head(_HEAD)
    if len(source) > _HEAD and not head.startswith(_WIDE_MARKS) and (end := head.rfind(b"\n")) > 0:
        return head[: end + 1]
    return head


def _strays(source: Source) -> int:
    """Control bytes that no text needs, over the whole file; one Ctrl-Z at its end is not counted."""
    count = -1 if source.tail(1) == _SUBSTITUTE else 0
    for chunk in source.blocks():
        count += len(chunk) - len(chunk.translate(None, _CONTROL_BYTES))
    return count


def _tolerated(size: int, extension: str) -> int:
    """A file named as text may hold a few control characters (they are removed); any other with one is not text."""
    return max(8, size // 50) if extension in _PLAIN else 0


def _wide_without_mark(head: bytes) -> bool:
    return len(head) > 8 and (head[1::2].count(0) > len(head) // 3 or head[::2].count(0) > len(head) // 3)


def _looks_like_text(text: str, extension: str, *, wide: bool) -> bool:
    if not wide:
        return True
    sample = text[:4096]
    odd = sum(unicodedata.category(char) == "Cn" for char in sample)
    return odd * 20 <= len(sample) and len(_CONTROL.findall(text)) <= _tolerated(len(text), extension)


def _by_header(head: bytes, extension: str) -> Kind | None:
    """Mail and web archives begin with a block of header fields."""
    plain = extension in _PLAIN
    if head.startswith(b"From ") and b"\n" in head[:1000] and _HEADER.match(head.split(b"\n", 1)[1]) and not plain:
        # One mail that some program saved with its mbox separator, or a whole box.
        return Kind.MBOX if _SEPARATOR.search(head) else Kind.EML
    block = re.split(rb"\r?\n\r?\n", head[:16_384], maxsplit=1)[0]
    if not _HEADER.match(block):
        return None
    known = {match[0].lower() for match in _MAIL_HEADERS.finditer(block)}
    if known and extension in ("eml", "mht", "mhtml"):
        return Kind.EML if extension == "eml" else Kind.MHT
    lines = [line for line in re.split(rb"\r?\n", block) if line and line[:1] not in b" \t"]
    fields = sum(bool(_HEADER.match(line)) for line in lines)
    if len(known) < 2 or fields * 10 < len(lines) * 8 or (plain and len(known & _ONLY_IN_MAIL) < 2):
        return None
    return Kind.MHT if b"multipart/related" in block.lower() and not known & _ADDRESSED else Kind.EML


def _by_content(text: str, extension: str, source: Source) -> Kind:
    """The first kind that the text itself shows, else what the name says, else TEXT."""
    if extension in _SCRIPTS:
        return Kind.SCRIPT
    kind = _by_first_line(text, source)
    if kind is None and text.startswith("<"):
        kind = by_markup(text, plain_name=extension in _PLAIN)
    if kind is None and (PAGE.match(text) or extension in _PAGES):
        kind = Kind.HTML
    if kind is None and _is_script(text):
        kind = Kind.SCRIPT
    if kind is None and extension not in _PLAIN and _is_json(text, len(source), named=extension in _JSON):
        kind = Kind.JSON
    return kind or (Kind.CSV if extension in _TABLES else Kind.TEXT)


def _by_first_line(text: str, source: Source) -> Kind | None:
    """Formats that name themselves."""
    for first, kind in _FIRST_LINES:
        if first.match(text):
            return kind
    # A table whose first columns are "ID;P…" is no SYLK; spreadsheets run the formulas of its records whatever the file is called.
    if text.startswith("ID;P") and _SYLK_RECORD.search(source.view):
        return Kind.SLK
    if text.startswith("ISO-10303-21;"):
        return Kind.SFC if "SCADEC" in text[:8192] and "feature_mode" in text[:8192] else Kind.P21
    return None


def _is_script(text: str) -> bool:
    return bool(_SCRIPT_START.match(text) or (_CODE_LINE.match(text) and _SCRIPT_CALL.search(text)))


def _is_json(text: str, size: int, *, named: bool) -> bool:
    """By its name at once; else it has to parse, or to look like it where only its head is here."""
    if not _JSON_START.match(text):
        return False
    if named:
        return True
    if size > _HEAD:
        return '":' in text[:4096].replace(" ", "")
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
