"""Kinds and names that may never cross, and names that claim another kind than the bytes are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from sanitizers import names
from sanitizers.model import EXTENSIONS, Kind

# What runs, installs, mounts or points elsewhere when it is opened.
FORBIDDEN_KINDS: Final = frozenset(
    {
        Kind.PE, Kind.ELF, Kind.MACHO, Kind.CLASS, Kind.JAR, Kind.APK, Kind.SCRIPT,      # programs
        Kind.MSI, Kind.XLAM, Kind.PPAM,                                                  # installers and add-ins
        Kind.LNK, Kind.URL, Kind.CHM, Kind.ONE, Kind.SLK,                                # start something else
        Kind.ISO, Kind.VHD, Kind.VHDX, Kind.WIM, Kind.DMG,                               # disk images lose the mark of the web
    }
)  # fmt: skip

# Extensions that Windows, Office or another usual program runs, installs, mounts or follows, whatever the content is.
FORBIDDEN_EXTENSIONS: Final = frozenset({
    # programs and libraries
    "app", "com", "cpl", "dll", "drv", "elf", "exe", "gadget", "ocx", "pif", "run", "scr", "so", "sys", "vxd", "wll", "xll",
    # scripts and what hosts them
    "asp", "aspx", "bas", "bat", "cdxml", "class", "cgi", "cmd", "command", "csh", "fxp", "hta", "htc", "jar", "jnlp", "js", "jse",
    "jsp", "ksh", "msh", "msh1", "msh2", "mshxml", "php", "phtml", "pl", "prg", "ps1", "ps1xml", "ps2", "ps2xml", "psc1", "psc2",
    "psd1", "psdm1", "psm1", "py", "pyc", "pyo", "pyw", "pyz", "pyzw", "rb", "sct", "sh", "tcsh", "vb", "vbe", "vbp", "vbs", "ws",
    "wsb", "wsc", "wsf", "wsh",
    # installers and add-ins
    "ade", "adp", "apk", "appinstaller", "application", "appref-ms", "appx", "appxbundle", "diagcab", "ins", "isp", "its", "msi",
    "msix", "msixbundle", "msp", "mst", "msu", "ppa", "ppam", "vsix", "vsw", "vsmacros", "wpk", "xbap", "xla", "xlam",
    # shortcuts, settings and what points elsewhere
    "chm", "desktop", "dqy", "hlp", "hpj", "inf", "iqy", "library-ms", "lnk", "mad", "maf", "mag", "mam", "mar", "mas", "mau",
    "mav", "maw", "mcf", "mda", "mde", "mdt", "mdw", "mdz", "msc", "odc", "one", "onepkg", "onetoc2", "ops", "oqy", "osd", "pcd",
    "plg", "prf", "printerexport", "rdp", "reg", "rqy", "scf", "search-ms", "searchconnector-ms", "settingcontent-ms", "shb", "shs",
    "slk", "theme", "themepack", "udl", "url", "webpnp", "website", "wcx", "xnk",
    # disk images
    "dmg", "img", "iso", "udf", "vhd", "vhdx", "vmdk", "wim",
})  # fmt: skip
_DESKTOP_FILES: Final = frozenset({"desktop.ini", "autorun.inf"})
_CLASS_ID: Final = re.compile(r"\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}")

_TEXTS: Final = frozenset({
    Kind.TEXT, Kind.CSV, Kind.JSON, Kind.XML, Kind.HTML, Kind.ICS, Kind.VCF, Kind.EML, Kind.P21, Kind.SFC, Kind.DXF,
})  # fmt: skip
_XMLS: Final = frozenset({
    Kind.XML, Kind.SVG, Kind.HTML, Kind.FLAT_OPC, Kind.WORD2003XML, Kind.EXCEL2003XML, Kind.FODT, Kind.FODS, Kind.FODP,
})  # fmt: skip
# What an extension may stand for besides the kinds that go out under it. Programs choose by content within each of these rows.
_ALSO: Final[dict[str, frozenset[Kind]]] = {
    "doc": frozenset({Kind.DOC, Kind.RTF}),
    "xml": _XMLS,
    "xhtml": frozenset({Kind.HTML, Kind.XML}),
    "heif": frozenset({Kind.HEIC, Kind.AVIF}),
    "docx": frozenset({Kind.OOXML_ENCRYPTED}),
    "xlsx": frozenset({Kind.OOXML_ENCRYPTED}),
    "pptx": frozenset({Kind.OOXML_ENCRYPTED}),
    "docm": frozenset({Kind.DOCM, Kind.OOXML_ENCRYPTED}),
    "xlsm": frozenset({Kind.XLSM, Kind.OOXML_ENCRYPTED}),
    "pptm": frozenset({Kind.PPTM, Kind.OOXML_ENCRYPTED}),
    "xlsb": frozenset({Kind.XLSB, Kind.OOXML_ENCRYPTED}),
    "tgz": frozenset({Kind.GZ}),
    "tbz": frozenset({Kind.BZ2}),
    "tbz2": frozenset({Kind.BZ2}),
    "txz": frozenset({Kind.XZ}),
    "lha": frozenset({Kind.LZH}),
    "jtdc": frozenset({Kind.JTD}),
    "jttc": frozenset({Kind.JTD}),
    "mhtml": frozenset({Kind.MHT}),
    "jsd": frozenset({Kind.JHD}),
    "jfw": frozenset({Kind.JAW}),
    "jbw": frozenset({Kind.JAW}),
    "juw": frozenset({Kind.JAW}),
    "xct": frozenset({Kind.XDW}),
    "vst": frozenset({Kind.VSD}),
    "vss": frozenset({Kind.VSD}),
    "j2k": frozenset({Kind.JP2}),
    "ps": frozenset({Kind.EPS}),
    "ttf": frozenset({Kind.FONT}),
    "otf": frozenset({Kind.FONT}),
    "mp3": frozenset({Kind.AUDIO}),
    "wav": frozenset({Kind.AUDIO}),
    "mp4": frozenset({Kind.VIDEO, Kind.AUDIO}),
    "mov": frozenset({Kind.VIDEO}),
    "wmv": frozenset({Kind.VIDEO, Kind.AUDIO}),
    "avi": frozenset({Kind.VIDEO}),
    "mkv": frozenset({Kind.VIDEO}),
    "m4a": frozenset({Kind.AUDIO, Kind.VIDEO}),
}
# Kinds that have no place in EXTENSIONS because they never go out as they are: their own name is their extension.
_OWN_NAME: Final = frozenset({
    Kind.DOTM, Kind.XLTM, Kind.PPSM, Kind.POTM, Kind.XLAM, Kind.PPAM, Kind.VSDX, Kind.XPS, Kind.ODF, Kind.FODT, Kind.FODS,
    Kind.FODP, Kind.VSD, Kind.PUB, Kind.MPP, Kind.MSI, Kind.ONE, Kind.ACCDB, Kind.MSG, Kind.MBOX, Kind.HEIC, Kind.AVIF, Kind.JP2,
    Kind.EPS, Kind.PSD, Kind.SEVENZIP, Kind.RAR, Kind.LZH, Kind.BZ2, Kind.XZ, Kind.ZST, Kind.LZ4, Kind.COMPRESS, Kind.CAB,
    Kind.CPIO, Kind.AR, Kind.ARJ, Kind.MHT, Kind.SLK, Kind.JHD, Kind.JAW, Kind.XDW, Kind.XBD, Kind.DWG, Kind.JWW, Kind.ATC,
})  # fmt: skip


def _table() -> dict[str, frozenset[Kind]]:
    table: dict[str, frozenset[Kind]] = dict(_ALSO)
    for kind, extensions in EXTENSIONS.items():
        for extension in extensions:
            table[extension] = table.get(extension, frozenset()) | {kind}
    for kind in _OWN_NAME:
        table[str(kind)] = table.get(str(kind), frozenset()) | {kind}
    return table


_CLAIMS: Final = _table()


def forbidden(kind: Kind, name: str, extra: tuple[str, ...]) -> str | None:
    """Why this may not cross whatever its content is, in a few English words; None if nothing forbids it.

    `extra`: more extensions, with or without their dot.
    """
    if kind in FORBIDDEN_KINDS:
        return f"content is {kind}"
    added = {extension.lower().lstrip(".") for extension in extra}
    for plain in _readings(name):
        if plain.rpartition("/")[2] in _DESKTOP_FILES:
            return f"name is {plain.rpartition('/')[2]}"
        extension = names.extension(plain)
        if extension in FORBIDDEN_EXTENSIONS or extension in added:
            return f"name ends in .{extension}"
        if _CLASS_ID.fullmatch(extension):
            return "name ends in a class id"
    return None


def mismatch(kind: Kind, name: str) -> str | None:
    """How the name's extension contradicts the content; None where it agrees, is unknown or missing."""
    extension = names.extension(_as_windows_sees_it(name))
    claimed = _CLAIMS.get(extension)
    if not claimed or kind in claimed or (kind in _TEXTS and claimed <= _TEXTS):
        return None
    return f"named .{extension}, content is {kind}"


def _readings(name: str) -> Iterator[str]:
    """The name as a shell may take it: itself, its stream part (`a.txt:b.exe`, `a.exe::$DATA`), and as it would go out."""
    plain = _as_windows_sees_it(name)
    yield plain
    if ":" in plain:
        yield from (part.rstrip(". ") for part in plain.split(":"))
    yield _as_windows_sees_it(names.safe(name))


def _as_windows_sees_it(name: str) -> str:
    """Full-width letters and dots folded, backslashes turned, invisible characters, trailing dots and spaces gone, lower case."""
    folded = unicodedata.normalize("NFKC", name).replace("\\", "/")
    visible = "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cc"))
    return visible.rstrip(". \u3000").lower()
