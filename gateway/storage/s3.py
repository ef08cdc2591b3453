"""The few calls to an object store that the blobs need, in the S3 protocol, each signed and each bounded in time.

Signature: AWS Signature Version 4 in the `Authorization` header, the payload's SHA-256 signed with it. Spoken by Amazon S3, OpenStack
Swift (s3api), Ceph RADOS Gateway, MinIO and their like. Objects are addressed by path (`endpoint/bucket/key`).
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import html
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from gateway.storage.faults import BlobMissingError, StorageError, StorageFullError

_CONNECT_SECONDS: Final = 5.0
_CALL_SECONDS: Final = 60.0
_SILENT_SECONDS: Final = 30.0
# A call that failed for the moment is made again after these pauses. Every call here may be made twice.
_PAUSES: Final = (0.2, 1.0)
_BLOCK: Final = 1 << 20
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_NOT_SATISFIABLE: Final = 416
_FULL: Final = 507
_LATER: Final = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_ANSWER: Final = 4 << 20
_PAGE: Final = 1_000

_ENTRY: Final = re.compile(r"<Contents>(.*?)</Contents>", re.DOTALL)


class Place(NamedTuple):
    """Where the objects are: `endpoint` as https://host[:port], `prefix` before every key."""

    endpoint: str
    bucket: str
    region: str = "us-east-1"
    prefix: str = ""


@dataclass(frozen=True)
class Credentials:
    key_id: str
    secret: str = field(repr=False)


class Listed(NamedTuple):
    """An object of a list; `modified`: seconds since 1970 by the store's clock."""

    key: str
    modified: float


class Bucket:
    """Objects by key. Every call raises StorageError; keys hold letters, digits and `-_./` only."""

    def __init__(self, place: Place, credentials: Credentials, *, connections: int = 32) -> None:
        self._place = place
        self._credentials = credentials
        self._connections = connections
        self._host = urlsplit(place.endpoint).netloc
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Makes the bucket if there is none."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENT_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections), timeout=timeout, auto_decompress=False, raise_for_status=False
        )
        if await self._call("GET", None, query={"list-type": "2", "max-keys": "1"}, missing_is_fine=True) is None:
            # Another node may have made it in between.
            await self._call("PUT", None, fine=(_CONFLICT,))

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def put(self, key: str, body: bytes) -> None:
        """When this returns the store has said that it holds exactly these bytes."""
        await self._call("PUT", key, body=body)

    async def size(self, key: str) -> int | None:
        """None: there is no such object. Asked for with its first byte: some stores answer HEAD in a way that breaks the connection."""
        found = await self._call("GET", key, headers={"Range": "bytes=0-0"}, fine=(_NOT_SATISFIABLE,), missing_is_fine=True)
        if found is None:
            return None
        whole = found.headers.get("Content-Range", "").rpartition("/")[2] or found.headers.get("Content-Length", "")
        return int(whole) if whole.isdigit() and found.status != _NOT_SATISFIABLE else 0

    async def delete(self, key: str) -> None:
        """A missing one is as good as deleted."""
        await self._call("DELETE", key, missing_is_fine=True)

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """In blocks. Raises BlobMissingError; StorageError, also when it ends before its length."""
        session = self._opened()
        url, headers = self._signed("GET", key, {}, b"")
        try:
            async with session.get(url, headers=headers) as answer:
                if answer.status == _NOT_FOUND:
                    raise BlobMissingError("no such blob")
                if answer.status != 200:
                    raise _refusal("GET", answer.status)
                async for block in answer.content.iter_chunked(_BLOCK):
                    yield block
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreached("GET", error) from error

    async def listed(self) -> AsyncIterator[Listed]:
        """Every object below the prefix."""
        further = ""
        while True:
            query = {"list-type": "2", "prefix": self._place.prefix, "max-keys": str(_PAGE)}
            answer = await self._call("GET", None, query=query | ({"continuation-token": further} if further else {}))
            told = answer.body.decode() if answer is not None else ""
            for entry in _ENTRY.findall(told):
                modified = dt.datetime.fromisoformat(_told(entry, "LastModified")).timestamp()
                yield Listed(_told(entry, "Key").removeprefix(self._place.prefix), modified)
            further = _told(told, "NextContinuationToken") if _told(told, "IsTruncated") == "true" else ""
            if not further:
                return

    # ------------------------------------------------------------------------------------------------- large, in parts

    async def begin_parts(self, key: str) -> str:
        answer = await self._call("POST", key, query={"uploads": ""})
        return _told(answer.body.decode() if answer is not None else "", "UploadId")

    async def put_part(self, key: str, upload: str, number: int, body: bytes) -> str:
        """Its tag, to be named at the end."""
        answer = await self._call("PUT", key, query={"partNumber": str(number), "uploadId": upload}, body=body)
        return html.escape("" if answer is None else answer.headers.get("ETag", ""), quote=False)

    async def end_parts(self, key: str, upload: str, tags: list[str]) -> None:
        parts = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>" for number, tag in enumerate(tags, 1))
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = await self._call("POST", key, query={"uploadId": upload}, body=body)
        # A store may answer 200 and say only afterwards that it did not work.
        if answer is None or b"<CompleteMultipartUploadResult" not in answer.body:
            raise StorageError("object store: the parts were not put together")

    async def abandon_parts(self, key: str, upload: str) -> None:
        await self._call("DELETE", key, query={"uploadId": upload}, missing_is_fine=True)

    # ------------------------------------------------------------------------------------------------------------ calls

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise StorageError("object store: closed")
        return self._session

    async def _call(
        self,
        method: str,
        key: str | None,
        *,
        query: Mapping[str, str] = MappingProxyType({}),
        body: bytes = b"",
        headers: Mapping[str, str] = MappingProxyType({}),
        fine: tuple[int, ...] = (),
        missing_is_fine: bool = False,
    ) -> _Answer | None:
        """None: missing. Made again when it failed for the moment."""
        for pause in (*_PAUSES, None):
            try:
                answer = await self._once(method, key, query, body, headers)
            except (aiohttp.ClientError, TimeoutError) as error:
                if pause is None:
                    raise _unreached(method, error) from error
                answer = None
            if answer is not None and answer.status == _NOT_FOUND and missing_is_fine:
                return None
            if answer is not None and (200 <= answer.status < 300 or answer.status in fine):
                return answer
            if answer is not None and (answer.status not in _LATER or pause is None):
                raise _refusal(method, answer.status)
            await asyncio.sleep(pause or 0)
        raise AssertionError("unreachable")

    async def _once(self, method: str, key: str | None, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]) -> _Answer:
        url, signed = self._signed(method, key, query, body)
        call = self._opened().request(method, url, headers=signed | dict(headers), data=body or None)
        async with asyncio.timeout(_CALL_SECONDS), call as answer:
            told = bytearray()
            async for block in answer.content.iter_chunked(_BLOCK):
                told += block
                if len(told) > _LONGEST_ANSWER:
                    raise StorageError("object store: an answer without an end")
            return _Answer(answer.status, answer.headers, bytes(told))

    def _signed(self, method: str, key: str | None, query: Mapping[str, str], body: bytes) -> tuple[URL, dict[str, str]]:
        path = f"/{self._place.bucket}" + ("" if key is None else f"/{quote(self._place.prefix + key, safe='-_.~/')}")
        asked = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(query.items()))
        payload = hashlib.sha256(body).hexdigest()
        headers = signed_headers(
            self._credentials, self._place.region, time.time(), method=method, host=self._host, path=path, query=asked, payload=payload
        )
        if body:
            # The store compares what it got with this: what was damaged on the way is refused.
            headers["Content-MD5"] = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        url = URL(f"{self._place.endpoint}{path}" + (f"?{asked}" if asked else ""), encoded=True)
        return url, headers


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def signed_headers(
    credentials: Credentials, region: str, at: float, *, method: str, host: str, path: str, query: str, payload: str
) -> dict[str, str]:
    """`path` and `query` encoded and sorted; `payload`: SHA-256 in hexadecimal. Amazon S3 API Reference, "Signature Calculations for
    the Authorization Header"."""
    moment = dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    headers = {"host": host, "x-amz-content-sha256": payload, "x-amz-date": moment}
    names = ";".join(headers)
    canonical = "\n".join((method, path, query, *(f"{name}:{value}" for name, value in headers.items()), "", names, payload))
    to_sign = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{credentials.secret}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"{credentials.key_id}/{scope}"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={names},Signature={signature}"
    return {"Host": host, "x-amz-content-sha256": payload, "x-amz-date": moment, "Authorization": authorization}


def _refusal(method: str, status: int) -> StorageError:
    kind = StorageFullError if status == _FULL else StorageError
    return kind(f"object store: {method} was answered with {status}")


def _unreached(method: str, error: Exception) -> StorageError:
    return StorageError(f"object store: {method}: {type(error).__name__}")


def _told(text: str, name: str) -> str:
    """What stands in the first element of that name."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return html.unescape(found[1]) if found is not None else ""
