"""異動: a list of people against those who are here. What would change is shown first; nothing is written before somebody says so.

A list is CSV (UTF-8 or CP932) with a header; the columns are told by name, in any order:

    ログイン名,氏名,メール,所属,兼務,所属長,在籍        login,name,mail,department,concurrent,head,status
    任用区分,取込みの利用,メールの受信,許可の理由       employment,may_drop,may_mail,reason

`兼務` holds departments with `;` between them, `所属長` is 1 or empty, `在籍` is empty, or 退職 for those who leave; `任用区分` is 常勤,
会計年度任用職員 or 委託等, the two after it 1, 0 or empty: as it was. New people are staff: other roles are given one by one, by hand.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection

from gateway.people.authority import separate
from gateway.people.employment import EMPLOYMENTS, FEATURES, Employment, Terms, begins, first, unexplained, unsaid, uses
from gateway.people.employment import follow as follow_terms
from gateway.people.roles import PRIVILEGED, RefusedError, Role
from gateway.storage import accounts as rows
from gateway.storage import people
from gateway.storage.accounts import Account
from gateway.storage.people import Place

_COLUMNS: Final = {
    "ログイン名": "login", "氏名": "name", "メール": "mail", "所属": "department", "兼務": "concurrent", "所属長": "head", "在籍": "status",
    "任用区分": "employment", "取込みの利用": "may_drop", "メールの受信": "may_mail", "許可の理由": "reason",
    "login": "login", "name": "name", "mail": "mail", "department": "department", "concurrent": "concurrent", "head": "head",
    "status": "status", "employment": "employment", "may_drop": "may_drop", "may_mail": "may_mail", "reason": "reason",
}  # fmt: skip
_EMPLOYMENTS: Final = {word: one for one, title in EMPLOYMENTS.items() for word in (title.ja, str(one))}
_SWITCH: Final = {"": None, "0": False, "1": True}
_LEAVING: Final = frozenset({"退職", "停止", "leaves", "disabled"})
_STAYING: Final = frozenset({"", "在職", "在籍", "active"})
# What may stand in a column, and what is said of anything else.
_WORDS: Final[dict[str, tuple[Container[str], str]]] = {
    "status": (_LEAVING | _STAYING, "在籍「{}」は使えません / unknown status"),
    "head": (("", "0", "1"), "所属長「{}」は 1 か空欄です / head is 1 or empty"),
    "employment": (("", *_EMPLOYMENTS), "任用区分「{}」は使えません / unknown employment"),
    "may_drop": (_SWITCH, "取込みの利用「{}」は 1、0、空欄のどれかです / may_drop is 1, 0 or empty"),
    "may_mail": (_SWITCH, "メールの受信「{}」は 1、0、空欄のどれかです / may_mail is 1, 0 or empty"),
}
_MOST: Final = 20_000
_LONGEST: Final = 200


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One person as a list has him. `line`: where; `directory`: his name in a directory, if it comes from there."""

    line: int
    login: str
    name: str
    mail: str = ""
    department: str = ""
    concurrent: tuple[str, ...] = ()
    head: bool = False
    leaving: bool = False
    role: Role | None = None
    directory: str = ""
    terms: Terms = Terms()

    @property
    def departments(self) -> tuple[str, ...]:
        """The main one first."""
        return tuple(dict.fromkeys(name for name in (self.department, *self.concurrent) if name))


class Fault(msgspec.Struct, frozen=True):
    """Why a line cannot be followed."""

    line: int
    why: str


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who stays, and what becomes different: (what, before, after)."""

    entry: Entry
    changes: tuple[tuple[str, str, str], ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What following a list would do. With faults nothing can be followed."""

    joins: tuple[Entry, ...]
    moves: tuple[Move, ...]
    leaves: tuple[Entry, ...]
    same: int
    faults: tuple[Fault, ...]

    @property
    def digest(self) -> str:
        """What somebody has seen and says yes to."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


# --------------------------------------------------------------------------------------------------------------- reading


def read(data: bytes) -> tuple[list[Entry], list[Fault]]:
    """The lines that can be read, and what is wrong with the others."""
    text = _decoded(data)
    if text is None:
        return [], [Fault(1, "文字コードがUTF-8でもShift_JIS（CP932）でもありません / neither UTF-8 nor CP932")]
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True)
    try:
        columns = {name: _COLUMNS.get((name or "").strip()) for name in reader.fieldnames or ()}
        if not {"login", "name"} <= set(columns.values()):
            return [], [Fault(1, "見出しに「ログイン名」と「氏名」が必要です / the header must name login and name")]
        return _entries(reader, columns)
    except csv.Error as error:
        return [], [Fault(reader.line_num, f"CSVとして読めません / not CSV: {error}")]


def _decoded(data: bytes) -> str | None:
    for charset in ("utf-8-sig", "cp932"):
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    return None


def _entries(reader: csv.DictReader[str], columns: Mapping[str, str | None]) -> tuple[list[Entry], list[Fault]]:
    found: list[Entry] = []
    faults: list[Fault] = []
    for number, row in enumerate(reader):
        if number >= _MOST:
            faults.append(Fault(reader.line_num, f"{_MOST}人を超えています / too many people"))
            break
        values = {field: (row[name] or "").strip() for name, field in columns.items() if field is not None}
        why = _wrong(values)
        if why:
            faults.append(Fault(reader.line_num, why))
        elif any(values.values()):
            found.append(_entry(reader.line_num, values))
    return found, faults


def _wrong(values: Mapping[str, str]) -> str:
    if any(len(value) > _LONGEST for value in values.values()):
        return "項目が長すぎます / a field is too long"
    if any(values.values()) and not (values["login"] and values["name"]):
        return "ログイン名か氏名がありません / no login or no name"
    wrong = (said.format(values[name]) for name, (words, said) in _WORDS.items() if values.get(name, "") not in words)
    return next(wrong, "")


def _entry(line: int, values: Mapping[str, str]) -> Entry:
    concurrent = tuple(name.strip() for name in values.get("concurrent", "").replace("；", ";").split(";") if name.strip())
    return Entry(line=line, login=values["login"].lower(), name=values["name"], mail=values.get("mail", "").lower(),
                 department=values.get("department", ""), concurrent=concurrent, head=values.get("head", "") == "1",
                 leaving=values.get("status", "") in _LEAVING, terms=_terms(values))  # fmt: skip


def _terms(values: Mapping[str, str]) -> Terms:
    return Terms(employment=_EMPLOYMENTS.get(values.get("employment", "")), drop=_SWITCH[values.get("may_drop", "")],
                 mail=_SWITCH[values.get("may_mail", "")], reason=values.get("reason", ""))  # fmt: skip


# -------------------------------------------------------------------------------------------------------------- planning


def plan(connection: Connection, entries: Sequence[Entry], *, faults: Sequence[Fault] = (), complete: bool = False) -> Plan:
    """Against those who are here. `complete`: the list is everybody, so staff whom it does not name leave."""
    known = {one.login: one for one in rows.listed(connection)}
    wrong = [*faults, *_unplaceable(connection, entries), *_doubled(entries), *_unexplained(entries, known)]
    joins, moves, leaves, same = [], [], [], 0
    for entry in entries:
        account = known.get(entry.login)
        if entry.leaving:
            if account is not None and not account.disabled:
                wrong += _kept(account, entry.line)
                leaves.append(entry)
            continue
        if account is None:
            joins.append(entry)
        elif changes := _changes(connection, account, entry):
            moves.append(Move(entry=entry, changes=changes))
        else:
            same += 1
    if complete:
        named = {entry.login for entry in entries}
        gone = (one for one in known.values() if one.login not in named and not one.disabled and Role(one.role) is Role.STAFF)
        leaves += [Entry(line=0, login=one.login, name=one.name, leaving=True) for one in gone]
    wrong.sort(key=lambda one: one.line)
    return Plan(joins=tuple(joins), moves=tuple(moves), leaves=tuple(leaves), same=same, faults=tuple(wrong))


def _unplaceable(connection: Connection, entries: Sequence[Entry]) -> list[Fault]:
    open_ones = [one for one in people.all_departments(connection) if not one.closed]
    names = [one.name for one in open_ones]
    found = []
    for entry in entries:
        if entry.leaving:
            continue
        found += [Fault(entry.line, f"課「{name}」がありません / no such department") for name in entry.departments if name not in names]
        found += [Fault(entry.line, f"課「{name}」が複数あります / ambiguous") for name in entry.departments if names.count(name) > 1]
    return found


def _doubled(entries: Sequence[Entry]) -> list[Fault]:
    seen: dict[str, int] = {}
    found = []
    for entry in entries:
        if entry.login in seen:
            found.append(Fault(entry.line, f"{entry.login} は {seen[entry.login]} 行目にもあります / named twice"))
        seen.setdefault(entry.login, entry.line)
    return found


def _unexplained(entries: Sequence[Entry], known: Mapping[str, Account]) -> list[Fault]:
    """Something is permitted, and nothing says why."""
    found = []
    for entry in entries:
        before = uses(known[entry.login]) if entry.login in known else begins(entry.terms)
        if not entry.leaving and (why := unexplained(before, entry.terms)):
            found.append(Fault(entry.line, why))
    return found


def _kept(account: Account, line: int) -> list[Fault]:
    """A list never takes a privilege away: somebody has to look at who holds it next."""
    if Role(account.role) in PRIVILEGED:
        return [Fault(line, f"{account.login} は特権IDです。個別に停止してください / privileged: disable it by hand")]
    return []


def _changes(connection: Connection, account: Account, entry: Entry) -> tuple[tuple[str, str, str], ...]:
    places = people.memberships_of(connection, account.id)
    before = _places((one.department.name, one.main, one.head) for one in places)
    after = _places((name, index == 0, entry.head and index == 0) for index, name in enumerate(entry.departments))
    pairs = [("所属 / department", before, after), ("氏名 / name", account.name, entry.name)]
    if entry.mail:
        pairs.append(("メール / mail", account.mail, entry.mail))
    if entry.role is not None:
        pairs.append(("権限 / role", account.role, entry.role))
    if entry.directory:
        pairs.append(("ディレクトリ / directory", account.directory, entry.directory))
    pairs += _other_terms(account, entry.terms)
    if unsaid(connection, account, entry.terms):
        pairs.append(("許可の理由 / reason", "", entry.terms.reason))
    if account.disabled:
        pairs.append(("状態 / state", "停止", "利用中"))
    return tuple(pair for pair in pairs if pair[1] != pair[2])


def _other_terms(account: Account, terms: Terms) -> list[tuple[str, str, str]]:
    before, after = EMPLOYMENTS[Employment(account.employment)], EMPLOYMENTS[terms.employment or Employment(account.employment)]
    told = {True: "可", False: "不可"}
    switched = [(str(FEATURES[one]), told[uses(account)[one]], told[on]) for one, on in terms.features.items()]
    return [("任用区分 / employment", before.ja, after.ja), *switched]


def _places(found: Iterable[tuple[str, bool, bool]]) -> str:
    return "、".join(sorted(f"{name}{'（主務）' if main else ''}{'（所属長）' if head else ''}" for name, main, head in found))


# ------------------------------------------------------------------------------------------------------------- following


def follow(connection: Connection, wanted: Plan, hashes: Mapping[str, str], *, at: float, actor: str) -> None:
    """All of it, in the caller's transaction. `hashes`: of the temporary passwords of those who join. Raises RefusedError."""
    if wanted.faults:
        raise RefusedError("誤りのある行があります。 / some lines cannot be followed")
    for entry in wanted.joins:
        if entry.role is not None:
            separate(connection, entry.login, entry.role)
        made = rows.add(connection, login=entry.login, name=entry.name, mail=entry.mail, role=entry.role or Role.STAFF,
                        password_hash=hashes[entry.login], at=at, actor=actor, directory=entry.directory, **first(entry.terms))  # fmt: skip
        follow_terms(connection, made, entry.terms, at=at, actor=actor)
        _place(connection, entry, at=at, actor=actor)
    for move in wanted.moves:
        _move(connection, move.entry, at=at, actor=actor)
    for entry in wanted.leaves:
        rows.disabled(connection, _account(connection, entry), at=at, actor=actor)


def _move(connection: Connection, entry: Entry, *, at: float, actor: str) -> None:
    account = _account(connection, entry)
    values = {"name": entry.name, "mail": entry.mail or account.mail, "role": entry.role or account.role,
              "directory": entry.directory or account.directory}  # fmt: skip
    if entry.role is not None:
        separate(connection, account.person, entry.role, but=account)
    rows.changed(connection, account, at=at, actor=actor, **values)
    follow_terms(connection, account.id, entry.terms, at=at, actor=actor)
    if account.disabled:
        rows.enabled(connection, account, at=at, actor=actor)
    _place(connection, entry, at=at, actor=actor)


def _place(connection: Connection, entry: Entry, *, at: float, actor: str) -> None:
    account = _account(connection, entry)
    wanted = []
    for index, name in enumerate(entry.departments):
        department = people.department_named(connection, name)
        if department is None or department.closed:
            raise RefusedError(f"課「{name}」がありません / no such department")
        wanted.append(Place(department_id=department.id, main=index == 0, head=entry.head and index == 0))
    now = [Place(department_id=one.department.id, main=one.main, head=one.head) for one in people.memberships_of(connection, account.id)]
    if sorted(wanted, key=_by_department) != sorted(now, key=_by_department):
        people.moved(connection, account, wanted, at=at, actor=actor, privileged=Role(account.role) in PRIVILEGED)


def _by_department(place: Place) -> int:
    return place.department_id


def _account(connection: Connection, entry: Entry) -> Account:
    account = rows.by_login(connection, entry.login)
    if account is None:
        raise RefusedError(f"{entry.login}: そのような利用者はいません / no such account")
    return account
