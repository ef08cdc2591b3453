"""The references of `deploy/reference/`, printed from the code: `python -m tests.house.references --write` (`make reference`).

A test compares them with what stands there, so that none of them can drift.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from deploy import formats
from gateway import cli, config
from gateway.people import permissions
from gateway.people.roles import TITLES, Role
from gateway.telemetry import metrics
from gateway.web.routes import DOCUMENT
from mail.replies import Trouble
from sanitizers.findings import FAMILIES
from tests.build.face import client
from tests.build.house import opened

FOLDER: Final = Path(__file__).resolve().parents[2] / "deploy" / "reference"
_NOTE: Final = "<!-- printed from the code by `make reference`: change it there -->"


def _page(title: str, *blocks: str) -> str:
    return "\n\n".join((f"# {title}", _NOTE, *blocks)) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    text = " ".join(str(value).split()).replace("|", "\\|")
    return text if text.startswith("`") else text.replace("<", "\\<")


def settings() -> str:
    """Every key of the configuration, by section."""
    sections: dict[str, list[config.Setting]] = {}
    for setting in config.SETTINGS:
        sections.setdefault(setting.section, []).append(setting)
    blocks = ["By file (TOML) or by environment, which wins: `[smtp] listen` is `SEKISHO_SMTP_LISTEN`. `sekisho config` prints them as a file."]
    for section, ones in sections.items():
        rows = ((f"`{one.key}`", f"`{config.written(one.default)}`", one.meaning) for one in ones)
        blocks.append(f"## [{section}]\n\n{_table(('key', 'default', 'meaning'), rows)}")
    return _page("Settings", *blocks)


def findings() -> str:
    """Every code that a report can hold, by family."""
    blocks = []
    for family in FAMILIES:
        rows = ((f"`{one.code}`", one.severity, one.ja, one.en) for one in family.CODES)
        blocks.append(f"## {family.__name__.rpartition('.')[2]}\n\n{_table(('code', 'severity', '日本語', 'English'), rows)}")
    return _page("Finding codes", *blocks)


def replies() -> str:
    """Every reply of the SMTP receiver, from good to grave."""
    rows = ((one.value.code or "", one.value.enhanced, one.value.text, one.value.reason) for one in Trouble)
    text = "From good to grave. The client hears code and text; the reason is for the log."
    return _page("SMTP replies", text, _table(("code", "enhanced", "text", "reason"), rows))


def meters() -> str:
    """Everything of ours at /metrics."""
    rows = ((f"`{one.name}`", one.kind, *one.title) for one in metrics.monitored() if one.name.startswith("sekisho_"))
    return _page("Metrics", _table(("name", "kind", "日本語", "English"), rows))


def commands() -> str:
    """Every command with its words and options."""
    root = argparse.ArgumentParser(prog="sekisho")
    adding = root.add_subparsers()
    for name in cli._named(()):
        importlib.import_module(f"gateway.commands.{name}").add(adding)
    said = {action.dest: action.help or "" for action in adding._choices_actions}
    blocks = ["0 done, 1 failed, 2 wrong usage (`sanitize` and `inspect`: also 3 something held, 4 something blocked), one line on standard error."]
    for name, parser in adding.choices.items():
        rows = ((_spelled(one), _explained(one)) for one in _actions(parser))
        blocks.append(f"## sekisho {name}\n\n{said[name]}\n\n{_table(('argument', 'meaning'), rows)}")
    return _page("Commands", *blocks)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (one for one in parser._actions if not isinstance(one, argparse._HelpAction))


def _spelled(one: argparse.Action) -> str:
    value = one.metavar if isinstance(one.metavar, str) else (one.dest.upper() if one.choices is None else "")
    if one.option_strings:
        return f"`{one.option_strings[-1]}{'' if one.nargs == 0 else f' {value}'.rstrip()}`"
    return f"`{(value or one.dest.upper())}{' …' if one.nargs in ('*', '+') else ''}`"


def _explained(one: argparse.Action) -> str:
    choices = ", ".join(f"`{choice}`" for choice in one.choices) if one.choices is not None else ""
    # Numbers may be those of the machine.
    default = f"default `{one.default}`" if isinstance(one.default, str) and one.default not in ("", argparse.SUPPRESS) else ""
    words = "" if one.help is None else one.help % {"default": one.default}
    return "; ".join(part for part in (words, choices, default) if part)


async def documents() -> dict[str, dict[str, Any]]:
    """Face → its OpenAPI document, of the whole house with all its desks."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        async with opened(Path(folder), patch) as house:
            told = {}
            for face, application in house.faces.items():
                async with client(application) as browser:
                    told[face] = await (await browser.get(DOCUMENT)).json()
            return told


def interface(told: Mapping[str, Mapping[str, Any]]) -> str:
    """Every operation of each face: who may, what it answers."""
    intro = f"""Each face tells the same as OpenAPI 3.1 at `{DOCUMENT}`. A session or a token is needed unless *who* is anybody.
°: only after elevation, with a reason. Whose a thing is, is looked at as well."""
    blocks = [intro, _table(("who", "日本語", "English"), ((role, TITLES[role].ja, TITLES[role].en) for role in Role))]
    for face, document in told.items():
        rows = [
            (f"`{method.upper()} {path}`", one["summary"], _who(face, method.upper(), path), _statuses(one["responses"]))
            for path, operations in document["paths"].items() for method, one in operations.items()
        ]  # fmt: skip
        blocks.append(f"## {face}\n\n{_table(('operation', 'what', 'who', 'answers'), rows)}")
    return _page("Interface", *blocks)


def _who(face: str, method: str, path: str) -> str:
    may = [role for role in Role if permissions.permitted(face, method, path, role)]
    return ", ".join(role + ("°" if permissions.needs_elevation(face, method, path, role) else "") for role in may) or "anybody"


def _statuses(responses: Mapping[str, object]) -> str:
    return " ".join(sorted(responses))


def printed(told: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """File name → text, of all of them."""
    return {
        "settings.md": settings(),
        "findings.md": findings(),
        "replies.md": replies(),
        "metrics.md": meters(),
        "commands.md": commands(),
        "interface.md": interface(told),
    }


def main() -> int:
    texts = printed(asyncio.run(documents()))
    if "--write" not in sys.argv[1:]:
        sys.stdout.write("\n".join(texts.values()))
        return 0
    for name, text in texts.items():
        (FOLDER / name).write_text(text, "utf-8")
    return formats.main()


if __name__ == "__main__":
    sys.exit(main())
