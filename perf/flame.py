"""Where the time of the dearest roads goes: flame graphs, and with another checkout of the product both above one another on one scale.

    python perf/flame.py [--road NAME …] [--before FOLDER] [--to FOLDER] [--seconds N]

Roads: a text mail in the service's own process; a PDF of text, a workbook, in the engine. Widths are milliseconds of processor time for
one mail or one file, so that half the work is half as wide. The samples are py-spy's (an optional program, on PATH or beside this Python);
without it nothing is drawn and the exit code is 2.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from perf import bench_ooxml, bench_pdf, load_smtp, plots, traffic

_HERE: Final = Path(__file__).resolve().parent.parent
_RATE: Final = "200"
_MAILS: Final = 300
_PLACE: Final = re.compile(r"^(.*) \((.*?)(?::\d+)?\)$")
_ROOMS: Final = re.compile(r"(?:^|/)((?:gateway|mail|sanitizers)/.*)$")
# In a process of its own, whose folder and so whose product is another one each time: rounds done and processor time, on one line.
_ENGINE: Final = """
import sys, time
from pathlib import Path
from sanitizers.engine import Engine
from sanitizers.model import Job
from sanitizers.scan import compile_rules
from sanitizers.source import Source
path, rules, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
data, scanner = path.read_bytes(), compile_rules({file.name: file.read_text("utf-8") for file in rules.glob("*.yar")})

def once():
    assert Engine(Job(name=path.name), scanner, len(data)).run(Source(data)).content is not None

once()
print("warm", flush=True)
sys.stdin.readline()
began, rounds = time.process_time(), 0
while time.process_time() - began < seconds:
    once()
    rounds += 1
print(rounds, time.process_time() - began, flush=True)
sys.stdin.readline()
"""


class Profile(NamedTuple):
    """Collapsed stacks with the samples of each; milliseconds of processor time for one item."""

    stacks: Mapping[str, float]
    milliseconds: float

    def scaled(self) -> dict[str, float]:
        """Stacks with milliseconds for one item."""
        samples = sum(self.stacks.values()) or 1.0
        return {stack: weight * self.milliseconds / samples for stack, weight in self.stacks.items()}


def recorder() -> str | None:
    return shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))


@contextlib.contextmanager
def _recorded(pid: int, into: Path) -> Iterator[None]:
    """The stacks of that process while the block runs, in a file: of whichever thread has the interpreter, as the others wait."""
    program = recorder()
    assert program is not None
    words = [program, "record", "--pid", str(pid), "--format", "raw", "--function", "--gil", "--rate", _RATE, "--output", str(into)]
    process = subprocess.Popen([*words, "--duration", "unlimited"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def collapsed(text: str) -> dict[str, float]:
    """Lines of `frame;frame;… count`, with each frame as `function (file)` and files named from the room on."""
    found: Counter[str] = Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        if stack and count.isdigit():
            found[";".join(map(_named, stack.split(";")))] += int(count)
    return dict(found)


def _named(frame: str) -> str:
    if not (parts := _PLACE.match(frame)):
        return frame
    room = _ROOMS.search(parts[2])
    return f"{parts[1]} ({room[1] if room else parts[2].rpartition('/')[2]})"


# -------------------------------------------------------------------------------------------------------------------- roads


def _engine(name: str, data: bytes, product: Path, seconds: float) -> Profile:
    with tempfile.TemporaryDirectory() as folder:
        given, raw = Path(folder) / name, Path(folder) / "stacks"
        given.write_bytes(data)
        words = [sys.executable, "-c", _ENGINE, str(given), str(product / "rules"), str(seconds)]
        with subprocess.Popen(words, cwd=product, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "warm\n", "the engine did not start"
            with _recorded(process.pid, raw):
                process.stdin.write("go\n")
                process.stdin.flush()
                rounds, spent = process.stdout.readline().split()
            process.stdin.close()
        return Profile(collapsed(raw.read_text("utf-8")), float(spent) * 1000 / int(rounds))


def _mails(product: Path) -> Profile:
    """Text mails in a closed loop; the service's own process, not its jail."""
    mails = load_smtp.mix(load_smtp.arguments().parse_args(["--texts", "--count", str(_MAILS)]))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(product):
        return asyncio.run(_service(Path(folder), mails))


async def _service(folder: Path, mails: list[traffic.Mail]) -> Profile:
    service, load, raw = load_smtp.service_in(folder), load_smtp.Load(), folder / "stacks"
    server = await asyncio.get_running_loop().create_server(lambda: load_smtp.NextHop(load.arrived), "127.0.0.1", service.next_hop)
    await asyncio.to_thread(service.start, 120)
    assert service.process is not None
    before = load_smtp.cpu_seconds(service.process.pid)["service"]
    with _recorded(service.process.pid, raw):
        await load_smtp.sent(service.smtp, mails, load, rate=0.0, sessions=10)
        await load_smtp.all_arrived(load, mails)
        spent = load_smtp.cpu_seconds(service.process.pid)["service"] - before
    await asyncio.to_thread(service.stop)
    server.close()
    return Profile(collapsed(raw.read_text("utf-8")), spent * 1000 / len(mails))


def roads(seconds: float) -> dict[str, Callable[[Path], Profile]]:
    return {
        "text-mail": _mails,
        "pdf": lambda product: _engine("a.pdf", bench_pdf.text_sample(100), product, seconds),
        "workbook": lambda product: _engine("a.xlsx", bench_ooxml.workbook(60_000), product, seconds),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--road", action="append", choices=roads(0.0))
    parser.add_argument("--before", type=Path, help="folder with another checkout of the product")
    parser.add_argument("--to", type=Path, default=Path("out") / "perf")
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    if recorder() is None:
        print("py-spy is not here: nothing is drawn")
        return 2
    given.to.mkdir(parents=True, exist_ok=True)
    places = {"before": given.before, "after": _HERE} if given.before else {"now": _HERE}
    for name, road in roads(given.seconds).items():
        if given.road and name not in given.road:
            continue
        found = {when: road(place) for when, place in places.items()}
        drawn = plots.flames({when: profile.scaled() for when, profile in found.items()}, "ms")
        (given.to / f"flame-{name}.svg").write_text(drawn, "utf-8")
        told = ", ".join(f"{when} {profile.milliseconds:.2f} ms" for when, profile in found.items())
        print(f"{name:10} {told}   {len(drawn) >> 10} KB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
