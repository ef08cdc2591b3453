"""Attribute names that are copied, by their own namespace. Facts, no code."""

from __future__ import annotations

from typing import Final

PLAIN: Final = frozenset(
    """
    a aboveAverage aca accel accent1 accent2 accent3 accent4 accent5 accent6 accumulate actId action activeCell activeCellId
    activePane activePresent activeSheetId activeTab additive adjust advAuto advClick advTm afterEffect algIdExt algIdExtSource
    algn algorithmName align alignment alignWithMargins allAtOnce allCaption allDrilled allowBlank allowComments allowOverlap
    allowRefreshQuery allUniqueName altLang altText altTextSummary amount amt anchor anchorCtr anchorId and ang animBg
    applyAlignment applyAlignmentFormats applyBorder applyBorderFormats applyFill applyFont applyFontFormats applyNumberFormat
    applyNumberFormats applyPatternFormats applyProtection applyStyles applyWidthHeightFormats appName arg array assign assignedTo
    asteriskTotals attribute authorId auto autoAdjust autoApply autoCompressPictures autoEnd autoFill autoFilter
    autoFilterDateGrouping autoFormatId autoLine autoPage autoPageBreaks autoPict autoRecover autoRepublish autoRev autoScale
    autoShow autoStart autoUpdate autoUpdateAnimBg avgSubtotal axis axisPosition b background backupFile backwards bandCol bandRow
    base baseColWidth baseField baseItem baseline baseType bc behindDoc bestFit bg1 bg2 bIns blackAndWhite blank bld bldLvl
    bldStep blend blipPhldr blurRad bmk bookmarkIdSeed border borderId bottom bright build builtIn builtInGroupCount builtinId bw
    bwMode bwNormal bwPure bx by byPosition c ca cache cacheId cacheIndex calcCompleted calcId calcMode calcmode calcOnSave
    calculatedColumn calculatedMembersInFilters calendarType cap caption caseSensitive categoryIdx categoryName cellColor
    cellComments cellMeta cellRange cf cfe cff cfo changesSavedWin char characterSet charset chart chartFormat
    chartTrackingRefBase che checkCompatibility checked chf chg cho chOrder cId clearAll clearComments clearContents clearFormats
    click clId clrIdx clrMode clrSpc cm cmpd cnt codeName coerce coherent3DOff colGrandTotals colHeaderCaption colHidden colId
    collapse collapsed collapsedLevelsAreSubtotals colored colorId colorTemp colPageCount column columnCount columnSort comment
    compact compactData compat compatLnSpc compatMode complete concurrent concurrentCalc concurrentManualCount conformance
    connectorLines containsBlank containsDate containsInteger containsMixedTypes containsNonDate containsNumber
    containsSemiMixedTypes containsString content contentBits contourW contrast copies copy count countASubtotal countSubtotal cp
    crashSave created createdVersion creationId crossFilter cryptAlgorithmClass cryptAlgorithmSid cryptAlgorithmType cryptProvider
    cryptProviderType cryptProviderTypeExt cryptProviderTypeExtSource csCatId cstate csTypeId culture current custAng custFlipHor
    custFlipVert custLinFactNeighborX custLinFactNeighborY custLinFactX custLinFactY custom customBuiltin customFormat
    customHeight customList customListSort customPrompt customRollUp customWidth custRadScaleInc custRadScaleRad custScaleX
    custScaleY custSzX custSzY custT cx cxnId cy d databaseField dataCaption dataCellStyle dataDxfId dataExtractLoad dataField
    dataOnly dataOnRows dataPosition dataSourceSort date1904 dateAxis dateCompatibility dateTimeFormat dateTimeGrouping day decel
    def defaultAttributeDrillState defaultColWidth defaultGridColor defaultMemberUniqueName defaultPivotStyle defaultRowHeight
    defaultSize defaultSlicerStyle defaultSubtotal defaultTableStyle defaultThemeVersion defaultTimelineStyle defStyle defTabSz
    degree del1 del2 delay delete deleteColumns deleted deleteRows denormalized descending descr description destId destOrd detail
    diagonalDown diagonalUp differentFirst differentOddEven dimension dimensionUniqueName dir direction dirty disabled
    disableFieldList disablePrompts display displayEmptyCellsAs displayFolder displayHidden displayName displayXAxis dist distB
    distL distR distT done dpi draft dragOff dragToCol dragToData dragToPage dragToRow dropLines dropStyle dT dt dt2D dtr dueDate
    dur dx dxf dxfId dy dz e eaLnBrk east eb edit editAs editData edited editId editVal embed emptyCellReference enabled
    enableDrill enableEdit enableFieldProperties enableFormatConditionsCalculation enableRefresh enableWizard end endA endDate
    endNum endPos endSnd entityName entityType equalAverage err error errorCaption errors errorStyle errorTitle evalError
    evalOrder eventFilter evt evtFilter exclude ext extrusionH extrusionOk f fact fadeDir fc fCollapsed fDynamic field
    fieldListSortAscending fieldPosition fieldPrintTitles fileName fill fillDownLabels fillDownLabelsDefault fillId filter
    filterId filterMode filterPivotName filterPrivacy filterTabId filterUnique filterVal first firstButton firstCol firstDataCol
    firstDataRow firstHeaderRow firstPageNumber firstRow firstSheet firstSlideNum fitToHeight fitToPage fitToWidth fld flip flipH
    flipV fLocksText fLocksWithSheet flowDir fmla fmlaGroup fmlaLink fmlaPict fmlaRange fmlaTxbx fmtid folHlink fontAlgn fontId
    fontScale footer for forceAA forceFullCalc format formatCells formatCode formatColumns formatIdx formatRows formula
    formulaRange forName fov fPrintsWithSheet fPublished frame frameSlides from fromWordArt ftr fullCalcOnLoad fullPrecision
    fullScrn func function g gapWidth gdRefAng gdRefR gdRefX gdRefY ghostCol ghostRow goal gradient grandCol grandRow
    grandTotalCaption granularity gridDropZones gridLines gridLinesSet gridSize gridSpan group groupBy groupInterval grow grpId
    gte guid h hangingPunct hasBounce hasCustomPrompt hashData hashValue hdr header headerRowBorderDxfId headerRowCellStyle
    headerRowCount headerRowDxfId headings hidden hiddenButton hiddenColumns hiddenLevel hiddenRows hiddenSlides hideGeom
    hideItemsWithNoData hideLastTrans hideNewItems hidePivotFieldList hideValuesRow hier hierarchy hierarchyUsage high
    highlightClick history hlink hMerge horiz horizontal horizontalCentered horizontalDpi horz horzBarState horzOverflow hour hR
    ht hue hueDir i i1 i2 i3 i4 iconId iconSet Id id idx ignore iLevel iMeasureFld iMeasureHier imeMode imgH imgW immersive inc
    inClr includeHiddenRowCol includeNewItemsInFilter includePrintSettings indent indexed initials insertBlankRow insertColumns
    insertHyperlinks insertPageBreak insertRow insertRows insertRowShift intervalClosed invalEndChars invalid invalStChars invX
    invY isActiveX isComment isContent isInverted isLegacyGroup isPhoto item itemID itemPageCount itemPrintTitles iterate
    iterateCount iterateDelta justifyLastLine justLastX kern key keyAttribute kind kumimoji kx ky l labelOnly lang last lastClr
    lastCol lastEdited lastGuid lastIdx lastRow lastView lat latinLnBrk layout layoutId layoutInCell lBounds leadZeros left
    leftLabels len length level lfe lff lfo lhe lhf lho lim lineWeight linkedCell lIns listDataValidation listFillRange lkTxEntry
    lnPos lnSpcReduction localSheetId loCatId location locked lockedPosition lockRevision lockStructure lockText lockWindows lon
    longText loop loTypeId low lowestEdited lum lvl m macro majorUnit man manualBreakCount manualMax manualMin mappingCount marB
    markers marL marR marT masterRel matchingName max maxAng maxAxisType maxDate maximized maxLength maxR maxRank maxSubtotal
    maxVal maxValIso maxValue maxX maxY mdx mdxSubqueries meanLine meanMarker measure measureFilter measureGroup measures
    memberName memberPropertyField memberValueDatatype mentionId mentionpersonId merge mergeInterval mergeItem meth method min
    minAng minAxisType minDate minimized minLength minorUnit minR minRefreshableVersion minSubtotal minSupportedVersion minute
    minValue minVer minX minY missingCaption missingItemsLimit modelId modified mods month moveWith moveWithCells mpFld multiLine
    multipleFieldFilters multipleItemSelectionAllowed multiSel mute n name nameLen namespaceUri nd negative
    negativeBarBorderColorSameAsPositive negativeBarColorSameAsPositive nextAc noAdjustHandles noChangeArrowheads noChangeAspect
    noChangeShapeType noCrop nodePh nodeType noDrilldown noEditPoints noGrp noMove nonAutoSortDefault nonoutliers noProof noResize
    normalEastAsianFlow normalizeH noRot north noSelect noTextEdit noThreeD noThreeD2 noUngrp numberStoredAsText numCol numFmtId
    numPoints numRef numSld objects objectType offset oneField onlySync op operator optimizeMemory option order orient orientation
    origin outliers outline outlineData outlineLevel outlineLevelCol outlineLevelRow outlineSymbols overflow overlay override
    ownerIdx page pageOrder pageOverThenDown pageStyle pageWrap pane panose paperHeight paperSize paperWidth par parent parentCmId
    parentId parentSet parTransId password passwordEdit pasteAll pasteBorders pasteColWidths pasteComments pasteDataValidation
    pasteFormats pasteFormulas pasteNumberFormats pasteValues path pathEditMode pattern patternType pcaRings percent personalView
    personId ph phldr phldrT pid pitchFamily pivot pivotButton pivotCacheId pivotTables pivotTableStyle pLen polygonId pos
    position pPos pred preferPic preferRelativeResize preferSingleView prefix presAssocID preserve preserveFormatting presetClass
    presetID presetSubtype presId presName presStyleCnt presStyleIdx presStyleLbl prevAc pri print printArea printDrill priority
    prLst prnWhat productSubtotal projectionType prompt promptedSolutions promptTitle propertyName provId providerId prst
    prstMaterial prstName pt ptCount ptsTypes ptType published qsCatId qsTypeId quartileMethod quotePrefix r r1 r2 rad radius rAng
    rank rankBy rctx readingOrder readOnlyRecommended recalcAlways recordCount ref refFor refForName refMode refPtType
    refreshAllConnections refreshedDate refreshedDateIso refreshedVersion refreshError refreshOnLoad refType relative relativeFrom
    relativeHeight relativeIndent relId removed removePersonalInfoOnSave repairLoad repeatCount repeatDur resId restart rev
    reverse revisionsAlgorithmName revisionsHashValue revisionsPassword revisionsPasswordCharacterSet revisionsSaltValue
    revisionsSpinCount rfe rff rfo rgb rhe rhf rho rId rig right rightToLeft rIns rot rotWithShape roundedCorners rowColShift
    rowGrandTotals rowHeaderCaption rowHeight rowHidden rowPageCount rowSpan rtl rtlCol rupBuild s saltData saltValue sat saveData
    saveExternalLinkValues sb scale scaled scaleToFitPaper scaleWithDoc scaling scenarios scope script sd second secretEdit sel
    selected selectLockedCells selectUnlockedCells selType seltype seq series seriesIdx seriesName serverZoom set setDefinition
    shapeId sheet sheetId sheetStubs show showAll showAnimation showAsCaption showAutoFilter showBorderUnselectedTables showButton
    showCalcMbrs showCaption showCaptions showCell showColHeaders showColStripes showColumnStripes showComments showDataAs
    showDataDropDown showDataTips showDrill showDropDown showDropDowns showDropZones showEmptyCol showEmptyRow showError
    showErrorMessage showFirstColumn showFormatting showFormulaBar showFormulas showGridLines showGuides showHeaders
    showHorizontalScroll showInFieldList showInkAnnotation showInputMessage showItems showLastColumn showMasterPhAnim showMasterSp
    showMemberPropertyTips showMissing showMultipleLabel showNarration showObjects showOutlineIcons showOutlineSymbols
    showPageBreaks showPivotChartFilter showPropAsCaption showPropCell showPropTip showRowCol showRowColHeaders showRowHeaders
    showRowStripes showRuler showScrollbar showSheetTabs showSpecialPlsOnTitleSld showStatusbar showTip showValue
    showVerticalScroll showWhenStopped showWhiteSpace showZeros shrinkToFit si sibTransId simplePos siteId size sizeRelH sizeRelV
    sizeWithCells sldId sldNum slicerData smtClean smtId snapToGrid snapToObjects snapVertSplitter solveOrder sort sortBy
    sortMethod sortOrder sortType sourceLinked sourceName sourceType south sp space spans spc spcCol spcFirstLastPara spd spid
    spinCount spinValue splitAll splitFirst spokes sqref srcId srcOrd st stA stackBarX stAng startAt startDate startIndex
    startItem startLabels startNum state status stdDev stdDevPSubtotal stdDevSubtotal step stopIfTrue stPos
    strictFirstAndLastChars strike stringRefSyntax stringValue1 stringValue2 stroke strRef style styleId styleLbl styleName
    subtotal subtotalCaption subtotalHiddenItems subtotalTop summaryBelow summaryRight sumSubtotal supportAddCalcMems
    supportAdvancedDrill supportSubquery supportSubqueryNonVisual swAng sx sy symbol syncBehavior syncHorizontal syncRef
    syncVertical sz t table tableBorderDxfId tableId tableType tabRatio tabSelected tag text textHAlign textlink textRotation
    textVAlign tgtFrame theme thickBot thickBottom thickTop thresh thruBlk time timePeriod tIns tint title tm tmFilter to tooltip
    top topAutoShow topLabels topLeftCell totalsRowBorderDxfId totalsRowCellStyle totalsRowCount totalsRowDxfId totalsRowFunction
    totalsRowLabel totalsRowShown track trans transition transitionEntry transitionEvaluation trend twoDigitTextYear tx tx1 tx2
    txBax txBox ty type typeface u uBounds uid uiExpand uiObject un unbalanced unbalancedGroup underflow undone uniqueCount
    uniqueId uniqueList uniqueMemberProperty uniqueName uniqueParent unit unlockedFormula updatedVersion updateLinks
    upgradeOnRefresh upright uri useA useAutoFormatting useDef useFirstPageNumber usePrinterDefaults userDrawn userId userShapes
    useTimings useWholeDay v vacatedStyle val valIso value valueType varPSubtotal varScale varSubtotal version vert vertBarState
    vertical verticalBar verticalCentered verticalDpi vertOverflow vid view visibility visible visualTotals visualTotalsForSets vm
    vMerge vol w weight west width widthMin windowHeight windowProtection windowWidth workbookAlgorithmName workbookHashValue
    workbookPassword workbookPasswordCharacterSet workbookSaltValue workbookSpinCount workbookViewId wR wrap wrapText x x1 x2
    xfDxf xfId xfrmType xml xr xSplit xWindow y y1 y2 year ySplit yWindow z zeroHeight zeroValues zoom zoomContents zoomScale
    zoomScaleNormal zoomScalePageLayoutView zoomScaleSheetLayoutView zoomToFit zOrderOff
    """.split()
)

VML_PLAIN: Final = frozenset(
    """
    accentbar adj adjusthandles align alignshape allowcomments alt anchorx anchory angle annotation arcsize arrowok aspect
    aspectratio autoformat autolayout autorotationcenter backdepth bilevel blacklevel brightness chromakey class color color2
    colormode colors connectloc constrainbounds control1 control2 coordorigin coordsize cropbottom cropleft cropping cropright
    croptop dashstyle data dgmbasetextscale dgmfontsize dgmscalex dgmscaley dgmstyle diffusity distance drop dropauto edge editas
    embosscolor end endAngle endarrow endarrowlength endarrowwidth endcap eqn equationxml extrusioncolor face facet fill fillcolor
    filled fillok filltype fitpath fitshape focus focusposition focussize foredepth from gain gamma gap gradientshapeok grayscale
    grouping how i id idcntr iddest idref idsrc imagealignshape imageaspect imagesize inset insetpen insetpenok invx invy
    joinstyle lang length lengthspecified lightface lightharsh lightharsh2 lightlevel lightlevel2 lightposition lightposition2
    limo linestyle lockrotationcenter map matrix metal method minusx minusy miterlimit new ObjectType obscured offset offset2 old
    on opacity orientation orientationangle origin path plane points polar position print radiusrange recolor recolortarget render
    reverse rotate rotation rotationangle rotationcenter selection shadow shadowcolor shadowok shapetype shininess side size
    skewamt skewangle specularity spidmax start startAngle startarrow startarrowlength startarrowwidth string stroke strokecolor
    stroked strokeok strokeweight style switch text textborder textboxrect textpathok title to trim type ungrouping v verticies
    viewpoint viewpointorigin weight width wrapcoords xrange xscale yrange
    """.split()
)

WORD: Final = frozenset(
    """
    abstractNumId accent1 accent2 accent3 accent4 accent5 accent6 actualPg after afterAutospacing afterLines algIdExt
    algIdExtSource alignment all allStyles alternateStyleNames anchor anchorLock appName ascii asciiTheme author before
    beforeAutospacing beforeLines bg1 bg2 bidi bottom bottomFromText caption chapNum chapSep chapStyle char charSpace checkStyle
    clear clearFormatting code colFirst colLast color combine combineBrackets comments count countBy cryptAlgorithmClass
    cryptAlgorithmSid cryptAlgorithmType cryptProvider cryptProviderType cryptProviderTypeExt cryptProviderTypeExtSource
    cryptSpinCount cs csb0 csb1 cstheme customMarkFollows customStyle customStyles date decorated default defLockedState
    defQFormat defSemiHidden defUIPriority defUnhideWhenUsed directFormattingOnNumbering directFormattingOnParagraphs
    directFormattingOnRuns directFormattingOnTables dirty displacedByCustomXml display displayText distance dllVersion dropCap
    dxaOrig dyaOrig eastAsia eastAsiaTheme ed edGrp edit element end endChars enforcement equalWidth fill first firstColumn
    firstLine firstLineChars firstRow fldCharType fldLock fmt followedHyperlink font fontSz footer formatting frame fullDate
    grammar gutter h hAnchor hanging hangingChars hAnsi hAnsiTheme hash header heading headingStyles hint history horzAnchor hRule
    hSpace hyperlink id ilvl initials inkAnnotations insDel instr lang lastColumn lastRow lastValue latentStyles leader left
    leftChars leftFromText legacy legacyIndent legacySpace line linePitch lineRule lines locked markup multiLine name namespaceuri
    nlCheck noHBand noLabel noVBand null num numberingStyles numFmt numId numPicBulletId offsetFrom orient original other percent
    pos prefixMappings qFormat recommended relativeTo restart right rightChars rightFromText salt semiHidden sep shadow shapeid
    solutionID space spelling start startChars storeItemID styleId stylesInUse subsetted sz t1 t2 tableStyles tblpX tblpXSpec
    tblpY tblpYSpec tentative tgtFrame themeColor themeFill themeFillShade themeFillTint themeShade themeTint tooltip top
    top3HeadingStyles topFromText tplc type uiPriority unhideWhenUsed uri usb0 usb1 usb2 usb3 val value vAnchor vendorID vert
    vertAnchor vertCompress visibleStyles vMerge vMergeOrig vSpace w wrap x xAlign xpath y yAlign zOrder
    """.split()
)

WORD_2010: Final = frozenset(
    """
    algn anchorId ang b blurRad cap cmpd contourW dir dist endA endPos extrusionH fadeDir font h id kx ky l lat lim lon noSpellErr
    paraId path pos prst prstMaterial r rad rev rig scaled stA stPos sx sy t textId val w
    """.split()
)

WORD_2012_ON: Final = frozenset(
    """
    author char contact dateUtc done durableId font paraId paraIdParent providerId restartNumberingAfterBreak userId val
    """.split()
)

VML_OFFICE: Final = frozenset(
    """
    allowincell allowoverlap borderbottomcolor borderleftcolor borderrightcolor bordertopcolor bullet button bwmode bwnormal
    bwpure clip cliptowrap connectangles connectlocs connectortype connecttype detectmouseclick dgmlayout dgmlayoutmru dgmnodekind
    doubleclicknotify extrusionok forcedash hr hralign hrnoshade hrpct hrstd insetmode oned opacity2 preferrelative regroupid
    relid singleclick spid spt tablelimits tableproperties title userdrawn userhidden v
    """.split()
)

VML: Final = frozenset(
    """
    ext
    """.split()
)

MATH: Final = frozenset(
    """
    alnAt val
    """.split()
)

RELATIONSHIPS: Final = frozenset(
    """
    blip cs dm embed href id link lo pict qs topLeft
    """.split()
)
