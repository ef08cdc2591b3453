"""The reference mix: what crosses into a town, a city and a prefecture, made by code from a seed. Nothing in it comes from outside.

    python perf/traffic.py [--profile town|city|prefecture] [--seed N] [--count N]     prints what is in it

Shares of kinds, sizes, charsets, attachments, hours and repeats are estimates about Japanese municipalities: PDF 36 %, xlsx 20 %,
docx 13 %, pictures 9 %, archives 9 % of files; file sizes log-normal with a median of 180 KB and a ninth decile of 1.8 MB; 30 % of mails
with attachments, 1.6 on average; UTF-8 62 %, ISO-2022-JP 33 %, Shift_JIS 3 %, EUC-JP 2 %; 55 % of mails with HTML; one file in five again.
"""

from __future__ import annotations

import argparse
import base64
import io
import itertools
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pptx
from PIL import Image

from perf import bench_bombs, bench_image, bench_legacy, bench_ooxml, bench_pdf
from sanitizers import charset as charsets
from tests.build import jtd, locked

_LIMIT: Final = 20 << 20
_MEDIAN, _NINTH_DECILE = 180_000, 1_800_000
_SIGMA: Final = math.log(_NINTH_DECILE / _MEDIAN) / 1.2816
# Share of a business day, in hundredths, for each hour from midnight.
HOURS: Final = (1, 1, 1, 1, 1, 1, 1, 2, 9, 16, 13, 10, 4, 11, 10, 8, 6, 2, 1, 0, 0, 0, 0, 1)
_REPEATS: Final = 0.2
_WITH_FILES: Final = 0.3
# One, two, … attachments: 1.6 on average.
_HOW_MANY: Final = (60, 25, 10, 5)
_CHARSETS: Final = (("utf-8", 62), ("iso-2022-jp", 33), ("shift_jis", 3), ("euc-jp", 2))
_HTML: Final = 0.55
# Of every so many files one is made to do harm.
_BOMB_EVERY: Final = 200


class Profile(NamedTuple):
    """`mails` and `uploads` a day; `organisations` that they are for."""

    mails: int
    uploads: int
    organisations: int


PROFILES: Final = {
    "town": Profile(1_200, 100, 1),
    "city": Profile(16_000, 1_000, 1),
    "prefecture": Profile(240_000, 15_000, 30),
}


class File(NamedTuple):
    """`delivers`: whether something of it must come out under the built-in policy."""

    name: str
    data: bytes
    delivers: bool = True


class Mail(NamedTuple):
    """`at`: seconds since midnight. `content`: as it goes over the wire, without dot-stuffing."""

    at: float
    sender: str
    recipient: str
    message_id: str
    content: bytes
    files: tuple[File, ...]


# ------------------------------------------------------------------------------------------------------------------ files


_SAID: Final = (
    "関所は通る者をすべて改める。",
    "令和８年度の予算案について、",
    "お世話になっております。",
    "別紙のとおり通知します。",
    "①及び②の様式、㈱関町建設（髙橋）",
)


def _words(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(_SAID) + ("\n" if number % 3 == 2 else "") for number in range(count))


def _pdf(rng: random.Random, size: int) -> bytes:
    """Text, and where it is large scans too."""
    if size < 400_000:
        return bench_pdf.text_sample(max(1, size // 4_000))
    return bench_pdf.scan_sample(max(1, size // 330_000)) if rng.random() < 0.4 else bench_pdf.text_sample(min(600, size // 6_000))


def _xlsx(_rng: random.Random, size: int) -> bytes:
    return bench_ooxml.workbook(max(600, size // 8))


def _docx(_rng: random.Random, size: int) -> bytes:
    return bench_ooxml.document(max(20_000, min(size * 5, 24 << 20)))


def _pptx(rng: random.Random, size: int) -> bytes:
    show = pptx.Presentation()
    picture = io.BytesIO()
    bench_image.photo(800, 600).save(picture, "JPEG", quality=85)
    for _ in range(max(2, min(60, size // 90_000))):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = _words(rng, 1)
        slide.placeholders[1].text = _words(rng, 6)
        slide.shapes.add_picture(io.BytesIO(picture.getvalue()), 0, 0)
    out = io.BytesIO()
    show.save(out)
    return out.getvalue()


def _photo(_rng: random.Random, size: int) -> bytes:
    width = max(320, min(4_000, round((size * 4) ** 0.5)))
    return bench_image.saved(bench_image.photo(width, width * 3 // 4), "JPEG", quality=88)


def _screenshot(_rng: random.Random, size: int) -> bytes:
    width = max(480, min(2_600, round((size * 3) ** 0.5)))
    return bench_image.saved(bench_image.screenshot(width, width * 9 // 16), "PNG")


def _fax(_rng: random.Random, size: int) -> bytes:
    return bench_image.fax(max(1, min(20, size // 40_000)))


def _zip(rng: random.Random, size: int) -> bytes:
    members = {f"資料{number}.txt": _words(rng, 400).encode("cp932", "replace") for number in range(3)}
    return bench_bombs.packed(members | {"写真.jpg": _photo(rng, size // 2), "通知.pdf": _pdf(rng, min(size // 2, 300_000))})


def table(rng: random.Random, size: int) -> bytes:
    row = "".join(f"{number},関町{number}丁目,{rng.randrange(10**6)}\r\n" for number in range(200))
    return (row * (min(size, 2 << 20) // len(row) + 1)).encode("cp932")


def _html(rng: random.Random, _size: int) -> bytes:
    return f'<html><body><h1>通知</h1><p>{_words(rng, 90)}</p><a href="https://www.example.jp/">こちら</a></body></html>'.encode()


Maker = Callable[[random.Random, int], bytes]

# Of a thousand files: name, how it is made.
SHARES: Final[tuple[tuple[int, str, Maker], ...]] = (
    (360, "通知.pdf", _pdf),
    (200, "調査票.xlsx", _xlsx),
    (130, "要綱.docx", _docx),
    (70, "現場写真.jpg", _photo),
    (20, "画面.png", _screenshot),
    (60, "一式.zip", _zip),
    (20, "秘.zip", lambda _rng, _size: locked.zip_aes("ひみつ")),
    (25, "台帳.xls", lambda _rng, size: bench_legacy.workbook(max(20, min(20_000, size // 150)))),
    (25, "起案.doc", lambda _rng, size: bench_legacy.document(max(20, min(8_000, size // 160)))),
    (25, "説明.pptx", _pptx),
    (25, "一覧.csv", table),
    (15, "文書.jtd", lambda _rng, _size: jtd.document()),
    (15, "受信.tif", _fax),
    (10, "頁.html", _html),
)
# What must stay inside.
_LOCKED: Final = frozenset({"秘.zip"})


@cache
def bombs() -> tuple[File, ...]:
    return tuple(File(name, data, delivers=False) for name, data in bench_bombs.bombs().items() if name not in ("many.zip", "deep.zip"))


def files(seed: int, count: int, *, largest: int = _LIMIT) -> list[File]:
    """Each as another one; kinds by their share, sizes by the distribution, both spread evenly so that few files already are a mix."""
    rng = random.Random(seed)
    total = sum(share for share, _, _ in SHARES)
    bounds = list(itertools.accumulate(share for share, _, _ in SHARES))
    places = [(number + rng.random()) / count for number in range(count)]
    sizes = [min(largest, round(_MEDIAN * math.exp(_SIGMA * _normal((number + 0.5) / count)))) for number in range(count)]
    rng.shuffle(sizes)
    made = []
    for place, size in zip(places, sizes, strict=True):
        _, name, maker = SHARES[next(index for index, bound in enumerate(bounds) if place * total < bound)]
        made.append(File(name, maker(rng, size)[:], name not in _LOCKED))
    rng.shuffle(made)
    return made


def _normal(quantile: float) -> float:
    """The standard normal deviate of a quantile (Acklam's is finer; a bisection of erf is short and as good here)."""
    low, high = -6.0, 6.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 + math.erf(middle / math.sqrt(2))) / 2 < quantile else (low, middle)
    return low


# ------------------------------------------------------------------------------------------------------------------ mails


def mails(seed: int, profile: Profile, count: int, pool: list[File], *, with_bombs: bool = True) -> Iterator[Mail]:
    """`count` mails of one day of the profile, in the order in which they come. One attachment in five is one of before; with an empty
    pool there are none."""
    rng = random.Random(seed)
    fresh, seen = itertools.cycle(pool), list[File]()
    moments = sorted(_moment(rng) for _ in range(count))
    for number, at in enumerate(moments):
        attached: list[File] = []
        if pool and rng.random() < _WITH_FILES:
            for _ in range(rng.choices(range(1, 5), _HOW_MANY)[0]):
                again = seen and rng.random() < _REPEATS
                attached.append(rng.choice(seen) if again else next(fresh))
                seen.append(attached[-1])
        if with_bombs and number % _BOMB_EVERY == _BOMB_EVERY - 1:
            attached.append(rng.choice(bombs()))
        where = rng.randrange(profile.organisations)
        sender, recipient = f"partner{rng.randrange(50)}@example.com", f"staff{rng.randrange(200)}@town{where}.example.jp"
        message_id = f"<{seed}.{number}@example.com>"
        content = _mail(rng, sender, recipient, message_id, attached)
        yield Mail(at, sender, recipient, message_id, content, tuple(attached))


def _moment(rng: random.Random) -> float:
    hour: int = rng.choices(range(24), HOURS)[0]
    return hour * 3600 + rng.random() * 3600


def _mail(rng: random.Random, sender: str, recipient: str, message_id: str, attached: list[File]) -> bytes:
    """About 15 KB in the middle, written by hand: a library would cost more than what is measured."""
    charset = rng.choices([name for name, _ in _CHARSETS], [share for _, share in _CHARSETS])[0]
    said = _words(rng, round(120 * math.exp(rng.gauss(0, 1))))
    parts = [_text(said, "text/plain", charset)]
    if rng.random() < _HTML:
        page = f'<html><body><p>{said.replace(chr(10), "<br>" + chr(10))}</p><a href="https://www.example.jp/{rng.random()}">詳細</a></body></html>'
        parts = [_multipart("alternative", [*parts, _text(page, "text/html", charset)])]
    parts += [_attachment(file) for file in attached]
    subject = base64.b64encode("照会について（依頼）".encode()).decode()
    head = (
        f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: =?utf-8?b?{subject}?=\r\nDate: Fri, 20 Nov 2026 09:00:00 +0900\r\n"
        f"Message-ID: {message_id}\r\nMIME-Version: 1.0\r\n"
    ).encode()
    return head + (parts[0] if len(parts) == 1 else _multipart("mixed", parts))


def _text(said: str, media_type: str, charset: str) -> bytes:
    content = charsets.encode(said, charset).replace(b"\n", b"\r\n")
    if charset == "iso-2022-jp":
        return f"Content-Type: {media_type}; charset={charset}\r\nContent-Transfer-Encoding: 7bit\r\n\r\n".encode() + content + b"\r\n"
    head = f"Content-Type: {media_type}; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + base64.encodebytes(content).replace(b"\n", b"\r\n")


def _attachment(file: File) -> bytes:
    name = base64.b64encode(file.name.encode()).decode()
    head = (
        f'Content-Type: application/octet-stream; name="=?utf-8?b?{name}?="\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="=?utf-8?b?{name}?="\r\n\r\n'
    )
    return head.encode() + base64.encodebytes(file.data).replace(b"\n", b"\r\n")


def _multipart(subtype: str, parts: list[bytes]) -> bytes:
    boundary = f"=-{subtype}-{sum(map(len, parts)):x}"
    between = f"--{boundary}\r\n".encode()
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode()
    return head + b"".join(between + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=PROFILES, default="town")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    given = parser.parse_args()
    Image.MAX_IMAGE_PIXELS = None
    pool = files(given.seed, max(20, given.count // 4))
    kinds, octets = Counter(file.name for file in pool), sorted(len(file.data) for file in pool)
    print(f"{len(pool)} files: {', '.join(f'{name} {number}' for name, number in kinds.most_common())}")
    print(f"file bytes: median {octets[len(octets) // 2]}, ninth decile {octets[len(octets) * 9 // 10]}, largest {octets[-1]}")
    day = list(mails(given.seed, PROFILES[given.profile], given.count, pool))
    octets = sorted(len(mail.content) for mail in day)
    with_files = sum(bool(mail.files) for mail in day)
    print(f"{len(day)} mails, {with_files} with {sum(len(mail.files) for mail in day)} files, {sum(octets) / 1e6:.1f} MB")
    print(f"mail bytes: median {octets[len(octets) // 2]}, ninth decile {octets[len(octets) * 9 // 10]}, largest {octets[-1]}")


if __name__ == "__main__":
    main()
