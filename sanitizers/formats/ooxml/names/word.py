"""Element names of WordprocessingML, Office Math and VML that are copied: ECMA-376, [MS-DOCX]. Facts, no code."""

from __future__ import annotations

from typing import Final

WORD: Final = frozenset(
    """
    abstractNum abstractNumId activeWritingStyle adjustLineHeightInTable adjustRightInd alias aliases alignBordersAndEdges
    alignTablesRowByRow allowPNG allowSpaceOfSameStyleInTable altName alwaysMergeEmptyNamespace alwaysShowPlaceholderText
    annotationRef applyBreakingRules attr autoCaption autoCaptions autofitToFirstFixedWidthCell autoFormatOverride autoHyphenation
    autoRedefine autoSpaceDE autoSpaceDN autoSpaceLikeWord95 b background balanceSingleByteDoubleByteWidth bar basedOn bCs bdo bdr
    behavior behaviors between bibliography bidi bidiVisual blockQuote body bodyDiv bookFoldPrinting bookFoldPrintingSheets
    bookFoldRevPrinting bookmarkEnd bookmarkStart bordersDoNotSurroundFooter bordersDoNotSurroundHeader bottom br cachedColBalance
    calcOnExit calendar cantSplit caps caption captions category cellDel cellIns cellMerge characterSpacingControl charset
    checkBox checked citation clickAndTypeStyle clrSchemeMapping cnfStyle col color cols comboBox comment commentRangeEnd
    commentRangeStart commentReference comments compat compatSetting consecutiveHyphenLimit contextualSpacing
    continuationSeparator convMailMergeEsc cr cs customXml customXmlDelRangeEnd customXmlDelRangeStart customXmlInsRangeEnd
    customXmlInsRangeStart customXmlMoveFromRangeEnd customXmlMoveFromRangeStart customXmlMoveToRangeEnd customXmlMoveToRangeStart
    customXmlPr dataBinding date dateFormat dayLong dayShort ddList decimalSymbol default defaultTableStyle defaultTabStop del
    delInstrText delText description dir dirty displayBackgroundShape displayHangulFixedWidth displayHorizontalDrawingGridEvery
    displayVerticalDrawingGridEvery div divBdr divId divs divsChild docDefaults docGrid docPart docPartBody docPartCategory
    docPartGallery docPartList docPartObj docPartPr docParts docPartUnique document documentProtection documentType
    doNotAutoCompressPictures doNotAutofitConstrainedTables doNotBreakConstrainedForcedTable doNotBreakWrappedTables
    doNotDemarcateInvalidXml doNotDisplayPageBoundaries doNotEmbedSmartTags doNotExpandShiftReturn doNotHyphenateCaps
    doNotIncludeSubdocsInStats doNotLeaveBackslashAlone doNotOrganizeInFolder doNotRelyOnCSS doNotSaveAsSingleFile
    doNotShadeFormData doNotSnapToGridInCell doNotSuppressIndentation doNotSuppressParagraphBorders doNotTrackFormatting
    doNotTrackMoves doNotUseEastAsianBreakRules doNotUseHTMLParagraphAutoSpacing doNotUseIndentAsNumberingTabStop
    doNotUseLongFileNames doNotUseMarginsForDrawingGridOrigin doNotValidateAgainstSchema doNotVertAlignCellWithSp
    doNotVertAlignInTxbx doNotWrapTextWithPunct drawing drawingGridHorizontalOrigin drawingGridHorizontalSpacing
    drawingGridVerticalOrigin drawingGridVerticalSpacing dropDownList dstrike eastAsianLayout effect em embedSystemFonts
    embedTrueTypeFonts emboss enabled encoding end endnote endnotePr endnoteRef endnoteReference endnotes equation
    evenAndOddHeaders family ffData fitText flatBorders fldChar fldSimple font fonts footerReference footnote
    footnoteLayoutLikeWW8 footnotePr footnoteRef footnoteReference footnotes forceUpgrade forgetLastTabAlignment format formProt
    formsDesign framePr ftr gallery glossaryDocument gridAfter gridBefore gridCol gridSpan group growAutofit guid gutterAtTop hdr
    hdrShapeDefaults headerReference helpText hidden hideGrammaticalErrors hideMark hideSpellingErrors highlight hMerge hps
    hpsBaseText hpsRaise hyperlink hyphenationZone i iCs id ignoreMixedContent ilvl imprint ind ins insideH insideV instrText
    isLgl jc keepLines keepNext kern kinsoku lang lastRenderedPageBreak latentStyles layoutRawTableWidth layoutTableRowsApart left
    legacy lid lineWrapLikeWord6 link linkStyles listEntry listItem listSeparator lnNumType lock locked lsdException lvl lvlJc
    lvlOverride lvlPicBulletId lvlRestart lvlText marBottom marLeft marRight marTop matchSrc maxLength mirrorIndents mirrorMargins
    monthLong monthShort moveFrom moveFromRangeEnd moveFromRangeStart moveTo moveToRangeEnd moveToRangeStart multiLevelType
    mwSmallCaps name next noBorder noBreakHyphen noColumnBalance noEndnote noExtraLineSpacing noLeading noLineBreaksAfter
    noLineBreaksBefore noProof noPunctuationKerning noSpaceRaiseLower noTabHangInd notTrueType noWrap nsid num numbering
    numberingChange numFmt numId numIdMacAtCleanup numPicBullet numPr numRestart numStart numStyleLink optimizeForBrowser outline
    outlineLvl overflowPunct p pageBreakBefore panose1 paperSrc pBdr permEnd permStart personal personalCompose personalReply
    pgBorders pgMar pgNum pgNumType pgSz pict picture pitch pixelsPerInch placeholder pos position pPr pPrChange pPrDefault
    printBodyTextBeforeHeader printColBlack printFormsData printFractionalCharacterWidth printPostScriptOverText printTwoOnOne
    proofErr proofState pStyle ptab qFormat r readModeInkLockDown relyOnVML removeDateAndTime removePersonalInformation result
    revisionView rFonts richText right rPr rPrChange rPrDefault rStyle rt rtl rtlGutter ruby rubyAlign rubyBase rubyPr
    saveFormsData saveInvalidXml savePreviewPicture saveSmartTagsAsXml saveSubsetFonts saveXmlDataOnly sdt sdtContent sdtEndPr
    sdtPr sectPr sectPrChange selectFldWithFirstOrLastChar semiHidden separator settings shadow shapeDefaults shapeLayoutLikeWW8
    shd showBreaksInFrames showEnvelope showingPlcHdr showXMLTags sig size sizeAuto smallCaps smartTag smartTagPr smartTagType
    snapToGrid softHyphen spaceForUL spacing spacingInWholePoints specVanish splitPgBreakAndParaMark start startOverride
    statusText strictFirstAndLastChars strike style styleLink styleLockQFSet styleLockTheme stylePaneFormatFilter
    stylePaneSortMethod styles subFontBySize suff summaryLength suppressAutoHyphens suppressBottomSpacing suppressLineNumbers
    suppressOverlap suppressSpacingAtTopOfPage suppressSpBfAfterPgBrk suppressTopSpacing suppressTopSpacingWP
    swapBordersFacingPages sym sz szCs t tab table tabs tag targetScreenSz tbl tblBorders tblCaption tblCellMar tblCellSpacing
    tblDescription tblGrid tblGridChange tblHeader tblInd tblLayout tblLook tblOverlap tblpPr tblPr tblPrChange tblPrEx
    tblPrExChange tblStyle tblStyleColBandSize tblStylePr tblStyleRowBandSize tblW tc tcBorders tcFitText tcMar tcPr tcPrChange
    tcW temporary text textAlignment textboxTightWrap textDirection textInput themeFontLang titlePg tl2br tmpl top topLinePunct tr
    tr2bl trackRevisions trHeight trPr trPrChange truncateFontHeightsLikeWP6 txbxContent type types u uiCompat97To2003 uiPriority
    ulTrailSpace underlineTabInNumList unhideWhenUsed updateFields useAltKinsokuLineBreakRules useAnsiKerningPairs useFELayout
    useNormalStyleForList usePrinterMetrics useSingleBorderforContiguousCells useWord2002TableStyleRules useWord97LineBreakRules
    vAlign vanish vertAlign view vMerge w wAfter wBefore webHidden webSettings widowControl wordWrap wpJustification wpSpaceWidth
    wrapTrailSpaces writeProtection yearLong yearShort zoom
    """.split()
)

MATH: Final = frozenset(
    """
    acc accPr aln alnScr argPr argSz bar barPr baseJc begChr borderBox borderBoxPr box boxPr brk brkBin brkBinSub cGp cGpRule chr
    count cSp ctrlPr d defJc deg degHide den diff dispDef dPr e endChr eqArr eqArrPr f fName fPr func funcPr groupChr groupChrPr
    grow hideBot hideLeft hideRight hideTop interSp intLim intraSp jc lim limLoc limLow limLowPr limUpp limUppPr lit lMargin m
    mathFont mathPr maxDist mc mcJc mcPr mcs mPr mr nary naryLim naryPr noBreak nor num objDist oMath oMathPara oMathParaPr opEmu
    phant phantPr plcHide pos postSp preSp r rad radPr rMargin rPr rSp rSpRule scr sepChr show shp smallFrac sPre sPrePr sSub
    sSubPr sSubSup sSubSupPr sSup sSupPr strikeBLTR strikeH strikeTLBR strikeV sty sub subHide sup supHide t transp type vertJc
    wrapIndent wrapRight zeroAsc zeroDesc zeroWid
    """.split()
)

WORD_2010: Final = frozenset(
    """
    alpha bevel bevelB bevelT camera checkbox checked checkedState cntxtAlts cNvContentPartPr cNvPr conflictMode contourClr
    customXmlConflictDelRangeEnd customXmlConflictDelRangeStart customXmlConflictInsRangeEnd customXmlConflictInsRangeStart
    defaultImageDpi discardImageEditingData docId entityPicker extLst extrusionClr fillToRect glow gradFill gs gsLst hueMod
    ligatures lightRig lin lum lumMod lumOff miter noFill numForm numSpacing nvContentPartPr path props3d prstDash reflection rot
    round sat satMod satOff scene3d schemeClr shade shadow solidFill srgbClr styleSet stylisticSets textFill textOutline tint
    uncheckedState xfrm
    """.split()
)

WORD_2012: Final = frozenset(
    """
    appearance chartTrackingRefBased collapsed color commentEx commentsEx dataBinding docId doNotAllowInsertDeleteSection
    footnoteColumns repeatingSection repeatingSectionItem sectionTitle
    """.split()
)

WORD_SHAPES: Final = frozenset(
    """
    bg bodyPr cNvCnPr cNvFrPr cNvGrpSpPr cNvPr cNvSpPr extLst graphicFrame grpSp grpSpPr linkedTxbx pctHeight pctPosHOffset
    pctPosVOffset pctWidth sizeRelH sizeRelV spPr style txbx wgp whole wpc wsp xfrm
    """.split()
)

WORD_DRAWING: Final = frozenset(
    """
    align anchor cNvGraphicFramePr docPr effectExtent extent inline lineTo positionH positionV posOffset simplePos start wrapNone
    wrapPolygon wrapSquare wrapThrough wrapTight wrapTopAndBottom
    """.split()
)

VML: Final = frozenset(
    """
    arc background curve f fill formulas group h handles image imagedata line oval path polyline rect roundrect shadow shape
    shapetype stroke textbox textpath
    """.split()
)

VML_OFFICE: Final = frozenset(
    """
    bottom callout clippath colormenu colormru column complex diagram entry extrusion fill idmap left lock r regrouptable rel
    relationtable right rules shapedefaults shapelayout skew top
    """.split()
)

VML_EXCEL: Final = frozenset(
    """
    Accel Accel2 Anchor AutoFill AutoLine AutoPict AutoScale Cancel CF Checked ClientData ColHidden Colored Column Default
    DefaultSize Disabled Dismiss DropLines DropStyle Dx FirstButton FmlaGroup FmlaLink FmlaPict FmlaRange FmlaTxbx Help Horiz Inc
    JustLastX LCT ListItem Locked LockText Max Min MoveWithCells MultiLine MultiSel NoThreeD NoThreeD2 Page PrintObject
    RecalcAlways Row RowHidden SecretEdit Sel SelType SizeWithCells TextHAlign TextVAlign UIObj Val ValidIds Visible VScroll
    VTEdit WidthMin
    """.split()
)

VML_WORD: Final = frozenset(
    """
    anchorlock borderbottom borderleft borderright bordertop wrap
    """.split()
)

VML_TEXT: Final = frozenset(
    """
    b br div em font i p s span strong sub sup u
    """.split()
)
