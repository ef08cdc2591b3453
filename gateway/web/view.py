"""How pages are to be for one person: Japanese first or English alone, 和暦 or the western calendar, light, dark, large.

Templates say everything twice, `日本語 <span class="en" lang="en">English</span>`, and code says `日本語 / English`; this module is
where one of the two is chosen. It is set once for each request by the guard of a face (`signin`), and holds for what that request is
answered with.
"""

from __future__ import annotations

import datetime as dt
import re
from contextvars import ContextVar
from typing import Final, Literal, NamedTuple

_JAPANESE: Final = r"[぀-ヿ㐀-鿿＀-｠]"
# Text of a template up to its English in a span of its own; a `{{ … }}` may stand in it, a tag or a `{% … %}` may not.
_PAIR: Final = re.compile(
    r"(?P<ja>(?:[^<>{}%]|\{\{[^{}]*\}\})*" + _JAPANESE + r"(?:[^<>{}%]|\{\{[^{}]*\}\})*)(?P<gap>(?:<br>)?\s*)"
    r'(?P<span><span(?: class="en")?(?: lang="en")?>)(?P<en>[^<]*)</span>'
)
# The same where both come from a value: `{{ row.ja }} <span>{{ row.en }}</span>`, `{{ words[0] }} <span>/ {{ words[1] }}</span>`.
_BOTH: Final = re.compile(
    r'\{\{ (?P<whose>[\w.]+)(?:\.ja|\[0\]) \}\}\s*<span(?: class="en")?(?: lang="en")?>'
    r"(?P<en>(?:/ )?\{\{ (?P=whose)(?:\.en|\[1\]) \}\})</span>"
)
_BETWEEN: Final = re.compile(" / ")
_HAS_JAPANESE: Final = re.compile(_JAPANESE)
_BEGINNINGS: Final = ((dt.date(2019, 5, 1), "令和"), (dt.date(1989, 1, 8), "平成"))


class View(NamedTuple):
    """`era`: dates in 和暦; `look`: empty follows the machine; `large`: letters a quarter larger; `mails`: a mail at each log-in."""

    language: Literal["ja", "en"] = "ja"
    era: bool = True
    look: Literal["", "light", "dark"] = ""
    large: bool = False
    mails: bool = False

    @property
    def written(self) -> str:
        """As it is kept with an account."""
        words = {"en": self.language == "en", "western": not self.era, "light": self.look == "light", "dark": self.look == "dark",
                 "large": self.large, "mails": self.mails}  # fmt: skip
        return " ".join(word for word, holds in words.items() if holds)


_DEFAULT: Final = View()
_view: Final[ContextVar[View]] = ContextVar("view", default=_DEFAULT)


def read(preferences: str) -> View:
    """What was kept; a word that nobody knows says nothing."""
    words = set(preferences.split())
    look: Literal["", "light", "dark"] = "dark" if "dark" in words else "light" if "light" in words else ""
    return View("en" if "en" in words else "ja", "western" not in words, look, "large" in words, "mails" in words)


def now() -> View:
    """Of the request that is being answered."""
    return _view.get()


def english() -> bool:
    """Whether Japanese is not wanted at all."""
    return now().language == "en"


def use(view: View) -> None:
    """From here on, in this request."""
    _view.set(view)


def template(source: str) -> str:
    """A template in which each pair is a choice: both with the Japanese first, or the English alone, as it runs on."""
    return _PAIR.sub(_choice, _BOTH.sub(_one_of_both, source))


def _one_of_both(pair: re.Match[str]) -> str:
    return f"{{% if english() %}}{pair['en'].removeprefix('/ ')}{{% else %}}{pair[0]}{{% endif %}}"


def _choice(pair: re.Match[str]) -> str:
    ja = pair["ja"]
    lead = ja[: len(ja) - len(ja.lstrip())]
    both = f"{ja.lstrip()}{pair['gap']}{pair['span']}{pair['en']}</span>"
    return f"{lead}{{% if english() %}}{pair['en'].strip().removeprefix('/ ')}{{% else %}}{both}{{% endif %}}"


def said(text: object) -> str:
    """`日本語 / English`, or its English alone where that is wanted."""
    whole = str(text)
    if now().language == "ja":
        return whole
    places = [place.start() for place in _BETWEEN.finditer(whole) if _HAS_JAPANESE.search(whole[: place.start()])]
    # What a person wrote may stand in the English too, and may hold the same sign.
    place = next((one for one in places if not _HAS_JAPANESE.search(whole[one:])), next(iter(places), None))
    return whole if place is None else whole[place + 3 :]


def day(at: float) -> str:
    """令和8年11月20日, or 2026-11-20, in the installation's own time zone."""
    date = dt.datetime.fromtimestamp(at, dt.UTC).astimezone().date()
    era = next(((first, name) for first, name in _BEGINNINGS if date >= first), None)
    if now().language == "en" or not now().era or era is None:
        return date.isoformat()
    year = date.year - era[0].year + 1
    return f"{era[1]}{'元' if year == 1 else year}年{date.month}月{date.day}日"


def when(at: float) -> str:
    """Day and time."""
    return f"{day(at)} {dt.datetime.fromtimestamp(at, dt.UTC).astimezone():%H:%M}"
