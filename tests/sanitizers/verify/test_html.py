"""The second opinion on web pages refuses whatever the sanitizer would never write."""

from __future__ import annotations

import pytest

from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import html
from sanitizers.verify.html import verify
from tests.build.context import context

START = '<!DOCTYPE html>\n<html lang="ja">\n<head>\n<meta charset="utf-8">\n<title>回覧</title>\n</head>\n<body>\n'
END = "\n</body>\n</html>\n"


def check(body: str | bytes, start: str = START, end: str = END) -> None:
    data = body if isinstance(body, bytes) else f"{start}{body}{end}".encode()
    verify(Source(data), Source(b""), context("a.html", Kind.HTML, link_schemes=("https", "mailto")))


@pytest.mark.parametrize(
    "body",
    [
        "", "<p>本文 a</p>", '<p style="color: red" title="x">a<br>b</p>', '<a href="https://a.jp/" rel="noopener noreferrer">a</a>',
        '<a href="#top" rel="noopener noreferrer">a</a>', '<a href="mailto:a@b.jp" rel="noopener noreferrer">a</a>',
        '<table border="1"><tbody><tr><td colspan="2">1</td></tr></tbody></table>', "<p>a &lt;script&gt; b &amp; c</p>",
    ],
)  # fmt: skip
def test_a_plain_page_passes(body: str) -> None:
    check(body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<script>x</script>", "element script"), ("<img src=x>", "element img"), ("<iframe></iframe>", "element iframe"), ("<form></form>", "element form"),
        ("<svg></svg>", "element svg"), ("<meta>", "element meta"), ("<html>", "element html"), ('<p onclick="x">a</p>', "attribute onclick of p"),
        ('<p src="x">a</p>', "attribute src"), ('<p style="background: url(x)">a</p>', "load or run"), ('<p style="width: expression(1)">a</p>', "load or run"),
        ('<p style="a\\62">a</p>', "load or run"), ('<p style="/* */">a</p>', "load or run"), ("<!-- x -->", "comment"), ("<!ELEMENT a>", "comment|declaration"),
        ("<!DOCTYPE a>", "declaration"), ("<?xml a?>", "instruction"), ("<![if a]>", "section|comment"), ("<![CDATA[x]]>", "section|comment"),
        ('<a href="javascript:x">a</a>', "link to"), ('<a href="java\nscript:x">a</a>', "link to"), ('<a href="http://a">a</a>', "link to"),
        ('<a href="//a.jp">a</a>', "link to"), ('<a href="\\\\a">a</a>', "link to"), ('<a href=" /\t/a">a</a>', "link to"),
        ('<a href="JAVASCRIPT&colon;x">a</a>', "link to"), ("<table><tr><td>b</td></tr>a</table>", "second cleaner"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(body: str, why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        check(body)


def test_a_page_without_a_scheme_in_its_links_stays_where_it_is() -> None:
    check('<a href="a/b?c:d" rel="noopener noreferrer">a</a>')
    check("<a href>a</a>".replace("href", 'href=""'))


def test_an_attribute_may_be_without_a_value() -> None:
    for body in ("<p style>a</p>", "<a href>a</a>", "<p hidden>a</p>"):
        assert html._walked(body, ()).words == ["a"]


@pytest.mark.parametrize("body", ["<b><p>a</b></p>", "<p>a\x00b</p>", "<p>a</p><script", "<p>a</p>b<!-"])
def test_what_another_cleaner_reads_otherwise_is_refused(body: str) -> None:
    """Other elements, other letters, or a beginning of something at the end."""
    with pytest.raises(VerificationFailed, match="second cleaner"):
        check(body)


def test_a_section_of_another_language_is_refused() -> None:
    walk = html._Walk(())
    for call in (walk.unknown_decl, walk.handle_decl, walk.handle_pi, walk.handle_comment):
        with pytest.raises(VerificationFailed):
            call("x")


@pytest.mark.parametrize(("start", "end"), [("<html>", END), (START.replace("utf-8", "cp932"), END), (START, END + "x"), (START, ""), (START.replace("回覧", "<b>"), END)])
def test_another_frame_is_refused(start: str, end: str) -> None:
    with pytest.raises(VerificationFailed, match="not our frame"):
        check("<p>a</p>", start, end)


def test_a_page_that_is_not_in_utf_8_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="not UTF-8"):
        check(f"{START}日本{END}".encode("cp932"))


# What a rebuilt page may be made of (HTML, element index), and what each may say.
ELEMENTS = """
a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure footer
h1 h2 h3 h4 h5 h6 header hgroup hr i ins kbd li main mark nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td
tfoot th thead time tr tt u ul var wbr
""".split()
ATTRIBUTES = """
href rel title lang dir id style hidden align valign colspan rowspan span scope start value type datetime border width cellpadding cellspacing
""".split()
OTHERS = """
applet area audio base basefont body button canvas data datalist dialog embed fieldset font form frame frameset head html iframe img input label legend link
map marquee math menu meta meter noscript object optgroup option output param picture progress script select slot source style svg template textarea title
track video
""".split()


def test_each_element_and_attribute_is_listed_or_refused() -> None:
    for tag in ELEMENTS:
        assert html._walked(f"<{tag}>", ()).tags == [tag]
    for name in ATTRIBUTES:
        html._walked(f'<p {name}="x">', ())
    for tag in OTHERS:
        with pytest.raises(VerificationFailed, match=f"element {tag}"):
            html._walked(f"<{tag}>", ())
    for name in ("src", "srcset", "onclick", "onload", "action", "formaction", "background", "poster", "data", "class", "name", "target", "xmlns", "srcdoc", "ping"):
        with pytest.raises(VerificationFailed, match=f"attribute {name}"):
            html._walked(f'<p {name}="x">', ())
