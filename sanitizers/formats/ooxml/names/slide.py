"""Element names of PresentationML that are copied: ECMA-376 part 1 chapter 19, [MS-PPTX]. Facts, no code."""

from __future__ import annotations

from typing import Final

SLIDE: Final = frozenset(
    """
    anim animClr animEffect animMotion animRot animScale attrName attrNameLst bg bgPr bgRef bldAsOne bldChart bldDgm bldGraphic
    bldLst bldOleChart bldP bldSub blinds blipFill bodyStyle boolVal browse by cBhvr charRg checker childTnLst circle clrMap
    clrMapOvr clrMru clrVal cm cmAuthor cmAuthorLst cmLst cNvCxnSpPr cNvGraphicFramePr cNvGrpSpPr cNvPicPr cNvPr cNvSpPr comb cond
    cover cSld cSldViewPr cTn custClrLst custShow custShowLst cut cViewPr cxnSp defaultTextStyle diamond dissolve endCondLst
    endSync excl ext extLst fade fltVal from graphicEl graphicFrame gridSpacing grpSp grpSpPr guide guideLst handoutMaster
    handoutMasterId handoutMasterIdLst hf hsl inkTgt intVal iterate kinsoku kiosk modifyVerifier newsflash nextCondLst
    normalViewPr notes notesMaster notesMasterId notesMasterIdLst notesStyle notesSz notesTextViewPr notesViewPr nvCxnSpPr
    nvGraphicFramePr nvGrpSpPr nvPicPr nvPr nvSpPr oleChartEl origin otherStyle outlineViewPr par penClr ph photoAlbum pic plus
    pos present presentation presentationPr prevCondLst pRg prnPr progress pull push random randomBar rCtr restoredLeft
    restoredTop rgb rtn scale schemeClr seq set showPr sld sldAll sldId sldIdLst sldLayout sldLayoutId sldLayoutIdLst sldLst
    sldMaster sldMasterId sldMasterIdLst sldRg sldSz sldTgt slideViewPr sorterViewPr sp split spPr spTgt spTree stCondLst strips
    strVal style subSp subTnLst sync tav tavLst text textbox tgtEl timing titleStyle tm tmAbs tmPct tmpl tmplLst tn tnLst to
    transition txBody txEl txStyles val viewPr wedge wheel wipe xfrm zoom zoomPct
    """.split()
)

SLIDE_2010: Final = frozenset(
    """
    bmk bmkLst bounceEnd browseMode bwMode cNvContentPartPr cNvPr conveyor creationId defaultImageDpi discardImageEditData doors
    ferris flash flip flythrough gallery glitter honeycomb laserClr laserTraceLst modId nvContentPartPr nvPr pan prism reveal
    ripple section sectionLst sectionPr sectionProperties showEvtLst showMediaCtrls shred sldId sldIdLst switch tracePt tracePtLst
    vortex warp wheelReverse window xfrm
    """.split()
)

SLIDE_2012_ON: Final = frozenset(
    """
    ac allTransition author authorLst bwMode chartTrackingRefBased clr cm cmAuthor cmLst deMk deMkLst designElem docMk ext extLst
    guide monikerLst morph notesGuideLst parentCm pos presetTransition prevBox prstTrans reply replyLst sldGuideLst sldMk sldMkLst
    spMk tcMk threadingInfo txBody txMk txMkLst unknownAnchor
    """.split()
)
