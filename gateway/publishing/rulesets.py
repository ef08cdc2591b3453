"""A set of YARA rules as text: `*.yar` files and their `catalog.toml`, for the warm parent to compile.

Every change of it is a new set: files put in or taken out, the state of a rule, rules from elsewhere, which begin in evaluation.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

CATALOG: Final = "catalog.toml"
STATES: Final = ("enabled", "evaluation", "disabled")
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.yar")
_RULE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_TABLE: Final = re.compile(r"\s*\[\s*\"?([A-Za-z_][A-Za-z0-9_]*)\"?\s*\]\s*(?:#.*)?")
_STATE_LINE: Final = re.compile(r"(\s*state\s*=\s*)(?:\"[^\"]*\"|'[^']*')(.*)")


class RuleSetError(ValueError):
    """A set that cannot be, or a rule that is not in it; one line."""


def builtin_folder() -> Path:
    """The rules that come with the product: beside the packages in a source tree, inside this one when installed."""
    top = Path(__file__).parent.parent
    inside = top / "rules"
    return inside if inside.is_dir() else top.parent / "rules"


def read(folder: Path) -> dict[str, str]:
    """File name → text of every rule file and the catalog. Raises OSError, or ValueError when the folder holds no rule."""
    wanted = [path for path in sorted(folder.iterdir()) if path.suffix == ".yar" or path.name == CATALOG]
    files = {path.name: path.read_text("utf-8") for path in wanted}
    if not any(name.endswith(".yar") for name in files):
        raise ValueError(f"{folder.name}: no *.yar file")
    return files


def read_foreign(paths: Iterable[Path]) -> dict[str, str]:
    """Rule files from elsewhere, of files and of whole folders (`*.yar`, `*.yara`), each under a name that a set may have.

    Bytes that are no UTF-8 become U+FFFD: the compiler says what it makes of them. Raises OSError, RuleSetError.
    """
    files: dict[str, str] = {}
    for path in paths:
        found = sorted(path.rglob("*.yar*")) if path.is_dir() else [path]
        for file in found:
            if not file.is_file() or file.suffix not in (".yar", ".yara"):
                continue
            name = re.sub(r"[^A-Za-z0-9._-]", "_", file.stem).lstrip("._-")[:90] + ".yar"
            if name in files:
                raise RuleSetError(f"{name}: two files of this name")
            files[name] = file.read_text("utf-8-sig", "replace")
    if not files:
        raise RuleSetError("there is no *.yar file")
    return files


def version(files: Mapping[str, str]) -> str:
    """The same digest that the warm parent tells of the rules it has (`sanitizers.scan.version`): 16 hex digits."""
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        digest.update(f"{len(name)}:{name}{len(text)}:{text}".encode())
    return digest.hexdigest()[:16] if files else ""


def catalog(files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Rule → its row. Raises RuleSetError."""
    try:
        rows = tomllib.loads(files.get(CATALOG, ""))
    except tomllib.TOMLDecodeError as error:
        raise RuleSetError(f"{CATALOG}: {error}") from None
    for name, row in rows.items():
        if not isinstance(row, dict):
            raise RuleSetError(f"{CATALOG}: {name} is not a table")
    return rows


def state_of(rows: Mapping[str, Mapping[str, Any]], rule: str) -> str:
    """A rule without a row, or a row without a state, is enabled."""
    return str(rows.get(rule, {}).get("state", "enabled"))


def changed(files: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """With these files put in, or taken out (None). Raises RuleSetError."""
    for name in changes:
        if name != CATALOG and not _FILE.fullmatch(name):
            raise RuleSetError(f"{name[:100]!r}: not a name of a rule file")
    merged = {**files, **changes}
    kept = {name: text for name, text in merged.items() if text is not None}
    if not any(name.endswith(".yar") for name in kept):
        raise RuleSetError("no rule would be left")
    return kept


def with_states(files: Mapping[str, str], states: Mapping[str, str]) -> dict[str, str]:
    """The same rules in these states; comments and other rows of the catalog stay as they are written. Raises RuleSetError."""
    text = files.get(CATALOG, "")
    for rule, state in sorted(states.items()):
        if state not in STATES:
            raise RuleSetError(f"{state}: a state is one of {', '.join(STATES)}")
        if not _RULE.fullmatch(rule):
            raise RuleSetError(f"{rule[:100]!r}: not a name of a rule")
        text = _stated(text, rule, state)
    made = {**files, CATALOG: text}
    before, after = catalog(files), catalog(made)
    expected = before | {rule: {**before.get(rule, {}), "state": state} for rule, state in states.items()}
    if after != expected:
        raise RuleSetError(f"{CATALOG}: is written so that a state cannot be changed in it; change it by hand")
    return made


def with_foreign(files: Mapping[str, str], taken: Mapping[str, str], rules: Mapping[str, str], gone: Iterable[str]) -> dict[str, str]:
    """With files from elsewhere, whose `rules` (name → file) are in evaluation unless the catalog already says otherwise.

    `gone`: rules that files of the same names had before and have no more. Raises RuleSetError.
    """
    text = files.get(CATALOG, "")
    for rule in gone:
        text = _without(text, rule)
    known = catalog({CATALOG: text})
    for rule, file in sorted(rules.items()):
        if rule not in known:
            row = f'[{rule}]\nstate = "evaluation"\nowner = "{file}"\nwhy_ja = "取り込んだルール"\nwhy_en = "taken from elsewhere"\n'
            text = text.rstrip("\n") + "\n\n" + row
    return changed(files, {**taken, CATALOG: text})


def _stated(text: str, rule: str, state: str) -> str:
    """The catalog with that row's `state` line set; a row that is missing is added."""
    lines = text.splitlines(keepends=True)
    place = _place(lines, rule)
    if place is None:
        return text.rstrip("\n") + f'\n\n[{rule}]\nstate = "{state}"\n'
    start, end = place
    for index in range(start + 1, end):
        if match := _STATE_LINE.fullmatch(lines[index].rstrip("\n")):
            lines[index] = f'{match[1]}"{state}"{match[2]}\n'
            return "".join(lines)
    lines.insert(start + 1, f'state = "{state}"\n')
    return "".join(lines)


def _without(text: str, rule: str) -> str:
    lines = text.splitlines(keepends=True)
    place = _place(lines, rule)
    return text if place is None else "".join(lines[: place[0]] + lines[place[1] :])


def _place(lines: list[str], rule: str) -> tuple[int, int] | None:
    """First line of the row, and the line behind its last."""
    starts = [(index, match[1]) for index, line in enumerate(lines) if (match := _TABLE.fullmatch(line.rstrip("\n")))]
    for number, (index, name) in enumerate(starts):
        if name == rule:
            return index, starts[number + 1][0] if number + 1 < len(starts) else len(lines)
    return None
