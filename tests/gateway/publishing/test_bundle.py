"""Update bundles: what is forged, altered, cut, longer, older or holds what none may hold is refused before anything of it is used."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway import policy
from gateway.publishing import bundle
from gateway.publishing.bundle import BundleError, Item, Manifest
from gateway.publishing.updates import Updates
from gateway.publishing.versions import POLICY_FILE, NotNowError, Publishing, Stage, Subject
from gateway.receipts import key_id
from gateway.storage.journal import Journal
from tests.build.pdf_signing import der, oid
from tests.build.publishing import NEW_RULE, RULES
from tests.build.transfer import NOW

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DIGEST = "ab" * 32
CONTENTS: dict[str, bundle.Content] = {
    "rules/a.yar": RULES["a.yar"].encode(),
    "rules/b.yar": NEW_RULE.encode(),
    "rules/catalog.toml": RULES["catalog.toml"].encode(),
    "lists/deny.txt": f"{DIGEST} known bad\n".encode(),
    "clamav/daily.cvd": b"signatures of today",
}


def made(contents: dict[str, bundle.Content] | None = None, *, serial: int = 10, key: Ed25519PrivateKey = KEY) -> bytes:
    target = io.BytesIO()
    bundle.make(target, CONTENTS if contents is None else contents, key, serial=serial, made_at="2026-11-21T00:00:00Z")
    return target.getvalue()


def signed(manifest: bytes, contents: bytes = b"") -> bytes:
    """A bundle with any manifest at all, signed well."""
    head = b"SEKISHO-BUNDLE-1\n%d\n" % len(manifest) + manifest
    return head + KEY.sign(head) + contents


def refused(content: bytes, why: str) -> None:
    with pytest.raises(BundleError, match=why):
        bundle.checked(io.BytesIO(content), KEY.public_key())


# ---------------------------------------------------------------------------------------------------------- the format


def test_the_same_contents_make_the_same_octets(tmp_path: Path) -> None:
    file = tmp_path / "daily.cvd"
    file.write_bytes(b"signatures of today")
    assert made() == made(dict(reversed(CONTENTS.items()))) == made(CONTENTS | {"clamav/daily.cvd": file})
    reader = bundle.Reader(io.BytesIO(made()), KEY.public_key())
    assert {item.path: b"".join(blocks) for item, blocks in reader.files()} == CONTENTS


def test_every_octet_counts() -> None:
    """Any single one changed, left out at the end or added: refused."""
    whole = made()
    for index in range(len(whole)):
        changed = bytearray(whole)
        changed[index] ^= 1
        with pytest.raises(BundleError):
            bundle.checked(io.BytesIO(bytes(changed)), KEY.public_key())
    for index in range(0, len(whole), 7):
        with pytest.raises(BundleError):
            bundle.checked(io.BytesIO(whole[:index]), KEY.public_key())
    refused(whole + b"x", "behind the last file")


def test_another_key_is_another_sender() -> None:
    refused(made(key=Ed25519PrivateKey.generate()), "signature")


def test_a_swap_of_files_is_seen() -> None:
    """The manifest of one bundle over the contents of another of the same sizes."""
    one, other = made({"lists/deny.txt": b"a"}), made({"lists/deny.txt": b"b"})
    refused(one[:-1] + other[-1:], "not the file that was signed")


@pytest.mark.parametrize(
    "path",
    ["rules/../x.yar", "rules/x.txt", "/rules/x.yar", "rules/a/b.yar", "lists/other.txt", "clamav/../../x.cvd", "clamav/x.conf", "x", "rules/.yar",
     "rules/a.yar\n"],
)  # fmt: skip
def test_no_path_leads_anywhere_else(path: str) -> None:
    manifest = Manifest(serial=1, made_at="", key="", files=(Item(path=path, size=0, sha256="e3b0c44298fc1c149afbf4c8996fb924"),))
    refused(signed(manifest.written()), "no bundle may hold")
    with pytest.raises(BundleError):
        made({path: b""})


def test_what_a_manifest_may_not_say() -> None:
    good = Item(path="lists/deny.txt", size=0, sha256="")
    first = Item(path="lists/allow.txt", size=0, sha256="")
    for files, why in (((), "may say"), ((good, good), "order"), ((good, first), "order")):
        refused(signed(Manifest(serial=1, made_at="", key="", files=files).written()), why)
    for size in (-1, 1 << 40):
        refused(signed(Manifest(serial=1, made_at="", key="", files=(msgspec.structs.replace(good, size=size),)).written()), "too many")
    for serial in (0, -1, 1 << 60):
        refused(signed(Manifest(serial=serial, made_at="", key="", files=(good,)).written()), "may say")
    spaced = Manifest(serial=1, made_at="", key="", files=(good,)).written().replace(b":", b": ", 1)
    refused(signed(spaced), "written as manifests are")
    refused(signed(b'{"serial":1}'), "cannot be read")


@pytest.mark.parametrize("start", [b"", b"PK\x03\x04", b"SEKISHO-BUNDLE-1\n", b"SEKISHO-BUNDLE-1\n-5\n", b"SEKISHO-BUNDLE-1\n007\n{}",
                                   b"SEKISHO-BUNDLE-1\n99999999999999\n", b"SEKISHO-BUNDLE-1\n9999999\n", b"SEKISHO-BUNDLE-1\n\n"])  # fmt: skip
def test_what_is_no_bundle(start: bytes) -> None:
    refused(start, "not an update bundle|cut off")


# --------------------------------------------------------------------------------------------------- taken in and back


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = Journal(tmp_path / "sekisho.db")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def publishing(journal: Journal) -> Publishing:
    publishing = Publishing(journal, lambda: NOW, policy.load)
    await publishing.seen_on_disk({Subject.RULES: RULES, Subject.POLICY: {POLICY_FILE: ""}})
    return publishing


async def test_a_bundle_taken_in_and_back(journal: Journal, publishing: Publishing, tmp_path: Path) -> None:
    place = tmp_path / "clamav" / "daily.cvd"
    place.parent.mkdir()
    place.write_bytes(b"signatures of yesterday")
    updates = Updates(journal, publishing, KEY.public_key(), lambda: NOW, place.parent)
    taken = await updates.take(io.BytesIO(made()), actor="kanri")
    assert taken.rules is not None
    assert (taken.rules.stage, taken.rules.author) == (Stage.DRAFT, "kanri"), "rules still need two persons"
    assert await publishing.files_in_force(Subject.LISTS) == {"deny.txt": f"{DIGEST} known bad\n"}
    assert place.read_bytes() == b"signatures of today"
    assert sorted(path.name for path in place.parent.iterdir()) == ["daily.cvd", "daily.cvd.former"]
    for serial in (10, 9):
        with pytest.raises(NotNowError, match="not newer"):
            await updates.take(io.BytesIO(made(serial=serial)), actor="kanri")
    assert len(await publishing.listed(Subject.RULES)) == 2, "nothing of an older one is used"
    done = await updates.take_back(actor="kanri", reason="誤検知")
    assert len(done) == 3
    assert place.read_bytes() == b"signatures of yesterday"
    assert await publishing.files_in_force(Subject.LISTS) == {}
    assert (await publishing.version(taken.rules.id)).stage is Stage.WITHDRAWN
    with pytest.raises(NotNowError):
        await updates.take_back(actor="kanri", reason="誤検知")
    with pytest.raises(NotNowError, match="not newer"):
        await updates.take(io.BytesIO(made(serial=10)), actor="kanri")
    entries = [entry.action async for entry in journal.entries(subject="bundle-10")]
    assert entries == ["bundle.import", "bundle.rollback"]


@pytest.mark.parametrize(
    "contents",
    [{"rules/a.yar": b"rule Bad { condition: nonsense }"}, {"rules/a.yar": b"\xff"}, {"rules/catalog.toml": b""}, {"lists/deny.txt": b"no digest"}],
)
async def test_what_cannot_be_put_in_force_changes_nothing(
    journal: Journal, publishing: Publishing, tmp_path: Path, contents: dict[str, bundle.Content]
) -> None:
    place = tmp_path / "clamav" / "daily.cvd"
    updates = Updates(journal, publishing, KEY.public_key(), lambda: NOW, place.parent)
    before = await publishing.standing()
    with pytest.raises(ValueError, match=r"."):
        await updates.take(io.BytesIO(made(contents | {"clamav/daily.cvd": b"x"})), actor="kanri")
    assert await publishing.standing() == before
    assert len(await publishing.listed(Subject.RULES)) == 1
    assert not list(place.parent.iterdir())
    assert (await updates.take(io.BytesIO(made()), actor="kanri")).serial == 10, "the number is not used up"


async def test_databases_without_a_folder_are_left_out_and_said_so(journal: Journal, publishing: Publishing) -> None:
    updates = Updates(journal, publishing, KEY.public_key(), lambda: NOW)
    taken = await updates.take(io.BytesIO(made()), actor="kanri")
    assert (taken.databases, taken.left_out) == ((), ("clamav/daily.cvd",))
    assert bundle.checked(io.BytesIO(made()), KEY.public_key()).manifest.key == key_id(KEY.public_key())


class Swapped(io.BytesIO):
    """Another bundle from the moment on at which it is read again."""

    def __init__(self, first: bytes, then: bytes) -> None:
        super().__init__(first)
        self._then = then

    def seek(self, offset: int, whence: int = 0) -> int:
        self.__dict__["read"] = io.BytesIO(self._then).read
        return super().seek(offset, whence)


async def test_a_bundle_that_changes_under_the_hand_is_not_taken(journal: Journal, publishing: Publishing) -> None:
    """Both are signed well: what was checked is what is used."""
    updates = Updates(journal, publishing, KEY.public_key(), lambda: NOW)
    with pytest.raises(BundleError, match="changed while it was read"):
        await updates.take(Swapped(made(), made(serial=11)), actor="kanri")
    assert await publishing.files_in_force(Subject.LISTS) is None
    assert len(await publishing.listed(Subject.RULES)) == 1


async def test_rules_that_are_in_force_already_make_no_draft(journal: Journal, publishing: Publishing) -> None:
    updates = Updates(journal, publishing, KEY.public_key(), lambda: NOW)
    contents: dict[str, bundle.Content] = {f"rules/{name}": text.encode() for name, text in RULES.items()}
    taken = await updates.take(io.BytesIO(made(contents)), actor="kanri")
    assert (taken.rules, taken.lists, taken.serial) == (None, None, 10)
    assert len(await publishing.listed(Subject.RULES)) == 1


async def test_lists_that_are_in_force_already_are_not_published_twice(journal: Journal, publishing: Publishing) -> None:
    updates, contents = Updates(journal, publishing, KEY.public_key(), lambda: NOW), {"lists/deny.txt": CONTENTS["lists/deny.txt"]}
    first = await updates.take(io.BytesIO(made(contents)), actor="kanri")
    second = await updates.take(io.BytesIO(made(contents, serial=11)), actor="kanri")
    assert first.lists is not None
    assert (second.lists, len(await publishing.listed(Subject.LISTS))) == (None, 1)


def test_a_file_that_changes_while_it_is_packed_makes_no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "daily.cvd"
    file.write_bytes(b"signatures of today")

    class Writing(io.BytesIO):
        def write(self, content: bytes) -> int:  # type: ignore[override]
            file.write_bytes(b"signatures of night")
            return super().write(content)

    with pytest.raises(BundleError, match=r"clamav/daily\.cvd: changed while it was read"):
        bundle.make(Writing(), {"clamav/daily.cvd": file}, KEY, serial=1, made_at="2026-11-21T00:00:00Z")


def pem(kind: str, body: bytes) -> bytes:
    return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (kind.encode(), base64.b64encode(body), kind.encode())


_UNKNOWN = der(0x30, oid("1.2.3.4.5"))


@pytest.mark.parametrize(
    ("private", "public", "why"),
    [
        (b"", b"", "cannot be read"),
        (pem("PRIVATE KEY", b"x"), pem("PUBLIC KEY", b"x"), "cannot be read"),
        (pem("PRIVATE KEY", der(0x30, der(2, b"\0"), _UNKNOWN, der(4, bytes(32)))), pem("PUBLIC KEY", der(0x30, _UNKNOWN, der(3, bytes(33)))),
         "cannot be read"),
        (None, None, "not an Ed25519 key"),
    ],
    ids=["empty", "no key", "of a kind that nobody knows", "of another kind"],
)  # fmt: skip
def test_a_key_that_is_none(tmp_path: Path, private: bytes | None, public: bytes | None, why: str) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    if private is None:
        private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if public is None:
        public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "private").write_bytes(private)
    (tmp_path / "public").write_bytes(public)
    with pytest.raises(BundleError, match=f"private: {why}"):
        bundle.private_key(tmp_path / "private")
    with pytest.raises(BundleError, match=f"public: {why}"):
        bundle.public_key(tmp_path / "public")


def test_a_key_under_a_password_is_not_taken(tmp_path: Path) -> None:
    locked = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    (tmp_path / "private").write_bytes(locked)
    with pytest.raises(BundleError, match="cannot be read as a private key"):
        bundle.private_key(tmp_path / "private")
