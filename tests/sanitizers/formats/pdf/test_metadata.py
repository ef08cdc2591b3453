"""Metadata of PDF: title, keywords and marks of a classification go along, persons and programs stay behind."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Dictionary, Name, Pdf, String

from sanitizers.context import Outcome
from sanitizers.model import Verdict
from tests.build import pdf as build
from tests.build import pdf_views as views
from tests.build.context import run

LABEL = "MSIP_Label_0f1e2d3c-0000-4000-8000-000000000001"
KEPT = {
    "Title": "会議資料", "Subject": "第3回", "Keywords": "情報公開; 審議会", f"{LABEL}_Name": "自治体機密性2", f"{LABEL}_Enabled": "true",
    f"{LABEL}_SiteId": "00000000-0000-4000-8000-000000000002", "情報分類": "機密性2", "Classification": "restricted", "SensitivityLabel": "2",
}
IMPERSONAL = {"Creator": "Writer", "Producer": "LibreOffice 7.4", "CreationDate": "D:20261120", "ModDate": "D:20261120", "Trapped": "x"}
PERSONAL = {"Author": "小諸 太郎", "Company": "小諸市", "Manager": "x", "LastSavedBy": "y", f"{LABEL}_Owner": "taro@town.example.jp"}
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{doctype}
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfx="http://ns.adobe.com/pdfx/1.3/" pdf:Keywords="語一"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">題名</rdf:li></rdf:Alt></dc:title>
<pdfx:{label}_Name>自治体機密性3</pdfx:{label}_Name><pdfx:{label}_Owner>{canary}</pdfx:{label}_Owner><pdfx:Company>{canary}</pdfx:Company>
{more}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def informed(entries: dict[str, str], xmp: str = "") -> bytes:
    document = build.clean()
    for key, value in entries.items():
        document.docinfo[f"/{key}"] = String(value)
    if xmp:
        document.Root.Metadata = document.make_stream(xmp.encode(), Type=Name.Metadata, Subtype=Name.XML)
    return build.saved(document)


def information(outcome: Outcome) -> dict[str, str]:
    assert outcome.content is not None, outcome.report.findings
    with pikepdf.open(io.BytesIO(outcome.content.bytes())) as document:
        assert "/Metadata" not in document.Root
        return {key[1:]: str(value) for key, value in document.docinfo.items()}


def reported(outcome: Outcome) -> dict[str, str]:
    return {finding.code: finding.detail for finding in outcome.report.findings}


def test_title_and_classification_stay_without_a_word() -> None:
    outcome = run(informed(KEPT | IMPERSONAL), "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert information(outcome) == KEPT


def test_policy_says_which_properties_stay() -> None:
    outcome = run(informed({**KEPT, "文書番号": "総第5号", "Author": "x"}, written()), "a.pdf", pdf_properties_kept=("Subject", "文書番号"))
    kept = information(outcome)
    assert kept.keys() == KEPT.keys() - {"Title", "Keywords"} | {"文書番号"}
    assert reported(outcome) == {"file.metadata": "Author, Keywords, Title, XMP"}


@pytest.mark.parametrize("key", PERSONAL)
def test_a_person_is_left_behind_and_reported(key: str) -> None:
    outcome = run(informed({**KEPT, key: PERSONAL[key]}), "a.pdf")
    assert reported(outcome) == {"file.metadata": key}
    assert information(outcome) == KEPT


def written(**parts: str) -> str:
    return XMP.format(**{"doctype": "", "more": "", "label": LABEL, "canary": build.CANARY, **parts})


def test_a_mark_that_only_xmp_bears_moves_to_the_information(tmp_path: Path) -> None:
    outcome = run(informed({}, written()), "a.pdf")
    assert information(outcome) == {"Title": "題名", "Keywords": "語一", f"{LABEL}_Name": "自治体機密性3"}
    assert reported(outcome) == {"file.metadata": "XMP"}
    assert outcome.content is not None
    assert build.CANARY.encode() not in views.everything(outcome.content.bytes(), tmp_path)


def test_what_the_information_says_comes_first() -> None:
    kept = information(run(informed({"Title": "表題", f"{LABEL}_Name": "機密性2"}, written()), "a.pdf"))
    assert (kept["Title"], kept[f"{LABEL}_Name"]) == ("表題", "機密性2")


@pytest.mark.parametrize("person", ["dc:creator", "pdf:Author", "dc:contributor"])
def test_xmp_with_a_person_is_reported(person: str) -> None:
    assert reported(run(informed({}, written(more=f"<{person}>x</{person}>")), "a.pdf"))["file.metadata"] == "XMP"


def test_xmp_with_a_document_type_is_not_read() -> None:
    outcome = run(informed({}, written(doctype='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>')), "a.pdf")
    assert information(outcome) == {}
    assert "pdf.metadata" in reported(outcome)


@pytest.mark.parametrize("xmp", ["<broken", "x" * (2 << 20), "<a/>"])
def test_xmp_that_says_nothing_is_dropped_in_silence(xmp: str) -> None:
    outcome = run(informed({"Title": "表題"}, xmp), "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN
    assert information(outcome) == {"Title": "表題"}


def test_values_that_are_no_text_stay_behind() -> None:
    document: Pdf = build.clean()
    document.trailer.Info = document.make_indirect(Dictionary(Title=Dictionary(JS=String(build.CANARY)), Classification=Name.x))
    assert information(run(build.saved(document), "a.pdf")) == {}
