"""HTML becomes text that reads well and loses no visible letter."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizers.formats.message import links
from sanitizers.formats.message.htmltext import render
from sanitizers.formats.message.links import defang, misleads

SCHEMES = ("http", "https", "mailto", "tel")


def shown(html: str) -> str:
    return render(html, SCHEMES).text


def test_a_page_too_deep_to_read_loses_its_tags_and_says_so() -> None:
    told = render("<div>" * 100_000 + "<script>x()</script>本文<td>a</td><iframe src=x>", SCHEMES)
    assert told.text == "本文 a"
    assert told.met["active"] == 2


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("一<hr>二", "一\n" + "─" * 20 + "\n二"),
        ("<a href='//a.jp/x'>押す</a>", "押す〈http://a.jp/x〉"),
        ("<base href='http://[x'><a href='y'>押す</a>", "押す"),
        ("<pre>a<b>b</b>\nc</pre>", "ab\nc"),
        ("<h1>見出し</h1><p>一<b>二</b>三<br>四</p>五", "見出し\n\n一二三\n四\n\n五"),
        ("<ul><li>一<li>二<ul><li>三</ul></ul>", "・一\n・二\n  ・三"),
        ("<ol start=3><li>x<li><p>y</p></ol>", "1. x\n2. y"),
        ("<table><tr><th>A<th>B<tr><td>1<td>2</table>", "A | B\n1 | 2"),
        ("<table><tr><td><p>左</p><td><p>右</p></table>", "左\n\n右"),
        ("<blockquote>一<br>二</blockquote>三", "> 一\n> 二\n\n三"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("a\n   b&nbsp;c", "a b c"),
        ("全角　空白", "全角　空白"),
        ('<a href="https://a.jp/x">ここ</a>', "ここ〈https://a.jp/x〉"),
        ('<a href="https://a.jp/">a.jp</a>', "a.jp"),
        ('<a href="mailto:x@a.jp">x@a.jp</a>', "x@a.jp"),
        ('<a href="#top">上へ</a>', "上へ"),
        ('<base href="https://a.jp/"><a href="b">x</a>', "x〈https://a.jp/b〉"),
        ('<img alt="ロゴ"><img alt="">', "［ロゴ］"),
        ('<input value="氏名"><input type=hidden value=secret>', "氏名"),
        ("<noscript>スクリプト無効</noscript>", "スクリプト無効"),
        ("<svg><text>図</text><script>x</script></svg>", "図"),
        ("<!--[if mso]>A<![endif]--><![if !mso]>B<![endif]>", "B"),
        ("<plaintext><b>x", "<b>x"),
        ("<title>t</title><style>p{}</style><template>n</template>v", "v"),
    ],
)
def test_reads_well(html: str, text: str) -> None:
    assert shown(html) == text


@pytest.mark.parametrize(
    "style",
    [
        "display:none", "DISPLAY : none", "visibility:hidden", "font-size:0", "font-size: 0px;", "opacity:0", "mso-hide:all",
        "max-height:0;overflow:hidden", "width: 0px; overflow : hidden", "text-indent:-9999px", "position:absolute;left:-5000px",
    ],
)
def test_hidden_text_is_left_out(style: str) -> None:
    rendered = render(f'<p>a<span style="{style}">hidden</span>b</p>', SCHEMES)
    assert (rendered.text, rendered.met["hidden"]) == ("ab", 1)


@pytest.mark.parametrize("style", ["font-size:0.9em", "opacity:0.5", "font-size:10px", "display:block", "overflow:hidden", "line-height:0.5", "max-height:0.5em;overflow:hidden", "margin-left:-999px"])
def test_visible_text_stays(style: str) -> None:
    assert shown(f'<span style="{style}">seen</span>') == "seen"


@pytest.mark.parametrize(
    ("html", "what"),
    [
        *((f"<{tag}></{tag}>", "active") for tag in ("script", "iframe", "object", "embed", "applet", "form")),
        ("<frameset><frame src=x></frameset>", "active"),
        ("<p onclick=x()>a</p>", "active"),
        ("<meta http-equiv=refresh content='0;url=http://a.jp'>", "active"),
        ("<img src=http://a.jp/x.gif>", "remote_image"),
        ("<img src=//a.jp/x.gif>", "remote_image"),
        ("<table><tr><td background=http://a.jp/x.gif>", "remote_image"),
        ("<img src=data:image/gif;base64,R0>", "inline_image"),
        ("<a href=javascript:x()>a</a>", "active_link"),
        ("<a href=' java\tscript:x()'>a</a>", "active_link"),
        ("<a href=file:///c:/x>a</a>", "active_link"),
    ],
)
def test_what_was_left_out_is_counted(html: str, what: str) -> None:
    met = render(f"<body>{html}", SCHEMES).met if "frameset" not in html else render(html, SCHEMES).met
    assert set(met) == {what}


MARK = "〔※背景と同じ色の文字〕"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('a<span style="color:#fff">b</span>c', f"ab{MARK}c"),
        ("<font color=white>b</font>", f"b{MARK}"),
        ('<p style="COLOR: rgb(255, 255, 255) !important">b</p>', f"b{MARK}"),
        ('<div style="color:white"><p>a<p>b</div>c', f"a\n\nb\n\n{MARK}\nc"),
        ('<p style="color:#333;background-color:#333333">b</p>', f"b{MARK}"),
        ("<body bgcolor=black text=white>a<p style='background:#fff'>b</p>", f"a\n\nb{MARK}"),
        ("<table bgcolor=#000000><tr><td><font color=white>b</font></table>", "b"),
        ("<div style='background:url(x.png);color:white'>b</div>", "b"),
        ("<div background=x.png style='color:white'>b</div>", "b"),
        ("<font color=white><a href='https://a.jp/'>a.jp</a></font>", "a.jp"),
        ("<p style='color:white'> </p>b", "b"),
        ("<p style='color:nosuch;background:none'>b</p>", "b"),
        ("<p style='color:rgba(255,255,255,0.5)'>b</p>", "b"),
    ],
)
def test_text_in_the_colour_of_its_background_is_shown_and_marked(html: str, text: str) -> None:
    assert shown(html) == text


@pytest.mark.parametrize(
    ("html", "letters"),
    [
        ("<div>" * 5000 + "text", "text"),
        ("<div>" * 100_000 + "text", "text"),
        ("<wbr>x" * 50_000, "x" * 50_000),
        ("<!--" * 200_000 + "x", ""),
        ("<ul><li>x" * 2000, "x" * 2000),
        ("<b>x" * 3000, "x" * 3000),
        ("<table><tr><td>x" * 1000, "x" * 1000),
        ("<td colspan=1000000>x", "x"),
        ("<script>" * 50_000 + "x", ""),
        ("x" * 1_000_000, "x" * 1_000_000),
    ],
)
def test_depth_and_floods_lose_nothing(html: str, letters: str) -> None:
    assert "".join(re.findall(r"[a-z]", shown(html))) == letters


_INLINE = st.sampled_from(["b", "i", "span", "a", "font", "u"])
_BLOCK = st.sampled_from(["p", "div", "li", "td", "table", "ul", "h1", "pre", "blockquote", "center"])


@given(st.lists(st.one_of(st.text("abcあ漢 \n&<>", max_size=5), st.tuples(st.booleans(), st.one_of(_INLINE, _BLOCK))), max_size=40))
def test_no_visible_letter_is_lost(pieces: list[str | tuple[bool, str]]) -> None:
    html, letters = [], []
    for piece in pieces:
        if isinstance(piece, str):
            escaped = piece.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            html.append(escaped)
            letters += re.findall(r"\w", piece)
        else:
            html.append(f"<{'/' if piece[0] else ''}{piece[1]}>")
    # The parser moves text out of tables (foster parenting), so the letters are compared as a set with counts.
    assert sorted(re.findall(r"\w", shown("".join(html)))) == sorted(letters)


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("詳細はhttps://例え.jp/a.bを", "詳細はhxxps://例え[.]jp/a.bを"),
        ("HTTP://A.B", "hxxp://A[.]B"),
        ("1http://a.b", "1hxxp://a[.]b"),
        ("(www.a.jp)", "(www[.]a[.]jp)"),
        ("file:///c:/x", "file[:]///c:/x"),
        ("ms-word:ofe|u|https://a.b/x", "ms-word[:]ofe|u|hxxps://a[.]b/x"),
        ("\\\\server\\share", "[\\\\]server\\share"),
        ("TEL: 03-1234-5678 件名:再送 10:30 C:\\x", "TEL: 03-1234-5678 件名:再送 10:30 C:\\x"),
        ("hxxps://a[.]b/", "hxxps://a[.]b/"),
    ],
)
def test_defanging_is_readable_and_final(text: str, inert: str) -> None:
    assert defang(text).text == inert
    assert defang(inert) == (inert, 0)


@given(st.text("htps:/w.@[]\\ax-あ ", max_size=40))
def test_defanging_twice_is_once(text: str) -> None:
    assert defang(defang(text).text).links == 0


@pytest.mark.parametrize(
    ("text", "target", "wrong"),
    [
        ("https://bank.example/", "http://evil.example/", True),
        ("bank.example", "http://bank.example.evil.jp/", True),
        ("www.bank.example", "https://login.bank.example/x", False),
        ("こちら", "http://evil.example/", False),
        ("https://bank.example/", "http://bank.example@evil.jp/", True),
    ],
)
def test_text_that_names_another_target(text: str, target: str, wrong: bool) -> None:
    assert misleads(text, target) is wrong


def test_links_inside_links_without_end_lose_what_makes_them_links(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "-ms-a://ms-a:callto:\\\\www.file:/\\\\ http://a.jp/ www.b.jp"
    assert defang(defang(text).text).links == 0
    monkeypatch.setattr(links, "ROUNDS", 1)
    told = defang(text)
    assert told.links
    assert "://" not in told.text
    assert "www." not in told.text
