"""Links in text: made so that no mail program turns them into something to click, and still readable.

`https://www.example.jp/` becomes `hxxps://www[.]example[.]jp/`. The result holds no link any more: doing it again changes nothing.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

_HOST: Final = r"[^\s/?#\\<>\"'()（）「」『』【】、。，〈〉《》|]{0,255}"
# Schemes are ASCII; what stands before them (Japanese text, brackets) is no part of them. `hxxps://` and `ftp[:]//` are ours.
_LINK: Final = re.compile(
    rf"(?P<scheme>(?<![A-Za-z])(?!hxxps?:)[A-Za-z][A-Za-z0-9+.\-]{{0,20}}):(?P<slashes>//|\\\\)(?P<host>{_HOST})"
    rf"|(?P<www>(?<![A-Za-z0-9@\[\].\-/])www\.(?=[A-Za-z0-9]){_HOST})"
    r"|(?P<unc>(?<![\\\w])\\\\(?=[\w.@-]{1,255}\\))"
    r"|(?P<handler>(?<![A-Za-z0-9+.\-])(?:ms-[a-z\-]{2,20}|search-ms|onenote|outlook|callto|javascript|vbscript|file(?=:[/\\]))):(?=\S)",
    re.IGNORECASE,
)


ROUNDS: Final = 6


class Defanged(NamedTuple):
    """Text without live links and how many there were."""

    text: str
    links: int


def defang(text: str) -> Defanged:
    if "://" not in text and ":" not in text and "www." not in text.lower() and "\\\\" not in text:
        return Defanged(text, 0)
    count = 0
    for _ in range(ROUNDS):  # what is left of links inside links may look like one again
        text, found = _LINK.subn(_inert, text)
        if not found:
            return Defanged(text, count)
        count += found
    return Defanged(text.replace("://", "[:]//").replace("www.", "www[.]"), count)


def _inert(match: re.Match[str]) -> str:
    if match["scheme"]:
        scheme = match["scheme"]
        mark = {"http": "hxxp:", "https": "hxxps:"}.get(scheme.lower(), scheme + "[:]")
        return mark + match["slashes"] + _dots(match["host"])
    if match["www"]:
        return _dots(match["www"])
    if match["unc"]:
        return "[\\\\]"
    return match["handler"] + "[:]"


def _dots(host: str) -> str:
    return host.replace("[.]", ".").replace(".", "[.]")


_SHOWN: Final = re.compile(
    r"(?:[a-z][a-z0-9+.\-]{1,20}://)?(?:[^\s/@]{0,64}@)?((?:[\w\-]{1,63}\.)+[a-z]{2,24})(?=[/:?#\s]|$)", re.IGNORECASE
)


def host_of(target: str) -> str:
    """The host that a target really leads to, in lower case; '' for other schemes."""
    match = re.match(r"[a-z][a-z0-9+.\-]*:[/\\]{2,}([^/\\?#]*)", target.strip(), re.IGNORECASE)
    if match is None:
        return ""
    return unquote(match[1]).rpartition("@")[2].partition(":")[0].lower().rstrip(".")


def misleads(shown: str, target: str) -> bool:
    """True when a link's text is itself an address of another site than its target."""
    match = _SHOWN.match(shown.strip())
    host = host_of(target)
    if match is None or not host:
        return False
    promised = match[1].lower().removeprefix("www.")
    real = host.removeprefix("www.")
    return promised != real and not real.endswith("." + promised)


def scheme_of(target: str) -> str:
    """The scheme of a link target as browsers read it: controls and spaces inside do not count; '' for a relative one."""
    squeezed = re.sub(r"[\x00-\x20]+", "", target[:200])
    match = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):", squeezed)
    return match[1].lower() if match else ""
