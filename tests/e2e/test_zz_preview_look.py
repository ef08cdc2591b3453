import os
from pathlib import Path
import pytest
from tests.build import previews
from tests.build.face import quick_passwords, town
from tests.build.faces_served import log_in, served
from tests.e2e.browser import page, picture
from gateway.model import Door
C=Path("/work/shared/corpus")
async def test_look(tmp_path, monkeypatch):
    quick_passwords(monkeypatch)
    async with town(tmp_path) as place:
        for l in ("tanaka","sousa"): await place.known(l)
        pdfs=sorted(C.rglob("*.pdf"), key=lambda p:p.stat().st_size)
        pdf=[p for p in pdfs if p.name=="jo.pdf"][0]
        n={}
        n["pdf"]=await previews.through(place,pdf.read_bytes(),"広報.pdf")
        n["hostile"]=await previews.through(place,previews.reaching_pdf(),previews.HOSTILE_NAME)
        n["docx"]=await previews.through(place,previews.reaching_document(),"通知.docm")
        n["mail"]=await previews.through(place,previews.reaching_mail((previews.reaching_pdf(),b"shiryo.pdf"),(previews.reaching_drawing(),b"zu.svg")),"message.eml",sender="a@example.jp",door=Door.SMTP)
        xls=sorted(C.rglob("*.xls"))[3]
        n["xls"]=await previews.through(place,xls.read_bytes(),"集計表.xls")
        async with served(place,"admin") as address, page() as shown:
            await log_in(shown,address,"sousa")
            for k,v in n.items():
                for t in ("preview","preview/original","preview/original?view=parts","preview/original?view=bytes","preview/result"):
                    a=await shown.goto(f"{address}/transfers/{v}/{t}")
                    print(k,t,a.status, shown.url[-40:])
                    await shown.wait_for_load_state("networkidle")
                    await shown.screenshot(path=f"/tmp/preview/shots/{k}-{t.replace('/','_').replace('?','_')}.png", full_page=True)
            await shown.goto(f"{address}/transfers/{n['pdf']}")
            await shown.screenshot(path="/tmp/preview/shots/one.png", full_page=True)
