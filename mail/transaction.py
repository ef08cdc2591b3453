"""One transaction of a session: what MAIL and RCPT said, until the end of the content. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mail import address, parameters
from mail.data import DataReader
from mail.envelope import Envelope, Notify, Wishes
from mail.replies import Trouble


@dataclass(slots=True)
class Transaction:
    """`data` reads the content once it comes; `broken` is what went wrong with us in between."""

    sender: str
    mail: parameters.Mail
    recipients: dict[str, Notify] = field(default_factory=dict)
    data: DataReader | None = None
    broken: Trouble | None = None

    def envelope(self, client: Mapping[str, str], *, tls: bool) -> Envelope:
        """`client`: ADDR, NAME and HELO of the machine it comes from."""
        return Envelope(
            sender=self.sender,
            recipients=tuple(self.recipients),
            client_ip=client["ADDR"],
            helo=client["HELO"],
            client_name=client["NAME"],
            tls=tls,
            size=self.mail.size,
            eight_bit=self.mail.eight_bit,
            smtputf8=self.mail.smtputf8,
            wishes=Wishes(
                envelope_id=self.mail.envelope_id,
                ret=self.mail.ret,
                of={path: notify for path, notify in self.recipients.items() if notify != Notify()},
            ),
        )


def opened(rest: str, *, size_limit: int, dsn: bool) -> Transaction | Trouble:
    """What follows MAIL."""
    argument = address.argument(rest, "FROM:")
    if argument is None:
        return Trouble.SYNTAX
    wishes = parameters.of_mail(argument[1], dsn=dsn)
    if isinstance(wishes, Trouble):
        return wishes
    if wishes.size > size_limit:
        return Trouble.TOO_LARGE
    sender = address.sender(argument[0], smtputf8=wishes.smtputf8)
    return Trouble.BAD_SENDER if sender is None else Transaction(sender, wishes)


def recipient(rest: str, *, smtputf8: bool, postmaster_domain: str, dsn: bool) -> tuple[str, Notify] | Trouble:
    """What follows RCPT. `<postmaster>` alone is one at `postmaster_domain` (RFC 5321 4.5.1)."""
    argument = address.argument(rest, "TO:")
    if argument is None:
        return Trouble.SYNTAX
    wishes = parameters.of_recipient(argument[1], dsn=dsn)
    if isinstance(wishes, Trouble):
        return wishes
    path = argument[0]
    if path.lower() == "postmaster" and postmaster_domain:
        path = f"{path}@{postmaster_domain}"
    found = address.recipient(path, smtputf8=smtputf8)
    return Trouble.BAD_RECIPIENT if found is None else (found, wishes)
