"""Kinds and names that may never cross, and names that claim another kind than the bytes are."""

from __future__ import annotations

import unicodedata
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
FORBIDDEN_EXTENSIONS: Final = frozenset(
    "ade adp app appinstaller application appref-ms appx appxbundle apk bas bat bgi bin bz cdxml cer chm cmd cnt com command cpl crt csh "
    "desktop der dll diagcab dmg elf exe fxp gadget grp hlp hpj hta htc img inf ins iqy iso isp its jar jnlp js jse ksh lib library-ms "
    "lnk mad maf mag mam maq mar mas mat mau mav maw mcf mda mdb mde mdt mdw mdz msc msh msh1 msh2 mshxml msi msix msixbundle msp mst ocx "
    "one onepkg onetoc2 ops osd oqy pcd pif pl plg ppa ppam prf prg printerexport ps1 ps1xml ps2 ps2xml psc1 psc2 psd1 psdm1 psm1 pst py pyc "
    "pyo pyw pyz pyzw rb rdp reg rqy scf scr sct searchconnector-ms search-ms settingcontent-ms sh shb shs slk so sys tcsh theme themepack "
    "udf udl url vb vbe vbp vbs vhd vhdx vsmacros vsw webpnp website wim wll wpk ws wsb wsc wsf wsh xbap xla xlam xll xnk".split()
) - {"bin", "cer", "crt", "der", "lib", "mat", "maq", "cnt", "bz", "grp"}
_DESKTOP_FILES: Final = frozenset({"desktop.ini", "autorun.inf"})

# Extensions that stand for more than the kind's own ones.
_ALSO: Final[dict[str, frozenset[Kind]]] = {
    "doc": frozenset({Kind.DOC, Kind.RTF}),
    "xml": frozenset({Kind.XML, Kind.SVG, Kind.FLAT_OPC, Kind.WORD2003XML, Kind.EXCEL2003XML, Kind.FODT, Kind.FODS, Kind.FODP}),
    "heic": frozenset({Kind.HEIC}),
    "heif": frozenset({Kind.HEIC, Kind.AVIF}),
    "xhtml": frozenset({Kind.HTML, Kind.XML}),
    "gz": frozenset({Kind.GZ}),
    "tgz": frozenset({Kind.GZ}),
    "docm": frozenset({Kind.DOCM}),
    "dotm": frozenset({Kind.DOTM}),
    "xlsm": frozenset({Kind.XLSM}),
    "xltm": frozenset({Kind.XLTM}),
    "pptm": frozenset({Kind.PPTM}),
    "ppsm": frozenset({Kind.PPSM}),
    "potm": frozenset({Kind.POTM}),
    "7z": frozenset({Kind.SEVENZIP}),
    "rar": frozenset({Kind.RAR}),
    "lzh": frozenset({Kind.LZH}),
    "lha": frozenset({Kind.LZH}),
    "msg": frozenset({Kind.MSG}),
}
_TEXTS: Final = frozenset({Kind.TEXT, Kind.CSV, Kind.JSON, Kind.XML, Kind.HTML, Kind.ICS, Kind.VCF, Kind.EML, Kind.P21, Kind.SFC, Kind.DXF})
_ENCRYPTED_OFFICE: Final = frozenset({"docx", "docm", "xlsx", "xlsm", "pptx", "pptm"})


def forbidden(kind: Kind, name: str, extra: tuple[str, ...]) -> str | None:
    """Why this may not cross whatever its content is, in a few English words; None if nothing forbids it."""
    if kind in FORBIDDEN_KINDS:
        return f"content is {kind}"
    plain = _as_windows_sees_it(name)
    if plain in _DESKTOP_FILES:
        return f"name is {plain}"
    extension = names.extension(plain)
    if extension in FORBIDDEN_EXTENSIONS or extension in extra:
        return f"name ends in .{extension}"
    return None


def mismatch(kind: Kind, name: str) -> str | None:
    """How the name's extension contradicts the content; None where it agrees, is unknown or missing."""
    extension = names.extension(_as_windows_sees_it(name))
    claimed = _claims(extension)
    if not claimed or kind in claimed or (kind in _TEXTS and claimed <= _TEXTS):
        return None
    if kind is Kind.OOXML_ENCRYPTED and extension in _ENCRYPTED_OFFICE:
        return None
    return f"named .{extension}, content is {kind}"


def _claims(extension: str) -> frozenset[Kind]:
    if extension in _ALSO:
        return _ALSO[extension]
    return frozenset(kind for kind, extensions in EXTENSIONS.items() if extension in extensions)


def _as_windows_sees_it(name: str) -> str:
    """Full-width letters and dots folded, invisible characters and trailing dots and spaces gone, lower case."""
    folded = unicodedata.normalize("NFKC", name)
    visible = "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cc"))
    return visible.rstrip(". \u3000").lower()
