"""Errors as RFC 9457 problem details: a title in two languages, never a stack trace, a path or a version.

A machine is told in JSON, a person who follows a link in a browser by a page that says the same.
"""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.storage.faults import BlobDamagedError, BlobMissingError, StorageError
from gateway.telemetry import log
from gateway.web import view

_log = log.get(__name__)

_TYPE: Final = "application/problem+json"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_TITLES: Final = {
    400: ("正しくない要求です", "bad request"),
    401: ("ログインが必要です", "log-in required"),
    403: ("権限がありません", "not permitted"),
    404: ("見つかりません", "not found"),
    405: ("使えない操作です", "method not allowed"),
    409: ("いまはその操作ができません", "not possible in this state"),
    410: ("受取りの期限が過ぎています", "its time is over"),
    412: ("この版には対応していません", "another version is spoken here"),
    413: ("ファイルの上限を超えています", "larger than the limit"),
    415: ("この形式では受け付けていません", "unsupported media type"),
    422: ("この内容では処理できません", "cannot be done with this"),
    429: ("しばらくしてからもう一度お試しください", "too many requests"),
    500: ("処理できませんでした", "could not be done"),
    503: ("いまは受け付けられません", "not accepting now"),
}


def problem(status: int, detail: str = "", **members: object) -> web.Response:
    """One problem; `members` such as receipt_no go along."""
    ja, en = _TITLES.get(status, _TITLES[500])
    body = {"type": "about:blank", "status": status, "title": f"{ja} / {en}", "detail": detail, **members}
    return web.json_response({key: value for key, value in body.items() if value not in ("", None)}, status=status,
                             content_type=_TYPE)  # fmt: skip


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error of every handler leaves as a problem; what went wrong with us stays in the log."""
    answer = await _answered(request, handler)
    if isinstance(answer, web.Response) and answer.content_type == _TYPE and _is_page(request):
        return _page(answer)
    return answer


def _is_page(request: web.Request) -> bool:
    """Whether a person looks at it: only a browser that goes somewhere says that it takes HTML."""
    return not request.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


def _page(answer: web.Response) -> web.Response:
    """The same problem for the eye. No template: this has to stand when nothing else does."""
    told = json.loads(answer.text or "{}")
    title, detail = (html.escape(view.said(told.get(name, ""))) for name in ("title", "detail"))
    number = html.escape(str(told.get("receipt_no", "")))
    receipt, language = view.said("受付番号 / Receipt").partition(" / ")[0], view.now().language
    home = "Home" if view.english() else 'ホームへ戻る <span class="en" lang="en">Home</span>'
    name = "Sekisho" if view.english() else '関所 <span class="en" lang="en">Sekisho</span>'
    answer.text = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{title}</title><link rel="stylesheet" href="/static/sekisho.css"></head><body>'
        f'<header><strong>{name}</strong></header><main id="content">'
        f"<h1>{title}</h1>{f'<p>{detail}</p>' if detail else ''}{f'<p>{receipt} {number}</p>' if number else ''}"
        f'<p><a href="/">{home}</a></p></main></body></html>'
    )
    answer.content_type = "text/html"
    return answer


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        response = problem(error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except (HttpProcessingError, ConnectionError):
        # A body that its own headers belie, or a client that is gone in the middle of its request: no fault of ours.
        return problem(400)
    except (BlobDamagedError, BlobMissingError):
        _log.exception("a file is not what was stored", method=request.method)
        return problem(500)
    except StorageError as error:
        _log.error("a store failed", error=str(error))
        return problem(503)
    except Exception:  # noqa: BLE001 - the last net of a face: the client learns nothing of our insides
        _log.exception("a request failed", method=request.method, route=str(request.match_info.route.resource))
        return problem(500)
