"""Update bundles: what is forged, altered, cut, longer, older or holds what none may hold is refused before anything of it is used."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway import policy
from gateway.publishing import bundle
from gateway.publishing.bundle import BundleError, Item, Manifest
from gateway.publishing.updates import Updates
from gateway.publishing.versions import POLICY_FILE, NotNowError, Publishing, Stage, Subject
from gateway.receipts import key_id
from gateway.storage.journal import Journal
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
