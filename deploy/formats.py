"""Print the table of formats for the README from the sanitizers themselves: python deploy/formats.py [--write]"""

from __future__ import annotations

import sys
from pathlib import Path

from sanitizers.formats import SANITIZERS

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- formats: printed by deploy/formats.py -->", "<!-- end of formats -->"


def table() -> str:
    """Markdown: one row per sanitizer."""
    rows = ["| kinds | removes | keeps | refuses |", "| --- | --- | --- | --- |"]
    for sanitizer in SANITIZERS:
        kinds = " ".join(sorted(sanitizer.kinds))
        rows.append(f"| {kinds} | {_cell(sanitizer.removes)} | {_cell(sanitizer.keeps)} | {_cell(sanitizer.refuses)} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").strip().rstrip(".")


def main() -> int:
    if "--write" not in sys.argv[1:]:
        print(table())
        return 0
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
