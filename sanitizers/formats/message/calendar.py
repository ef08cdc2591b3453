"""An invitation in words: what, when, where, who. The file itself goes to the engine like any attachment.

Spec: RFC 5545.
"""

from __future__ import annotations

import re
from typing import Final

_LINE: Final = re.compile(r"(SUMMARY|DTSTART|DTEND|LOCATION|ORGANIZER|DESCRIPTION)(?:;([^:\n]{0,300}))?:(.*)", re.IGNORECASE)
_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(?:\d\d)?(Z?))?")
_ESCAPED: Final = re.compile(r"\\([\\;,nN])")
_ORDER: Final = ("SUMMARY", "DTSTART", "DTEND", "LOCATION", "ORGANIZER", "DESCRIPTION")


def summary(text: str, title: str) -> str:
    """The first event of a calendar as a few lines of text."""
    unfolded = re.sub(r"\n[ \t]", "", text)
    start = unfolded.find("BEGIN:VEVENT")
    stop = unfolded.find("END:VEVENT", start)
    found: dict[str, str] = {}
    for line in unfolded[max(start, 0) : stop if stop > 0 else None].split("\n")[:500]:
        match = _LINE.match(line)
        if match is None:
            continue
        name, parameters, value = match[1].upper(), match[2] or "", match[3]
        value = _ESCAPED.sub(lambda code: "\n" if code[1] in "nN" else code[1], value)
        if name.startswith("DT"):
            zone = re.search(r"TZID=\"?([^;\":]+)", parameters, re.IGNORECASE)
            value = _date(value) + (f" ({zone[1]})" if zone else "")
        found.setdefault(name, value.strip())
    lines = [f"{name.capitalize()}: {found[name]}" for name in _ORDER[1:] if found.get(name)]
    return "\n".join([title + found.get("SUMMARY", ""), *lines])


def _date(value: str) -> str:
    match = _DATE.match(value)
    if match is None:
        return value
    year, month, day, hour, minute, utc = match.groups()
    clock = f" {hour}:{minute}{' UTC' if utc else ''}" if hour else ""
    return f"{year}-{month}-{day}{clock}"
