"""Mails about one's own account: a log-in from a terminal never seen before, and each log-in where somebody wants to hear of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from gateway.storage import letters as rows
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.storage.sessions import Session
from gateway.telemetry import log
from gateway.telling import letters
from gateway.telling.notices import Office, Words

_log = log.get(__name__)

# The word of an account's preferences (`gateway.web.view`) that asks for a mail at each log-in.
WANTED: Final = "mails"
_FACES: Final = {"drop": Words("取込み", "drop"), "pickup": Words("受取", "pickup"), "admin": Words("管理", "administration")}


class AccountMails:
    """What `Accounts` tells goes out as a letter. A store that fails loses a mail and no log-in. `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, office: Office, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._office = office
        self._clock = clock

    async def tell(self, session: Session) -> None:
        account, at = session.account, self._clock()
        if not account.mail or not (session.new_terminal or WANTED in account.preferences.split()):
            return
        letter = self._written(session, at)

        def queued(connection: Connection) -> None:
            rows.queue(connection, [account.mail], letter, about=f"log-in {account.login}", at=at)

        try:
            await self._journal.write(queued)
        except StorageError as error:
            _log.error("somebody could not be told of a log-in", login=account.login, error=str(error))

    def _written(self, session: Session, at: float) -> bytes:
        login, face = session.account.login, _FACES.get(session.face, Words(session.face, session.face))
        moment = dt.datetime.fromtimestamp(session.created_at, dt.UTC).astimezone()
        if session.new_terminal:
            subject = Words("【関所】初めての端末からのログインがありました", "[Sekisho] A log-in from a new terminal")
        else:
            subject = Words("【関所】ログインがありました", "[Sekisho] A log-in")
        said = f"{moment:%Y-%m-%d %H:%M}"
        ja = (
            f"{subject.ja[4:]}。\n\n利用者：{login}\n日時：{said}\n端末：{session.client}\n画面：{face.ja}\n\n"
            "心当たりがない場合は、すぐにパスワードを変更し、情報システム担当へ連絡してください。"
        )
        en = (
            f"{subject.en[10:]}.\n\nAccount: {login}\nWhen: {said}\nTerminal: {session.client}\nFace: {face.en}\n\n"
            "If it was not you, change your password at once and tell the system staff."
        )
        bodies = [en, ja] if self._office.language == "en" else [ja, en]
        return letters.written(session.account.mail, subject, bodies, self._office, at, about=f"log-in {login}")
