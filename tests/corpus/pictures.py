"""How alike two pictures are, frame by frame, in a process of its own: the files are foreign. `python -m tests.corpus.pictures BEFORE AFTER …`."""

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pillow_heif
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageSequence, ImageStat

_MEMORY = 4 << 30
pillow_heif.register_heif_opener()


def frames(path: Path) -> Iterator[Image.Image]:
    """Upright, in sRGB, on white, as a viewer shows them."""
    picture = Image.open(path)
    icc = picture.info.get("icc_profile")
    for frame in ImageSequence.Iterator(picture):
        shown = ImageOps.exif_transpose(frame)
        if icc and shown.mode in ("RGB", "CMYK", "L"):
            shown = ImageCms.profileToProfile(shown, ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB"), outputMode="RGB")
        shown = shown.convert("RGBA")
        yield Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")


def similarity(before: Path, after: Path) -> float:
    """Of the least alike frame: 1 for equal pixels, 0 for black instead of white or another size."""
    least = 1.0
    for old, new in zip(frames(before), frames(after), strict=True):
        if old.size != new.size:
            return 0.0
        least = min(least, 1 - sum(ImageStat.Stat(ImageChops.difference(old, new)).mean) / (3 * 255))
    return least


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    paths = [Path(argument) for argument in sys.argv[1:]]
    json.dump([similarity(before, after) for before, after in zip(paths[::2], paths[1::2], strict=True)], sys.stdout)
