"""The words we send people: complete, two languages, and nothing of the sender's in them."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest

from gateway.storage.senders import Stop
from gateway.telling.notices import REASONS, VERDICTS, Office, digest_notice, held_notice, sender_notice
from sanitizers.model import Action, Finding, MailFacts, Reason, Report, Severity, Verdict
from tests.build.transfer import NOW, held, report, transfer

OFFICE = Office(sender="postmaster@town.example.jp", hostname="sekisho.town.example.jp", organisation="みどり町")
HOSTILE = 'click http://evil.example/ "\r\nBcc: all@town.example.jp\r\n\r\n<script>'


def notice(given: Report | None = None, office: Office = OFFICE, **changes: object) -> EmailMessage:
    about = transfer(**({"verdict": Verdict.HELD, "reason": Reason.ENCRYPTED} | changes))  # type: ignore[arg-type]
    raw = held_notice(about, given or held(), office, NOW)
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 200
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message.defects == []
    return message


def test_every_reason_and_verdict_has_words_in_both_languages() -> None:
    assert set(REASONS) == set(Reason)
    assert set(VERDICTS) == set(Verdict)
    for words in (*REASONS.values(), *VERDICTS.values()):
        assert words.ja != words.en
        assert not words.ja.isascii()
        assert words.en.isascii()


def test_a_notice_says_what_a_clerk_needs_on_the_phone() -> None:
    message = notice()
    text = message.get_content()
    assert "20261118-000001" in message["Subject"]
    assert message["Subject"].startswith("【保留】")
    for said in ("受付番号: 20261118-000001", "Receipt: 20261118-000001", REASONS[Reason.ENCRYPTED].ja, REASONS[Reason.ENCRYPTED].en):
        assert said in text
    assert "example[.]com" in text
    assert "暗号化（パスワードが必要）" in text
    assert "みどり町" in text
    assert text.index("受付番号") < text.index("Receipt")


def test_a_locked_mail_names_the_page_that_takes_its_password() -> None:
    office = OFFICE._replace(pickup_url="https://uketori.town.example.jp/")
    address = "https://uketori.town.example.jp/transfers/20261118-000001"
    assert notice(office=office).get_content().count(address) == 2
    assert address not in notice(office=office, reason=Reason.MALFORMED).get_content()


def test_english_comes_first_where_it_is_asked_for() -> None:
    message = notice(office=OFFICE._replace(language="en"))
    text = message.get_content()
    assert message["Subject"].startswith("[held]")
    assert text.index("Receipt") < text.index("受付番号")


def test_a_notice_starts_no_conversation() -> None:
    message = notice()
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["From"].addresses[0].addr_spec == "postmaster@town.example.jp"
    assert message["X-Sekisho-Result"] == "HOLD; id=20261118-000001; policy=policy-1"
    assert message["Message-ID"] == "<20261118-000001.notice@sekisho.town.example.jp>"
    assert message.get_content_type() == "text/plain"
    assert list(message.iter_attachments()) == []


def test_one_recipient_sees_himself_and_several_do_not_see_each_other() -> None:
    assert notice()["To"].addresses[0].addr_spec == "kakari@town.example.jp"
    several = notice(recipients=("a@town.example.jp", "b@town.example.jp"))
    assert "undisclosed-recipients" in str(several["To"])
    assert "a@town.example.jp" not in several.as_string() + several.get_content()
    assert "undisclosed-recipients" in str(notice(recipients=("役場@town.example.jp",))["To"])
    assert "undisclosed-recipients" in str(notice(recipients=("a@town.example.jp\r\nBcc: x",))["To"])


def test_nothing_the_sender_wrote_stands_in_a_notice() -> None:
    refused = Finding(code="file.malware", severity=Severity.HIGH, action=Action.REFUSED, where=HOSTILE, detail=HOSTILE)
    given = report(Verdict.BLOCKED, Reason.MALWARE, mail=MailFacts(message_id=HOSTILE, subject=HOSTILE, author=HOSTILE))
    given = Report(**{field: getattr(given, field) for field in given.__struct_fields__ if field != "findings"}, findings=(refused,))
    message = notice(
        given, verdict=Verdict.BLOCKED, reason=Reason.MALWARE, sender=HOSTILE + "@evil.example", subject=HOSTILE, name=HOSTILE, note=HOSTILE
    )
    everything = message.as_string() + message.get_content() + str(message["Subject"])
    for theirs in ("http", "click", "script", "evil.example", "all@town"):
        assert theirs not in everything
    assert message["Bcc"] is None
    assert "evil[.]example" in message.get_content()
    assert "不正プログラムの疑い" in message.get_content()
    assert message["Subject"].startswith("【受け取れません】")


def test_a_cause_is_named_once_however_often_it_was_found() -> None:
    text = notice(report(Verdict.HELD, Reason.ENCRYPTED, parts=tuple(held() for _ in range(50)))).get_content()
    assert text.count("暗号化（パスワードが必要）") == 1


@pytest.mark.parametrize("reason", Reason)
def test_a_notice_can_be_written_without_a_report(reason: Reason) -> None:
    raw = held_notice(transfer(verdict=Verdict.HELD, reason=reason, sender=""), None, OFFICE, NOW)
    text = email.message_from_bytes(raw, policy=email.policy.default).get_content()
    assert REASONS[reason].en in text


def test_a_long_digest_is_cut_and_says_so() -> None:
    held_ones = [transfer(receipt_no=f"20261118-{number:06d}", verdict=Verdict.HELD, reason=Reason.ENCRYPTED) for number in range(130)]
    office = OFFICE._replace(pickup_url="https://uketori.town.example.jp")
    raw = digest_notice("kakari@town.example.jp", held_ones, office, NOW)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    text = message.get_content()
    assert message["Subject"] == "【保留】お届けしていないメールが130通あります"
    assert "ほか30通" in text
    assert "and 30 more" in text
    assert text.count("https://uketori.town.example.jp/transfers/20261118-000099") == 2
    assert "20261118-000100" not in text
    assert "example[.]com" in text


@pytest.mark.parametrize(
    ("sender", "shown"), [("yamada@city.example.jp", "yamada@city.example.jp"), ('"<a href=x>\r\n"@evil.example', "…@evil[.]example"), ("山田@town.example.jp", "…@town[.]example[.]jp")]
)
def test_a_sender_who_was_stopped_is_named_where_he_has_a_plain_address(sender: str, shown: str) -> None:
    message = email.message_from_bytes(sender_notice(Stop(sender, NOW, "road", "x"), OFFICE), policy=email.policy.default)
    assert message.defects == []
    assert (message["To"], message["From"]) == (OFFICE.sender, OFFICE.sender)
    assert {f"差出人: {shown}", f"Sender: {shown}"} <= set(message.get_content().splitlines())
    assert "href" not in message.get_content()
