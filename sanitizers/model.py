"""What the road and the jail both speak about: kinds, findings, verdicts, limits and the report. Plain data, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

# Handed on: this module is the one place where both sides find all the words they share.
from sanitizers.job import Authentication as Authentication  # noqa: PLC0414
from sanitizers.job import Job as Job  # noqa: PLC0414
from sanitizers.job import Limits as Limits  # noqa: PLC0414
from sanitizers.job import Treatment as Treatment  # noqa: PLC0414

ENGINE_VERSION: Final = "0.1.0"
REPORT_SCHEMA: Final = "sekisho.report/1"


class Kind(StrEnum):
    """The true type of a part, found from its bytes. The value is the name that reports show."""

    PDF = "pdf"
    DOCX = "docx"
    DOCM = "docm"
    DOTX = "dotx"
    DOTM = "dotm"
    XLSX = "xlsx"
    XLSM = "xlsm"
    XLSB = "xlsb"
    XLTX = "xltx"
    XLTM = "xltm"
    XLAM = "xlam"
    PPTX = "pptx"
    PPTM = "pptm"
    PPSX = "ppsx"
    PPSM = "ppsm"
    POTX = "potx"
    POTM = "potm"
    PPAM = "ppam"
    VSDX = "vsdx"
    XPS = "xps"
    OOXML_ENCRYPTED = "ooxml-encrypted"
    FLAT_OPC = "flatopc"
    WORD2003XML = "word2003xml"
    EXCEL2003XML = "excel2003xml"
    ODT = "odt"
    ODS = "ods"
    ODP = "odp"
    ODG = "odg"
    ODF = "odf"
    FODT = "fodt"
    FODS = "fods"
    FODP = "fodp"
    EPUB = "epub"
    DOC = "doc"
    XLS = "xls"
    PPT = "ppt"
    VSD = "vsd"
    PUB = "pub"
    MPP = "mpp"
    MSI = "msi"
    ONE = "one"
    ACCDB = "accdb"
    RTF = "rtf"
    MSG = "msg"
    TNEF = "tnef"
    EML = "eml"
    MBOX = "mbox"
    CFB = "cfb"
    JPEG = "jpeg"
    PNG = "png"
    GIF = "gif"
    BMP = "bmp"
    TIFF = "tiff"
    WEBP = "webp"
    HEIC = "heic"
    AVIF = "avif"
    JP2 = "jp2"
    ICO = "ico"
    SVG = "svg"
    EMF = "emf"
    WMF = "wmf"
    EPS = "eps"
    PSD = "psd"
    ZIP = "zip"
    SEVENZIP = "7z"
    RAR = "rar"
    LZH = "lzh"
    TAR = "tar"
    GZ = "gz"
    BZ2 = "bz2"
    XZ = "xz"
    ZST = "zst"
    LZ4 = "lz4"
    COMPRESS = "z"
    CAB = "cab"
    CPIO = "cpio"
    AR = "ar"
    ARJ = "arj"
    ISO = "iso"
    VHD = "vhd"
    VHDX = "vhdx"
    WIM = "wim"
    DMG = "dmg"
    HTML = "html"
    MHT = "mht"
    XML = "xml"
    JSON = "json"
    CSV = "csv"
    TEXT = "text"
    ICS = "ics"
    VCF = "vcf"
    SLK = "slk"
    JTD = "jtd"
    JHD = "jhd"
    JAW = "jaw"
    XDW = "xdw"
    XBD = "xbd"
    DWG = "dwg"
    DXF = "dxf"
    JWW = "jww"
    SFC = "sfc"
    P21 = "p21"
    SHP = "shp"
    SHX = "shx"
    DBF = "dbf"
    ATC = "atc"
    PE = "pe"
    ELF = "elf"
    MACHO = "macho"
    CLASS = "class"
    JAR = "jar"
    APK = "apk"
    SCRIPT = "script"
    LNK = "lnk"
    URL = "url"
    CHM = "chm"
    FONT = "font"
    AUDIO = "audio"
    VIDEO = "video"
    EMPTY = "empty"
    UNKNOWN = "unknown"


# Extensions under which a kind may go out, the usual one first, all in lower case. A name that has none of them gets the first.
# A kind that is not here is never delivered under its own name.
EXTENSIONS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.PDF: ("pdf",),
    Kind.DOCX: ("docx",),
    Kind.DOTX: ("dotx",),
    Kind.XLSX: ("xlsx",),
    Kind.XLTX: ("xltx",),
    Kind.PPTX: ("pptx",),
    Kind.PPSX: ("ppsx",),
    Kind.POTX: ("potx",),
    Kind.ODT: ("odt", "ott"),
    Kind.ODS: ("ods", "ots"),
    Kind.ODP: ("odp", "otp"),
    Kind.ODG: ("odg", "otg"),
    Kind.ODF: ("odf",),
    Kind.EPUB: ("epub",),
    Kind.DOC: ("doc", "dot"),
    Kind.XLS: ("xls", "xlt"),
    Kind.PPT: ("ppt", "pps", "pot"),
    Kind.RTF: ("rtf",),
    Kind.EML: ("eml",),
    Kind.JPEG: ("jpg", "jpeg", "jpe", "jfif"),
    Kind.PNG: ("png",),
    Kind.GIF: ("gif",),
    Kind.BMP: ("bmp", "dib"),
    Kind.TIFF: ("tif", "tiff"),
    Kind.WEBP: ("webp",),
    Kind.ICO: ("ico",),
    Kind.SVG: ("svg",),
    Kind.EMF: ("emf",),
    Kind.WMF: ("wmf",),
    Kind.ZIP: ("zip",),
    Kind.TAR: ("tar",),
    Kind.GZ: ("gz", "tgz"),
    Kind.HTML: ("html", "htm"),
    Kind.XML: ("xml", "gml", "kml"),
    Kind.JSON: ("json", "geojson"),
    Kind.CSV: ("csv", "tsv"),
    Kind.TEXT: ("txt", "text", "log", "md", "asc", "csv", "tsv"),
    Kind.ICS: ("ics",),
    Kind.VCF: ("vcf",),
    Kind.JTD: ("jtd", "jtt"),
    Kind.DXF: ("dxf",),
    Kind.SFC: ("sfc",),
    Kind.P21: ("p21", "stp", "step"),
    Kind.SHP: ("shp",),
    Kind.SHX: ("shx",),
    Kind.DBF: ("dbf",),
}


class Severity(StrEnum):
    """How much a finding or a rule match weighs; declared in rising order."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Action(StrEnum):
    """What was done about a finding."""

    REMOVED = "removed"
    REWRITTEN = "rewritten"
    KEPT = "kept"
    REFUSED = "refused"

    @property
    def changes(self) -> bool:
        """Whether the file is another one for it."""
        return self in (Action.REMOVED, Action.REWRITTEN)


class Verdict(StrEnum):
    """The end of a transfer or part, from best to worst. Only the first three are deliveries."""

    CLEAN = "clean"
    SANITIZED = "sanitized"
    CONFIRMED = "confirmed"
    HELD = "held"
    BLOCKED = "blocked"

    @property
    def delivers(self) -> bool:
        return self in (Verdict.CLEAN, Verdict.SANITIZED, Verdict.CONFIRMED)


class Reason(StrEnum):
    """Why something is not delivered."""

    ENCRYPTED = "encrypted"
    MALWARE = "malware"
    FORBIDDEN_KIND = "forbidden_kind"
    UNSUPPORTED_KIND = "unsupported_kind"
    MALFORMED = "malformed"
    LIMIT_EXCEEDED = "limit_exceeded"
    TIMEOUT = "timeout"
    WORKER_CRASHED = "worker_crashed"
    VERIFICATION_FAILED = "verification_failed"
    KIND_MISMATCH = "kind_mismatch"
    POLICY = "policy"


# Refused for what it is, with nothing to wait for: an operator cannot release it as a delivery either.
BLOCKING_REASONS: Final = frozenset({Reason.MALWARE, Reason.FORBIDDEN_KIND})


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found in a part and what was done about it. `code` is declared in `sanitizers.findings`."""

    code: str
    severity: Severity
    action: Action
    where: str
    detail: str = ""


class Seen(msgspec.Struct, frozen=True):
    """A piece that a rule looked for and found: its name in the rule, where it begins in what was scanned, and its first bytes (hex)."""

    name: str
    offset: int
    bytes: str


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One rule (YARA or another scanner) that matched in a part or one of its decoded layers. `seen`: the first pieces of it."""

    rule: str
    severity: Severity
    where: str
    seen: tuple[Seen, ...] = ()


class PartInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Name, size in bytes, SHA-256 (hex) and kind of an input or an output. `path` only for outputs of `sekisho sanitize`."""

    name: str
    size: int
    sha256: str
    kind: Kind
    path: str | None = None


class MailFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the jail read in a mail's header for the journal: decoded, without control characters, at most 1,000 characters each."""

    message_id: str = ""
    subject: str = ""
    author: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one part and, inside `parts`, to everything embedded in it (contracts.md §3)."""

    path: str
    verdict: Verdict
    reason: Reason | None
    input: PartInfo
    output: PartInfo | None
    findings: tuple[Finding, ...] = ()
    matches: tuple[Match, ...] = ()
    parts: tuple[Report, ...] = ()
    engine: str = ENGINE_VERSION
    policy: str = ""
    rules: str = ""
    elapsed_ms: int = 0
    mail: MailFacts | None = None
    similarity: float | None = None     # 0 to 1: how alike the least alike page is before and after, where both could be drawn
    schema: str = REPORT_SCHEMA

    def tree(self) -> Iterator[Report]:
        """This part and all that lie in it, the last first. Iterative: whoever made the input chose the depth."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(part.parts)


class Refused(Exception):  # noqa: N818 - a verdict on the input, not an error of ours
    """The input's fault. Anything else that is raised in the jail is a bug of ours and kills the child.

    `where` and `detail` go to people; the finding code that explains the refusal is `code`.
    """

    reason = Reason.MALFORMED
    code = "file.malformed"

    def __init__(self, detail: str = "", *, where: str = "", code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.where = where
        if code is not None:
            self.code = code


class Malformed(Refused):
    """Breaks its own format, or is ambiguous: two readers could see two things."""


class Unsupported(Refused):
    """A kind, version or feature that cannot be rebuilt here."""

    reason = Reason.UNSUPPORTED_KIND
    code = "file.unsupported_kind"


class Encrypted(Refused):
    """Needs a password that none of the candidates is."""

    reason = Reason.ENCRYPTED
    code = "file.encrypted"


class LimitExceeded(Refused):
    """Past a number of `Limits`. Holds the whole transfer, however deep it is raised."""

    reason = Reason.LIMIT_EXCEEDED
    code = "file.limit_exceeded"


class Forbidden(Refused):
    """A kind that may never cross."""

    reason = Reason.FORBIDDEN_KIND
    code = "file.forbidden_kind"


class Malware(Refused):
    """A rule or scanner of high severity matched."""

    reason = Reason.MALWARE
    code = "file.malware"


class VerificationFailed(Refused):
    """The rebuilt file did not satisfy the second opinion."""

    reason = Reason.VERIFICATION_FAILED
    code = "file.verification_failed"


class PolicyRefused(Refused):
    """Policy does not let this through."""

    reason = Reason.POLICY
    code = "file.policy"
