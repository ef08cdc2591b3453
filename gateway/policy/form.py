"""A policy document as a form: what one of its tables says, row by row, and the document with other answers, comments and order kept."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from enum import StrEnum
from typing import Any, Final, get_args, get_type_hints

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError

from gateway.policy import words
from gateway.policy.document import Layer, Policy, PolicyError, Strength
from gateway.policy.layers import feasible
from gateway.policy.reading import SIZES, load
from gateway.policy.strengths import NAMES, VALUES
from sanitizers.model import Kind, Limits, Treatment

Path = tuple[str, ...]

_SEPARATORS: Final = re.compile(r"[\s,、，]+")
_YES_NO: Final = (("true", "はい / yes"), ("false", "いいえ / no"))
# Tables of the form → where they stand in the document. A department is one organisation's; a group may be anybody's.
PLACES: Final = ("organisations", "departments", "groups", "lanes", "doors")


class Control(StrEnum):
    """How a value is asked for. Of `TEXT` and `LIST` an empty answer is a value too: whether it is said is asked for beside it."""

    CHOICE = "choice"
    NUMBER = "number"
    TEXT = "text"
    LIST = "list"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One value. `said`: what the table says, None where it says nothing, and then `otherwise` holds. `choices`: of (answer, words)."""

    key: str
    ja: str
    en: str
    control: Control
    said: str | None
    otherwise: str
    choices: tuple[tuple[str, str], ...] = ()


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What one table says. `path` is () for the whole house; `stands`: whether the document has the table."""

    path: Path
    stands: bool
    head: tuple[Row, ...]
    limits: tuple[Row, ...]
    treatment: tuple[Row, ...]
    kinds: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.head + self.limits + self.treatment + self.kinds


def tables(policy: Policy) -> tuple[Path, ...]:
    """Those that a document has: the whole house first."""
    return ((), *(layer.path for layer in policy.layers))


def place(of: str, name: str, organisation: str = "") -> Path:
    """The path of a table. Raises PolicyError where that names none."""
    if of not in PLACES or not name or (of == "departments" and not organisation):
        raise PolicyError("種類と名前（課には団体も）を指定してください / a kind and a name, and for a department its organisation")
    if of in ("departments", "groups") and organisation:
        return ("organisations", organisation, of, name)
    return (of, name)


def _is_place(path: Path) -> bool:
    """Whether a document can have such a table."""
    match path:
        case () | ("organisations", _, "departments" | "groups", _):
            return all(path)
        case ("organisations" | "groups" | "lanes" | "doors", _):
            return all(path)
        case _:
            return False


def form(text: str, path: Path) -> Form:
    """Raises PolicyError for a document that cannot be read, and for a path that no table can have."""
    if not _is_place(path):
        raise PolicyError(f"{'.'.join(path)}: no such table in a policy")
    policy = load(text)
    table = _found(tomllib.loads(text), path)
    said = table or {}
    strength = _strength(said)
    held = policy if path else Policy()
    treatment = msgspec.structs.asdict(held.treatment) | (VALUES[strength] if strength else {})
    return Form(
        path=path,
        stands=table is not None,
        head=tuple(_head(said, path, policy)),
        limits=tuple(_limits(said.get("limits", {}), held.limits)),
        treatment=tuple(_treatment(said.get("treatment", {}), treatment)),
        kinds=tuple(_kinds(said.get("kinds", {}), held)),
    )


def _found(document: Mapping[str, Any], path: Path) -> dict[str, Any] | None:
    table: Any = document
    for name in path:
        table = table.get(name)
        if table is None:
            return None
    return dict(table)


def _strength(table: Mapping[str, Any]) -> Strength | None:
    said = table.get("strength")
    return None if said is None else NAMES.get(said) or Strength(said)


# --------------------------------------------------------------------------------------------------------------- the rows


def _head(table: Mapping[str, Any], path: Path, policy: Policy) -> Iterator[Row]:
    strengths = tuple((strength.value, f"{ja} / {en}") for strength, (ja, en) in words.STRENGTHS.items())
    said = _strength(table)
    house = words.STRENGTHS[policy.strength][0] if path and policy.strength else ""
    yield Row(key="strength", ja="強さ", en="strength", control=Control.CHOICE, said=said, otherwise=house, choices=strengths)
    if not path:
        for key, ja, en in (
            ("attempts", "処理を試みる回数", "attempts at one transfer"),
            ("original_days", "原本を残す日数", "days that originals are kept"),
        ):
            yield _number(key, (ja, en), table.get(key), getattr(Policy(), key))
    if "groups" in path[-2:-1]:
        for key, ja, en in (
            ("members", "宛先（アドレス、ログイン名、@ドメイン）", "for whom: addresses, log-in names, @domain"),
            ("senders", "差出人（同）", "from whom"),
        ):
            yield _list(key, (ja, en), table.get(key), ())
    if path[:-1] == ("organisations",):
        said_as = ("処理の順番の重み", "turns in the queue where others have one")
        yield _number("weight", said_as, table.get("weight"), Layer(path=path).weight)


def _limits(table: Mapping[str, Any], held: Limits) -> Iterator[Row]:
    for name in Limits.__struct_fields__:
        value = getattr(held, name)
        otherwise = f"{value >> 20} MiB" if name in SIZES and value % (1 << 20) == 0 else value
        yield _number(f"limits.{name}", words.LIMITS[name], table.get(name), otherwise)


def _treatment(table: Mapping[str, Any], held: Mapping[str, Any]) -> Iterator[Row]:
    types = get_type_hints(Treatment)
    for name, said_as in words.TREATMENT.items():
        key, said, otherwise = f"treatment.{name}", table.get(name), held[name]
        if types[name] is bool:
            yield _choice(key, said_as, said, otherwise, _YES_NO)
        elif types[name] is str:
            yield Row(key=key, ja=said_as[0], en=said_as[1], control=Control.TEXT, said=said, otherwise=otherwise)
        elif choices := get_args(types[name]) if not isinstance(otherwise, tuple) else ():
            yield _choice(key, said_as, said, otherwise, tuple((one, words.CHOICES[one]) for one in choices))
        else:
            yield _list(key, said_as, said, otherwise)


def _kinds(table: Mapping[str, Any], held: Policy) -> Iterator[Row]:
    """Those that the table says something of first."""
    for kind in sorted(Kind, key=lambda kind: (kind not in table, kind)):
        choices = tuple((action.value, f"{ja} / {en}") for action, (ja, en) in words.ACTIONS.items() if feasible(action, kind))
        otherwise = " / ".join(words.ACTIONS[held.action(kind)])
        said = table.get(kind)
        yield Row(key=f"kinds.{kind}", ja=kind, en="", control=Control.CHOICE, said=said, otherwise=otherwise, choices=choices)


def _choice(key: str, said_as: tuple[str, str], said: Any, otherwise: Any, choices: tuple[tuple[str, str], ...]) -> Row:
    shown = dict(choices)
    return Row(
        key=key, ja=said_as[0], en=said_as[1], control=Control.CHOICE, said=None if said is None else _written(said),
        otherwise=shown[_written(otherwise)], choices=choices,
    )  # fmt: skip


def _number(key: str, said_as: tuple[str, str], said: Any, otherwise: float | str) -> Row:
    shown = None if said is None else _written(said)
    return Row(key=key, ja=said_as[0], en=said_as[1], control=Control.NUMBER, said=shown, otherwise=_written(otherwise))


def _list(key: str, said_as: tuple[str, str], said: Any, otherwise: tuple[str, ...]) -> Row:
    shown = None if said is None else ", ".join(said)
    return Row(key=key, ja=said_as[0], en=said_as[1], control=Control.LIST, said=shown, otherwise=", ".join(otherwise))


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# --------------------------------------------------------------------------------------------------------- other answers


def changed(text: str, path: Path, answers: Mapping[str, str | None]) -> str:
    """The document with the answers of a form to one of its tables: key → what was entered, None for what it is not to say.

    Raises PolicyError for an answer that is none and for a document that could not be put in force. Whatever else stands in the document
    stays as it is, to the letter.
    """
    if not _is_place(path):
        raise PolicyError(f"{'.'.join(path)}: no such table in a policy")
    values = {key: None if answer is None else _value(key, answer) for key, answer in answers.items()}
    return _rewritten(text, lambda document: _say(document, path, values))


def without(text: str, path: Path) -> str:
    """The document without one of its tables. Raises PolicyError."""

    def drop(document: MutableMapping[str, Any]) -> None:
        table = document
        for name in path[:-1]:
            table = table[name]
        del table[path[-1]]
        _tidy(document, path[:-1])

    if not path or _found(tomllib.loads(text), path) is None:
        raise PolicyError(f"{'.'.join(path) or 'policy'}: ありません / there is no such table")
    return _rewritten(text, drop)


def _rewritten(text: str, change: Callable[[MutableMapping[str, Any]], None]) -> str:
    """Done twice: to the text, and to plain data. The two must say the same, so no fault of the text's editor changes a policy unseen."""
    wanted = tomllib.loads(text)
    change(wanted)
    try:
        document = tomlkit.parse(text)
        change(document)
        made = tomlkit.dumps(document)
        same = tomllib.loads(made) == wanted
    except (TOMLKitError, tomllib.TOMLDecodeError):
        same = False
    if not same:
        raise PolicyError("この文書はフォームでは変更できません。本文を編集してください / this document has to be changed as text")
    load(made)
    return made


def _say(document: MutableMapping[str, Any], path: Path, values: Mapping[str, Any]) -> None:
    table = _table(document, path)
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if value is not None:
            (table.setdefault(section, {}) if section else table)[name] = value
        elif name in (held := table.get(section, {}) if section else table):
            del held[name]
            if section:
                _tidy(document, (*path, section))
                table = _table(document, path)
    _tidy(document, path)


def _table(document: MutableMapping[str, Any], path: Path) -> MutableMapping[str, Any]:
    for name in path:
        document = document.setdefault(name, {})
    return document


def _tidy(document: MutableMapping[str, Any], path: Path) -> None:
    """Takes a table away that says nothing any more, and those that it was the last in."""
    while path:
        table: Any = document
        for name in path[:-1]:
            table = table.get(name, {})
        if table.get(path[-1]) != {}:
            return
        del table[path[-1]]
        path = path[:-1]


def _value(key: str, answer: str) -> Any:
    """Raises PolicyError for a number that is none; everything else is judged when the document is read."""
    section, _, name = key.rpartition(".")
    answer = answer.strip()
    if section == "treatment":
        if name not in words.TREATMENT:        # nor has what the road writes a word there
            raise PolicyError(f"{key}: no such key in a policy")
        default = getattr(Treatment(), name)
        if isinstance(default, bool):
            return {"true": True, "false": False}.get(answer, answer)
        return _items(answer) if isinstance(default, tuple) else answer
    if key in ("members", "senders"):
        return _items(answer)
    if section == "kinds" or key == "strength":
        return answer
    return answer if name in SIZES and not answer.isdecimal() else _counted(key, answer)


def _items(answer: str) -> list[str]:
    return [item for item in _SEPARATORS.split(answer) if item]


def _counted(key: str, answer: str) -> float:
    try:
        return int(answer)
    except ValueError:
        pass
    try:
        return float(answer)
    except ValueError:
        raise PolicyError(f"{key}: 数値ではありません / is not a number") from None
