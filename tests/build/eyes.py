"""Other programs that look at pictures: ExifTool for everything that is said about one, libjpeg's own djpeg, Chromium for drawings."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

# What every picture says of itself, whatever is in it.
_STRUCTURAL = frozenset({"ExifTool", "System", "File", "Composite", "SourceFile", "JFIF", "RIFF", "PNG", "GIF", "IFD0", "IFD1", "IFD2", "PNG-pHYs"})
_ALWAYS_SAID = ("File:Comment", "GIF:Comment", "PNG:Comment", "IFD0:ImageDescription", "IFD0:Software", "IFD0:Make", "IFD0:Artist", "IFD0:Copyright")


def said(data: bytes) -> dict[str, str]:
    """Every tag that ExifTool finds, `group:name` → value, and its warnings."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not here")
    done = subprocess.run(["exiftool", "-j", "-a", "-G1", "-u", "-"], input=data, capture_output=True, timeout=60, check=False)
    found: dict[str, str] = json.loads(done.stdout)[0]
    return {tag: str(value) for tag, value in found.items()}


def beyond_structure(data: bytes) -> set[str]:
    """The tags that say more than what kind of picture this is, and how large."""
    tags = said(data)
    return {tag for tag in tags if tag.partition(":")[0] not in _STRUCTURAL or tag in _ALWAYS_SAID or "Warning" in tag}


def by_djpeg(data: bytes) -> bytes:
    """The pixels as PPM; fails on any warning."""
    if shutil.which("djpeg") is None:
        pytest.skip("djpeg is not here")
    done = subprocess.run(["djpeg", "-strict"], input=data, capture_output=True, timeout=60, check=True)
    return done.stdout
