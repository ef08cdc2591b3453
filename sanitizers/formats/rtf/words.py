"""Control words that only say how text looks or where it stands (RTF 1.9.1, appendix B). A word that is not here stays behind."""

from __future__ import annotations

from typing import Final


def _each(stems: str, endings: str) -> str:
    """Every stem with every ending; `-` stands for no ending."""
    return " ".join(stem + ending.replace("-", "") for stem in stems.split() for ending in endings.split())


_PATTERNS: Final = "bdiag cross dcross dkbdiag dkcross dkdcross dkfdiag dkhor dkhoriz dkvert fdiag horiz vert"
_SIDES: Final = "b l r t"
_COUNTING: Final = (
    "ar alc auc rlc ruc chi chosung cnum dbar dbnum dbnumd dbnumk dbnumt ganada gbnum gbnumd gbnumk gbnuml zodiac zodiacd zodiacl"
)
_HEADER: Final = """
ansi mac pc pca ansicpg fbidis fromtext deff adeff stshfdbch stshfloch stshfhich stshfbi deflang deflangfe adeflang themelang
themelangfe themelangcs cpg
"""
_FONTS: Final = """
f fnil froman fswiss fmodern fscript fdecor ftech fbidi fcharset fprq fbias flomajor fhimajor fdbmajor fbimajor flominor fhiminor
fdbminor fbiminor fjminchou fjgothic ftnil fttruetype red green blue cmaindarkone cmainlightone cmaindarktwo cmainlighttwo caccentone
caccenttwo caccentthree caccentfour caccentfive caccentsix chyperlink cfollowedhyperlink cbackgroundone ctextone cbackgroundtwo ctexttwo
ctint cshade
"""
_STYLES: Final = """
s cs ds ts tsrowd additive sbasedon snext sautoupd shidden slink slocked spersonal scompose sreply styrsid ssemihidden sqformat
spriority sunhideused tsd
"""
_CHARACTERS: Final = f"""
plain b i caps scaps deleted dn up sub super nosupersub embo impr expnd expndtw fittext fs kerning outl shad strike striked ul ulc
{_each("ul", "d dash dashd dashdd db hair hwave ldash none th thd thdash thdashd thdashdd thldash uldbwave w wave")} v cf cb cchs lang
langfe langnp langfenp noproof rtlch ltrch loch hich dbch accnone accdot acccomma acccircle accunderdot animtext charscalex cgrid g gcw
highlight nosectexpand chbrdr chcbpat chcfpat chshdng {_each("chbg", _PATTERNS)} webhidden alt twoinone horzvert fcs ab acaps acf adn
aexpnd af afs ai alang aoutl ascaps ashad astrike aul auld auldb aulnone aulw aup charrsid insrsid delrsid crauth crdate revauth revdttm
revauthdel revdttmdel revised mvauth mvdate mvf mvt
"""
_PARAGRAPHS: Final = f"""
par pard intbl itap qc qd qj ql qr qk qt hyphpar keep keepn level nocwrap nooverflow nowwrap noline nowidctlpar widctlpar nosnaplinegrid
outlinelevel pagebb sbys sb sa sbauto saauto lisb lisa sl slmult fi cufi li lin culi ri rin curi adjustright indmirror collapsed
contextualspace faauto fahang facenter faroman favar fafixed aspalpha aspnum wrapdefault ltrpar rtlpar pararsid prauth prdate yts tx tb
tqr tqc tqdec tldot tlmdot tlhyph tlul tlth tleq box brdrart brdrw brdrcf brsp brdrbtw brdrbar
{_each("brdr", "- b l r t s th sh db dot dash dashd dashdd dashdot dashdotdot dashdotstr dashsm hair inset outset triple none nil tbl")}
{_each("brdr", "wavy wavydb emboss engrave frame thtnsg tnthsg tnthtnsg thtnmg tnthmg tnthtnmg thtnlg tnthlg tnthtnlg")} shading cfpat cbpat
{_each("bg", _PATTERNS)} absh absw abslock absnoovrlp phmrg phpg phcol pvmrg pvpg pvpara wraparound wraptight wrapthrough posx posnegx
posxc posxi posxo posxl posxr posy posnegy posyil posyin posyout posyt posyb posyc dfrmtxtx dfrmtxty dxfrtext dropcapli dropcapt overlay
{_each("frmtx", "lrtb tbrl btlr lrtbv tbrlv")}
"""
_LISTS: Final = """
ls ilvl pnlvl pnlvlblt pnlvlbody pnlvlcont pnnumonce pnacross pnhang pnrestart pncard pndec pndecd pnucltr pnucrm pnlcltr pnlcrm pnord
pnordt pnbidia pnbidib pnaiu pnaiud pnaiueo pnaiueod pniroha pnirohad pnchosung pncnum pndbnum pndbnumd pndbnumk pndbnuml pndbnumt
pnganada pngbnum pngbnumd pngbnumk pngbnuml pnzodiac pnzodiacd pnzodiacl pnuldash pnuldashd pnuldashdd pnulhair pnulth pnulwave pnul
pnuld pnuldb pnulnone pnulw pnstart pnindent pnsp pnprev pnb pni pncaps pnscaps pnstrike pncf pnf pnfs pnqc pnql pnqr pnrnot listid
listtemplateid listsimple listhybrid listrestarthdn liststyleid levelstartat levelnfc levelnfcn leveljc leveljcn levelold levelprev
levelprevspace levelspace levelindent levelfollow levellegal levelnorestart levelpicture levelpicturenosize leveltemplateid lvltentative
listoverridecount listoverridestartat listoverrideformat jclisttab
"""
_TABLES: Final = f"""
trowd row cell nestrow nestcell lastrow cellx trgaph trleft trrh trqc trql trqr trhdr trkeep trkeepfollow trautofit ltrrow rtlrow taprtl
irow irowband trwWidth trftsWidth trwWidthB trftsWidthB trwWidthA trftsWidthA tblind tblindtype tblrsid trrsid trauth trdate
{_each("trbrdr", "b h l r t v")} {_each("trpadd trpaddf trspd trspdf trpado trpadof trspo trspof", _SIDES)} trcbpat trcfpat trpat
trshdng {_each("trbg clbg tsbg rawclbg", _PATTERNS)} clcbpat clcfpat clcbpatraw clcfpatraw clshdng clshdngraw clshdrawnil
{_each("clbrdr", _SIDES)} {_each("clpad clpadf clsp clspf", _SIDES)} cldgll cldglu clFitText clftsWidth clwWidth clhidemark clNoWrap
clmgf clmrg clvmgf clvmrg clvertalt clvertalc clvertalb cltxlrtb cltxtbrl cltxbtlr cltxlrtbv cltxtbrlv clins clinsauth clinsdttm cldel
cldelauth cldeldttm clsplit clsplitr clmrgd clmrgdauth clmrgddttm clmrgdr tcelld tdfrmtxtLeft tdfrmtxtRight tdfrmtxtTop tdfrmtxtBottom
tabsnoovrlp tphcol tphmrg tphpg tpvmrg tpvpara tpvpg tposx tposnegx tposxc tposxi tposxl tposxo tposxr tposy tposnegy tposyb tposyc
tposyil tposyin tposyout tposyt
{_each("tbllk", "bestfit border color font hdrcols hdrrows lastcol lastrow nocolband norowband shading")} tscellwidth tscellwidthfts
{_each("tscellpadd tscellpaddf", _SIDES)} tscellpct tscellcfpat tscellcbpat tscbandsh tscbandsv tscfirstrow tsclastrow tscfirstcol
tsclastcol tscbandhorzodd tscbandhorzeven tscbandvertodd tscbandverteven tscnwcell tscnecell tscswcell tscsecell
{_each("tsbrdr", "b dgl dgr h l r t v")} tsvertalt tsvertalc tsvertalb tsnowrap
"""
_SECTIONS: Final = f"""
sect sectd endnhere binfsxn binsxn ds sectunlocked sbknone sbkcol sbkpage sbkeven sbkodd cols colsx colno colsr colw linebetcol linemod
linex linestarts linerestart lineppage linecont pgwsxn pghsxn marglsxn margrsxn margtsxn margbsxn guttersxn margmirsxn lndscpsxn titlepg
headery footery pgnstarts pgncont pgnrestart pgnx pgny pgndec pgnucrm pgnlcrm pgnucltr pgnlcltr pgnbidia pgnbidib pgnchosung pgncnum
pgndbnum pgndbnumd pgndbnumk pgndbnumt pgndecd pgnganada pgngbnum pgngbnumd pgngbnumk pgngbnuml pgnzodiac pgnzodiacd pgnzodiacl
pgnhindia pgnhindib pgnhindic pgnhindid pgnthaia pgnthaib pgnthaic pgnvieta pgnid pgnhn pgnhnsh pgnhnsp pgnhnsc pgnhnsm pgnhnsn vertal
vertalt vertalb vertalc vertalj rtlsect ltrsect horzsect vertsect stextflow sectexpand sectlinegrid sectspecifycl sectspecifyl
sectspecifygen sectdefaultcl sectrsid srauth srdate sftntj sftnbj sftnstart sftnrestart sftnrstpg sftnrstcont saftnstart saftnrestart
saftnrstcont {_each("sftnn saftnn", _COUNTING)} pgbrdropt {_each("pgbrdr", "b l r t head foot snap")}
"""
_DOCUMENT: Final = f"""
deftab hyphhotz hyphconsec hyphcaps hyphauto linestart fracwidth makebackup defformat psover doctemp doctype ilfomacatclnup horzdoc
vertdoc jcompress jexpand lnongrid grfdocevents themelang relyonvml validatexml donotembedsysfont donotembedlingdata showplaceholdtext
trackmoves trackformatting ignoremixedcontent saveinvalidxml showxmlerrors stylelocktheme stylelockqfset usenormstyforlist fet ftntj
ftnbj enddoc endnotes aenddoc aendnotes aftnbj aftntj ftnstart aftnstart ftnrstpg ftnrestart ftnrstcont aftnrestart aftnrstcont
{_each("ftnn aftnn", _COUNTING)} paperw paperh psz margl margr margt margb facingp gutter rtlgutter gutterprl margmirror landscape
pgnstart widowctrl twoonone bookfold bookfoldrev bookfoldsheets notabind wraptrsp prcolbl noextrasprl nocolbal cvmme sprstsp sprsspbf
otblrul transmf swpbdr brkfrm sprslnsp subfontbysize truncatefontheight truncex bdbfhdr dntblnsbdb expshrtn lytexcttp lytprtmet msmcap
nolead nospaceforul noultrlspc noxlattoyen oldlinewrap sprsbsp sprstsm wpjst wpsp wpeqn jsksu ksulang fbidis ltrdoc rtldoc viewkind
viewscale viewzk viewbksp viewnobound htmautsp useltbaln alntblind lytcalctblwd lyttblrtgr oldas lnbrkrule bdrrlswsix nolnhtadjtbl
ApplyBrkRules rempersonalinfo snaptogridincell wrppunct asianbrkrule nobrkwrptbl toplinepunct revprop revbar revisions formprot allprot
annotprot formshade formdisp revprot readprot enforceprot protlevel remdttm donotshowcomments donotshowinsdel donotshowmarkup
donotshowprops nocompatoptions nouicompat noqfpromote nofeaturethrottle forceupgrade newtblstyruls nogrowautofit noafcnsttbl noindnmbrts
felnbrelev indrlsweleven nocxsptable notcvasp notvatxbx spltpgpar hwelev splytwnine ftnlytwnine krnprsnet cachedcolbal utinl
notbrkcnstfrctbl nojkernpunct dghspace dgvspace dghorigin dgvorigin dghshow dgvshow dgsnap dgmargin rsidroot rsid stylesortmethod
allowfieldendsel autofmtoverride stylelock stylelockenforced stylelockbackcomp readonlyrecommended afelev
"""
_SIGNS: Final = """
tab line page column lbr softpage softcol softline softlheight emdash endash emspace enspace qmspace bullet lquote rquote ldblquote
rdblquote zwbo zwnbo zwj zwnj ltrmark rtlmark chdate chdpl chdpa chtime chpgn sectnum chftn chftnsep chftnsepc chatn ftnalt bkmkcolf
bkmkcoll xef bxe ixe tcf tcl tcn fldedit fldlock fldpriv
"""
_FORMS: Final = """
fftype ffownhelp ffownstat ffprot ffsize ffmaxlen fftypetxt ffrecalc ffhaslistbox ffres ffdefres ffhps
"""
_SHAPES: Final = """
shpleft shptop shpbottom shpright shplid shpz shpfhdr shpbxpage shpbxmargin shpbxcolumn shpbxignore shpbypage shpbymargin shpbypara
shpbyignore shpwr shpwrk shpfblwtxt shplockanchor defshp picw pich picwgoal pichgoal picscalex picscaley picscaled piccropt piccropb
piccropl piccropr
"""
_MATHEMATICS: Final = """
mmathFont mbrkBin mbrkBinSub mdefJc mdispDef minterSp mintLim mintraSp mlMargin mnaryLim mpostSp mpreSp mrMargin msmallFrac mwrapIndent
mwrapRight mjc mscr msty mlit mnor mbrk margSz mcGp mcGpRule mcSp mrSp mrSpRule mdiffSty mdispdef mmaxdist
"""
_ALL: Final = (
    _HEADER, _FONTS, _STYLES, _CHARACTERS, _PARAGRAPHS, _LISTS, _TABLES, _SECTIONS, _DOCUMENT, _SIGNS, _FORMS, _SHAPES, _MATHEMATICS,
)  # fmt: skip
WORDS: Final = frozenset(word for table in _ALL for word in table.split())

# Left behind without a word: they belong to what is left behind, or bind a document to its template.
SILENT: Final = frozenset(
    "rtf uc linkstyles subdocument flddirty fromhtml htmlrtf outdisponlyhtml objattph bkmkpub version vern edmins "
    "nofpages nofwords nofchars nofcharsws id yr mo dy hr min sec".split()
)

# Words whose number readers use as a count or an index: least and most. Any other number has 32 bits.
RANGES: Final = {
    **dict.fromkeys("f af pnf deff adeff stshfdbch stshfloch stshfhich stshfbi s cs ds ts".split(), (0, 65535)),
    **dict.fromkeys(("red", "green", "blue", "ctint", "cshade"), (0, 255)),
    **dict.fromkeys(("ilvl", "pnlvl", "outlinelevel"), (0, 9)),
    **dict.fromkeys(("itap", "cols", "colno"), (0, 64)),
    "fcharset": (0, 255), "ls": (0, 65535), "fftype": (0, 2),
}  # fmt: skip
_OVERRIDES: Final = frozenset({0, 1, 9})        # of a list: CVE-2014-1761 was in any other count
_EVERY_NUMBER: Final = (-(1 << 31), (1 << 31) - 1)


def fits(word: str, number: int | None) -> bool:
    """Whether a word of the list may carry this number."""
    if number is None:
        return True
    least, most = RANGES.get(word, _EVERY_NUMBER)
    return least <= number <= most and (word != "listoverridecount" or number in _OVERRIDES)
