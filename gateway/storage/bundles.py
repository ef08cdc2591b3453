"""Update bundles that were taken in: never one that is older than the last. Inside a transaction."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from gateway.storage import ledger
from gateway.storage.publishing import NotNowError
from gateway.storage.tables import bundles


def last_serial(connection: Connection) -> int:
    """0 before the first."""
    return int(connection.execute(select(func.max(bundles.c.serial))).scalar_one() or 0)


def check_newer(connection: Connection, serial: int) -> None:
    """Raises NotNowError: somebody may want to bring old rules back by an old bundle that is signed well."""
    last = last_serial(connection)
    if serial <= last:
        raise NotNowError(f"更新ファイル {serial} は {last} より新しくありません / bundle {serial} is not newer than {last}")


def taken(connection: Connection, serial: int, *, sha256: str, key_id: str, at: float, actor: str, detail: dict[str, object]) -> None:
    """Raises NotNowError for one that is not newer than all before."""
    check_newer(connection, serial)
    connection.execute(insert(bundles), {"serial": serial, "sha256": sha256, "key_id": key_id, "at": at, "actor": actor})
    known: dict[str, object] = {"sha256": sha256, "key": key_id}
    ledger.append(connection, at=at, actor=actor, action="bundle.import", subject=f"bundle-{serial}", detail=known | detail)
