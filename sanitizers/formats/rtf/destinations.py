"""Destinations: groups that mean something other than text where they stand (RTF 1.9.1, appendix B), and what becomes of each."""

from __future__ import annotations

from typing import Final

# Copied word by word like the text around them.
KEPT: Final = frozenset(
    """
    info title subject keywords category colortbl stylesheet defchp defpap panose falt header headerl headerr headerf footer footerl
    footerr footerf footnote ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn listtable list listlevel leveltext levelnumbers listname
    liststylename listpicture listoverridetable listoverride lfolevel listtext pntext pn pntxta pntxtb pnseclvl fldrslt bkmkstart
    bkmkend revtbl tc xe rxe txe yxe pgptbl pgp nesttableprops fchars lchars shp shpinst shpgrp shptxt shppict picprop background
    formfield ffname ffdeftext ffformat ffhelptext ffstattext ffl annotation atnid atnauthor atnicn atndate atntime atnparent atnref
    atrfstart atrfend macc maccPr maln malnScr margPr mbar mbarPr mbaseJc mbegChr mborderBox mborderBoxPr mbox mboxPr mchr mcount
    mctrlPr md mdeg mdegHide mden mdiff mdPr me mendChr meqArr meqArrPr mf mfName mfPr mfunc mfuncPr mgroupChr mgroupChrPr mgrow
    mhideBot mhideLeft mhideRight mhideTop mlim mlimloc mlimLoc mlimlow mlimLow mlimlowPr mlimLowPr mlimupp mlimUpp mlimuppPr
    mlimUppPr mm mmath mmathPr mmc mmcPr mmcs mmcJc mmPr mmr mnary mnaryPr mnoBreak mnum mobjDist moMath moMathPara moMathParaPr
    mopEmu mphant mphantPr mplcHide mpos mr mrad mradPr mrPr msepChr mshow mshp msPre msPrePr msSub msSubPr msSubSup msSubSupPr
    msSup msSupPr mstrikeBLTR mstrikeH mstrikeTLBR mstrikeV msub msubHide msup msupHide mtransp mtype mvertJc mzeroAsc mzeroDesc
    mzeroWid
    """.split()
)
# Those of them that readers have always known, and that are never marked as ignorable.
PLAIN: Final = frozenset(
    """
    colortbl stylesheet info header headerl headerr headerf footer footerl footerr footerf footnote list listlevel leveltext levelnumbers
    listoverride shp shpgrp
    """.split()
)
COMMENTS: Final = frozenset("annotation atnid atnauthor atnicn atndate atntime atnparent atnref atrfstart atrfend".split())

# Left behind without a word: settings of the program, twins for older readers, what can be made again from the rest.
SILENT: Final = frozenset(
    """
    generator rsidtbl themedata colorschememapping latentstyles lsdlockedexcept xmlnstbl wgrffmtfilter nonesttables mmathPict
    oldcprops oldpprops oldtprops oldsprops blipuid datafield creatim revtim printim buptim fldtype protusertbl protstart protend
    shprslt gridtbl windowcaption keycode pgdsctbl
    """.split()
)

# Left behind and reported: finding code of each.
REPORTED: Final = {
    **dict.fromkeys(
        "objdata objclass objname objalias objsect objtime oleclsid".split(), "rtf.object"
    ),
    **dict.fromkeys("template nextfile filetbl file hlinkbase linkval".split(), "rtf.external_file"),
    "mailmerge": "rtf.mail_merge",
    **dict.fromkeys("htmltag mhtmltag".split(), "rtf.html"),
    **dict.fromkeys("xmlopen xmlclose xmlname xmlattr xmlattrname xmlattrvalue factoidname xform".split(), "rtf.custom_xml"),
    **dict.fromkeys("fontemb fontfile".split(), "rtf.embedded_font"),
    "datastore": "rtf.data_store",
    "private": "rtf.private_data",
    "docvar": "rtf.document_variable",
    **dict.fromkeys("hl hlloc hlsrc hlfr".split(), "rtf.link"),
    **dict.fromkeys("ffentrymcr ffexitmcr".split(), "rtf.macro"),
    **dict.fromkeys("password passwordhash writereservation writereservhash".split(), "rtf.protection"),
    **dict.fromkeys("do dptxbxtext".split(), "rtf.old_drawing"),
    **dict.fromkeys("author operator manager company doccomm comment propname staticval fname".split(), "file.metadata"),
    **dict.fromkeys("fldinst ebcstart ebcend".split(), "rtf.field"),
    **dict.fromkeys("sn sv svb hsv".split(), "rtf.shape_property"),
}  # fmt: skip
