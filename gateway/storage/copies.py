"""Rows of the copies of blobs: under which name and key each lies. Inside a transaction.

A copy is told of after its bytes are durable. It is given up by destroying its key in the row: what is left under its name, on this disk
or in any backup of it, says nothing any more. The row stays for a while, so that nobody accepts a transfer on a blob that is going.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, or_, select, update

from gateway.model import State
from gateway.storage.faults import BlobMissingError
from gateway.storage.tables import blob_copies, deliveries, organisation_keys, transfers

_PAGE: Final = 1_000
_STANDS: Final = blob_copies.c.gone_at.is_(None)
_GONE: Final = select(blob_copies.c.gone_at).where(blob_copies.c.digest == bindparam("of_digest"))


class Copy(NamedTuple):
    """`key_id`: None for bytes that lie as they are. `wrapped`: its own key under that one."""

    id: int
    digest: str
    size: int
    name: str
    key_id: int | None
    wrapped: str


class OrganisationKey(NamedTuple):
    id: int
    organisation: str
    wrapped: str
    master: str


_COPY: Final = select(*(blob_copies.c[name] for name in Copy._fields))
_KEY: Final = select(*(organisation_keys.c[name] for name in OrganisationKey._fields))


# --------------------------------------------------------------------------------------------------------------- copies


def add(connection: Connection, digest: str, size: int, name: str, *, key_id: int | None, wrapped: str, at: float) -> bool:
    """False, and nothing is added, when the key was destroyed meanwhile: what is under it could never be opened."""
    if key_id is not None:
        destroyed = select(organisation_keys.c.destroyed_at).where(organisation_keys.c.id == key_id)
        if connection.execute(destroyed).scalar_one() is not None:
            return False
    row = {"digest": digest, "size": size, "name": name, "key_id": key_id, "wrapped": wrapped, "made_at": at}
    connection.execute(insert(blob_copies), row)
    return True


def find(connection: Connection, digest: str) -> Copy | None:
    """The youngest."""
    row = connection.execute(_COPY.where(blob_copies.c.digest == digest, _STANDS).order_by(blob_copies.c.id.desc()).limit(1)).first()
    return None if row is None else Copy(*row)


def must_stand(connection: Connection, digest: str) -> None:
    """In the transaction that will refer to it. Raises BlobMissingError when it was given up since it was put: put it again."""
    stands = list(connection.execute(_GONE, {"of_digest": digest}).scalars())
    if stands and None not in stands:
        raise BlobMissingError("the blob was given up meanwhile")


def name_stands(connection: Connection, name: str) -> bool | None:
    """None: no copy was ever called so, or it is forgotten."""
    row = connection.execute(select(blob_copies.c.gone_at).where(blob_copies.c.name == name)).first()
    return None if row is None else row.gone_at is None


def give_up(connection: Connection, digest: str, at: float, *, made_before: float | None = None) -> list[str]:
    """The keys of its copies are destroyed; their names."""
    theirs = (blob_copies.c.digest == digest) & _STANDS
    if made_before is not None:
        theirs &= blob_copies.c.made_at < made_before
    names = list(connection.execute(select(blob_copies.c.name).where(theirs)).scalars())
    connection.execute(update(blob_copies).where(theirs).values(gone_at=at, wrapped=""))
    return names


def unused(connection: Connection, made_before: float, after: int) -> list[Copy]:
    """A page of what was put before then and no row refers to, behind the id `after`."""
    digest, columns = blob_copies.c.digest, transfers.c
    unfinished = or_(deliveries.c.next_due.is_not(None), deliveries.c.lease_token.is_not(None), columns.state != State.DISPOSED)
    by_delivery = exists().where(deliveries.c.blob == digest, columns.id == deliveries.c.transfer_id, unfinished)
    used = or_(exists().where(columns.blob == digest), exists().where(columns.result_sha256 == digest), by_delivery)
    statement = _COPY.where(_STANDS, blob_copies.c.made_at < made_before, blob_copies.c.id > after, ~used)
    return [Copy(*row) for row in connection.execute(statement.order_by(blob_copies.c.id).limit(_PAGE))]


def superseded(connection: Connection, made_before: float) -> list[str]:
    """Digests that were put more than once, the first time before then."""
    columns = blob_copies.c
    statement = select(columns.digest).where(_STANDS).group_by(columns.digest)
    statement = statement.having(func.count() > 1, func.min(columns.made_at) < made_before)
    return list(connection.execute(statement.limit(_PAGE)).scalars())


def give_up_superseded(connection: Connection, digest: str, at: float, *, made_before: float) -> list[str]:
    """All copies but the youngest; their names."""
    youngest = find(connection, digest)
    theirs = (blob_copies.c.digest == digest) & _STANDS & (blob_copies.c.made_at < made_before)
    theirs &= blob_copies.c.id < (0 if youngest is None else youngest.id)
    names = list(connection.execute(select(blob_copies.c.name).where(theirs)).scalars())
    connection.execute(update(blob_copies).where(theirs).values(gone_at=at, wrapped=""))
    return names


def forget(connection: Connection, gone_before: float) -> int:
    """Copies given up so long ago that nobody can still be about to refer to them; how many."""
    return connection.execute(delete(blob_copies).where(blob_copies.c.gone_at < gone_before)).rowcount


def forget_all(connection: Connection) -> None:
    """Of a journal that came without its blobs: they are put anew, under new keys."""
    connection.execute(delete(blob_copies))
    connection.execute(delete(organisation_keys))


# ----------------------------------------------------------------------------------------------------------------- keys


def current_key(connection: Connection, organisation: str) -> OrganisationKey | None:
    columns = organisation_keys.c
    statement = _KEY.where(columns.organisation == organisation, columns.retired_at.is_(None), columns.destroyed_at.is_(None))
    row = connection.execute(statement.order_by(columns.id.desc()).limit(1)).first()
    return None if row is None else OrganisationKey(*row)


def key(connection: Connection, key_id: int) -> OrganisationKey:
    """Raises BlobMissingError when it was destroyed."""
    statement = _KEY.where(organisation_keys.c.id == key_id, organisation_keys.c.destroyed_at.is_(None))
    row = connection.execute(statement).first()
    if row is None:
        raise BlobMissingError("the key of its organisation was destroyed")
    return OrganisationKey(*row)


def keys(connection: Connection) -> list[OrganisationKey]:
    """All that were not destroyed."""
    statement = _KEY.where(organisation_keys.c.destroyed_at.is_(None)).order_by(organisation_keys.c.id)
    return [OrganisationKey(*row) for row in connection.execute(statement)]


class StandingKey(NamedTuple):
    """`copies`: how many lie under it. Times in seconds since 1970."""

    id: int
    organisation: str
    master: str
    made_at: float
    retired_at: float | None
    copies: int


def standing_keys(connection: Connection) -> list[StandingKey]:
    columns = organisation_keys.c
    under_it = select(func.count()).where(blob_copies.c.key_id == columns.id, _STANDS).scalar_subquery()
    statement = select(columns.id, columns.organisation, columns.master, columns.made_at, columns.retired_at, under_it)
    return [StandingKey(*row) for row in connection.execute(statement.where(columns.destroyed_at.is_(None)).order_by(columns.id))]


def add_key(connection: Connection, organisation: str, wrapped: str, master: str, at: float) -> int:
    row = {"organisation": organisation, "wrapped": wrapped, "master": master, "made_at": at}
    number: int = connection.execute(insert(organisation_keys).returning(organisation_keys.c.id), row).scalar_one()
    return number


def rewrap_key(connection: Connection, key_id: int, wrapped: str, master: str) -> None:
    """Under another master key."""
    connection.execute(update(organisation_keys).where(organisation_keys.c.id == key_id).values(wrapped=wrapped, master=master))


def retire_keys(connection: Connection, organisation: str, but: int, at: float) -> None:
    """Nothing new is sealed under them."""
    columns = organisation_keys.c
    older = (columns.organisation == organisation) & (columns.id != but) & columns.retired_at.is_(None)
    connection.execute(update(organisation_keys).where(older).values(retired_at=at))


def under(connection: Connection, key_id: int, after: int) -> list[Copy]:
    """A page of the copies under a key, behind the id `after`."""
    statement = _COPY.where(blob_copies.c.key_id == key_id, _STANDS, blob_copies.c.id > after).order_by(blob_copies.c.id)
    return [Copy(*row) for row in connection.execute(statement.limit(_PAGE))]


def rewrap(connection: Connection, moved: list[tuple[int, str]], key_id: int) -> None:
    """Copies by id, their own key wrapped under another one; those given up meanwhile stay so."""
    for copy_id, wrapped in moved:
        ours = (blob_copies.c.id == copy_id) & _STANDS
        connection.execute(update(blob_copies).where(ours).values(key_id=key_id, wrapped=wrapped))


def destroy_keys(connection: Connection, at: float, *, organisation: str | None = None, but_used: bool = False) -> list[int]:
    """Of an organisation, or of all; `but_used`: only retired ones under which nothing lies any more. Their ids."""
    columns = organisation_keys.c
    statement = select(columns.id).where(columns.destroyed_at.is_(None))
    if organisation is not None:
        statement = statement.where(columns.organisation == organisation)
    if but_used:
        statement = statement.where(columns.retired_at.is_not(None), ~exists().where(blob_copies.c.key_id == columns.id, _STANDS))
    ids = list(connection.execute(statement).scalars())
    retired = func.coalesce(columns.retired_at, at)
    connection.execute(update(organisation_keys).where(columns.id.in_(ids)).values(destroyed_at=at, wrapped="", retired_at=retired))
    return ids
