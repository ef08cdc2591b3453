"""How pages are to be for one person."""

from __future__ import annotations

import contextvars
import datetime as dt

import jinja2
import pytest

from gateway.web import view
from gateway.web.view import View


def seen(chosen: View, what):
    def inside():
        view.use(chosen)
        return what()

    return contextvars.copy_context().run(inside)


@pytest.mark.parametrize("chosen", [View(), View("en"), View(era=False), View(look="dark", large=True), View(look="light", mails=True)])
def test_what_was_chosen_is_kept(chosen: View) -> None:
    assert view.read(chosen.written) == chosen


def test_a_word_that_nobody_knows_says_nothing() -> None:
    assert view.read("purple en <script>") == View("en")


@pytest.mark.parametrize(
    ("moment", "era", "western"),
    [
        ((2026, 11, 20), "令和8年11月20日", "2026-11-20"),
        ((2019, 5, 1), "令和元年5月1日", "2019-05-01"),
        ((2019, 4, 30), "平成31年4月30日", "2019-04-30"),
        ((1980, 1, 2), "1980-01-02", "1980-01-02"),
    ],
)
def test_days_in_both_calendars(moment: tuple[int, int, int], era: str, western: str) -> None:
    at = dt.datetime(*moment, 12).astimezone().timestamp()
    assert seen(View(), lambda: view.day(at)) == era
    assert seen(View(era=False), lambda: view.day(at)) == western
    assert seen(View("en"), lambda: view.when(at)) == f"{western} 12:00"


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("保留（理由：形式） / held: its kind", "held: its kind"),
        ("a / b", "a / b"),
        ("種類（甲 / 乙） / kind", "kind"),
        ("マクロ（除去） / macro (removed)：様式.bin", "macro (removed)：様式.bin"),
        ("日本語だけ", "日本語だけ"),
        ("", ""),
        ("2026/11/20の資料", "2026/11/20の資料"),
    ],
)
def test_of_two_languages_one(text: str, english: str) -> None:
    assert seen(View("en"), lambda: view.said(text)) == english
    assert view.said(text) == text


@pytest.mark.parametrize(
    ("source", "english"),
    [
        ('<h1>受取箱 <span class="en" lang="en">Pick up</span></h1>', "<h1>Pick up</h1>"),
        ('<p>{{ n }}日間 <span lang="en">for {{ n }} days.</span></p>', "<p>for 3 days.</p>"),
        ('{% if n %}はい <span class="en">Yes</span>{% else %}いいえ <span class="en">No</span>{% endif %}', "Yes"),
        ('大きい<br><span class="en">Large</span>', "Large"),
        ('<b>名</b> 前後 <span lang="en">around</span> after', "<b>名</b> around after"),
        ("日本語だけ", "日本語だけ"),
    ],
)
def test_a_template_says_one_or_both(source: str, english: str) -> None:
    made = jinja2.Environment().from_string(view.template(source))
    assert made.render(english=lambda: True, n=3) == english
    assert made.render(english=lambda: False, n=3) == jinja2.Environment().from_string(source).render(n=3)


@pytest.mark.parametrize(
    ("template", "japanese", "english"),
    [
        ('{{ row.ja }} <span class="en" lang="en">{{ row.en }}</span>', '課 <span class="en" lang="en">office</span>', "office"),
        ('<b>{{ words[0] }} <span lang="en">/ {{ words[1] }}</span></b>', '<b>通す <span lang="en">/ release</span></b>', "<b>release</b>"),
        ('{{ row.ja }} <span class="en">{{ other.en }}</span>', '課 <span class="en">else</span>', '課 <span class="en">else</span>'),
    ],
)
def test_a_pair_of_values_is_a_choice_too(template: str, japanese: str, english: str) -> None:
    given = {"row": {"ja": "課", "en": "office"}, "words": ("通す", "release"), "other": {"en": "else"}, "english": view.english}
    made = jinja2.Template(view.template(template))
    assert seen(View(), lambda: made.render(given)) == japanese
    assert seen(View("en"), lambda: made.render(given)) == english
