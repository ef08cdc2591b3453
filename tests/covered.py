"""How much of the product the tests run through, by branch: `make coverage`, or `python -m tests.covered [PYTEST ARGUMENT...]`.

Runs the suite under coverage.py, in the test processes and in every service and command that they start. What happens behind the walls of
the jail cannot be written down there; the tests of the formats run the same engine in their own process.
Prints the modules that are below their floor, with the lines and branches that are missing, and then every room. Ends with 1 if a module that
has to be run through whole is not, if a room is below its floor, or if a test fails.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

import coverage

_TOP: Final = Path(__file__).resolve().parents[1]
_DATA: Final = _TOP / "out" / "coverage"

# What decides, what crosses the wall and what says that an output is harmless is run through whole.
_WHOLE: Final = (
    "gateway/policy/", "gateway/model.py", "sanitizers/model.py", "sanitizers/job.py", "mail/replies.py", "mail/retry.py", "sanitizers/wire.py",
    "sanitizers/jail/", "sanitizers/verify/", "sanitizers/names.py", "sanitizers/charset.py",
)  # fmt: skip
_FLOOR: Final = 90.0        # of each room, and where a module of another room is listed
# Not counted, and why.
_UNSEEN: Final = {
    "sanitizers/child.py": "runs behind the walls, where nothing can be written down; tests/contract shows it at work",
    "sanitizers/parent.py": "runs as another user in empty namespaces, where nothing can be written down; the same tests",
    "sanitizers/spare.py": "as the child",
    "sanitizers/warming.py": "as the parent",
}


class Row(NamedTuple):
    """One module: its lines and branches, how many of them were run, and what is missing."""

    module: str
    parts: int
    run: int
    missing: str

    @property
    def share(self) -> float:
        """Per cent; a module without a line is run through whole."""
        return 100.0 * self.run / self.parts if self.parts else 100.0

    @property
    def room(self) -> str:
        """Its folder; a format's own."""
        return "/".join(Path(self.module).parts[:-1][: 3 if self.module.startswith("sanitizers/formats/") else 2])

    @property
    def whole(self) -> bool:
        """Whether it has to be run through whole."""
        return self.module.startswith(_WHOLE)


def rows(measured: coverage.Coverage) -> list[Row]:
    """One for each module of the product that is counted."""
    report = _DATA / "report.json"
    measured.json_report(outfile=str(report))
    found = []
    for module, said in sorted(json.loads(report.read_text("utf-8"))["files"].items()):
        numbers = said["summary"]
        missing = [str(line) for line in said["missing_lines"]] + [f"{one}→{other}" for one, other in said["missing_branches"]]
        parts, run = numbers["num_statements"] + numbers["num_branches"], numbers["covered_lines"] + numbers["covered_branches"]
        if module not in _UNSEEN:
            found.append(Row(module, parts, run, " ".join(missing)))
    return found


def told(table: list[Row]) -> bool:
    """Prints the table. Returns whether every floor is reached."""
    rooms: dict[str, list[Row]] = defaultdict(list)
    for row in table:
        rooms[row.room].append(row)
        if row.share < (100.0 if row.whole else _FLOOR):
            sys.stdout.write(f"{row.share:6.1f} % of {row.module}, without {row.missing[:200]}\n")
    shares = {room: 100.0 * sum(row.run for row in within) / max(1, sum(row.parts for row in within)) for room, within in rooms.items()}
    for room, share in shares.items():
        sys.stdout.write(f"{share:6.1f} % {room}/  {len(rooms[room])} modules\n")
    parts, run = sum(row.parts for row in table), sum(row.run for row in table)
    sys.stdout.write(f"{100.0 * run / max(1, parts):6.1f} % of all, {len(table)} modules\n")
    return all(row.run == row.parts for row in table if row.whole) and min(shares.values()) >= _FLOOR


def main(arguments: list[str]) -> int:
    """Runs pytest with `arguments`, or the whole suite. Returns the exit code."""
    shutil.rmtree(_DATA, ignore_errors=True)
    _DATA.mkdir(parents=True)
    here = {**os.environ, "COVERAGE_FILE": str(_DATA / "data")}
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", *(arguments or ["-n", "3", "--dist", "worksteal"])]
    failed = subprocess.run(command, cwd=_TOP, env=here, check=False).returncode
    measured = coverage.Coverage(data_file=str(_DATA / "data"), config_file=str(_TOP / "pyproject.toml"))
    measured.combine([str(_DATA)])
    return int(not told(rows(measured)) or failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
