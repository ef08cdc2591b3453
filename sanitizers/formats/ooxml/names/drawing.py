"""Element names of DrawingML, charts and diagrams that are copied: ECMA-376 part 1 chapters 20 and 21, [MS-ODRAWXML]. Facts, no code."""

from __future__ import annotations

from typing import Final

DRAWING: Final = frozenset(
    """
    accent1 accent2 accent3 accent4 accent5 accent6 ahLst ahPolar ahXY alpha alphaBiLevel alphaCeiling alphaFloor alphaInv
    alphaMod alphaModFix alphaOff alphaOutset alphaRepl anchor arcTo avLst backdrop band1H band1V band2H band2V bevel bevelB
    bevelT bgClr bgFillStyleLst biLevel bldChart bldDgm blend blip blipFill blue blueMod blueOff blur bodyPr bottom br buAutoNum
    buBlip buChar buClr buClrTx buFont buFontTx buNone buSzPct buSzPts buSzTx camera cell3D chart chExt chOff close clrChange
    clrFrom clrMap clrRepl clrScheme clrTo cNvCxnSpPr cNvGraphicFramePr cNvGrpSpPr cNvPicPr cNvPr cNvSpPr comp cont contourClr cs
    cubicBezTo custClr custClrLst custDash custGeom cxn cxnLst cxnSp cxnSpLocks defPPr defRPr dgm dk1 dk2 ds duotone ea effect
    effectDag effectLst effectRef effectStyle effectStyleLst end endCxn endParaRPr ext extLst extraClrScheme extraClrSchemeLst
    extrusionClr fgClr fill fillOverlay fillRect fillRef fillStyleLst fillToRect firstCol firstRow flatTx fld fmtScheme folHlink
    font fontRef fontScheme gamma gd gdLst glow gradFill graphic graphicData graphicFrame graphicFrameLocks gray grayscl green
    greenMod greenOff gridCol grpFill grpSp grpSpLocks grpSpPr gs gsLst headEnd highlight hlink hlinkClick hlinkHover
    hlinkMouseOver hsl hslClr hue hueMod hueOff innerShdw insideH insideV inv invGamma lastCol lastRow latin left lightRig lin ln
    lnB lnBlToTr lnDef lnL lnR lnRef lnSpc lnStyleLst lnT lnTlToBr lnTo lstStyle lt1 lt2 lum lumMod lumOff lvl1pPr lvl2pPr lvl3pPr
    lvl4pPr lvl5pPr lvl6pPr lvl7pPr lvl8pPr lvl9pPr majorFont masterClrMapping minorFont miter moveTo neCell noAutofit noFill norm
    normAutofit nvCxnSpPr nvGraphicFramePr nvGrpSpPr nvPicPr nvSpPr nwCell objectDefaults off outerShdw overrideClrMapping p path
    pathLst pattFill pic picLocks pos pPr prstClr prstDash prstGeom prstShdw prstTxWarp pt quadBezTo r rect red redMod redOff
    reflection relOff right rot round rPr sat satMod satOff scene3d schemeClr scrgbClr seCell shade softEdge solidFill sp sp3d
    spAutoFit spcAft spcBef spcPct spcPts spDef spLocks spPr srcRect srgbClr st stCxn stretch style swCell sx sy sym sysClr t tab
    tableStyle tableStyleId tabLst tailEnd tbl tblBg tblGrid tblPr tblStyle tblStyleLst tc tcBdr tcPr tcStyle tcTxStyle theme
    themeElements themeManager themeOverride tile tileRect tint tl2br top tr tr2bl txBody txDef txSp uFill uFillTx uLn uLnTx up
    useSpRect wholeTbl xfrm
    """.split()
)

PICTURE: Final = frozenset(
    """
    blipFill cNvPicPr cNvPr nvPicPr pic spPr
    """.split()
)

CHART: Final = frozenset(
    """
    applyToEnd applyToFront applyToSides area3DChart areaChart auto autoTitleDeleted autoUpdate axId axPos backWall backward
    bandFmt bandFmts bar3DChart barChart barDir baseTimeUnit bubble3D bubbleChart bubbleScale bubbleSize builtInUnit cat catAx
    chart chartObject chartSpace clrMapOvr crossAx crossBetween crosses crossesAt custSplit custUnit data date1904 dateAx delete
    depthPercent dispBlanksAs dispEq dispRSqr dispUnits dispUnitsLbl dLbl dLblPos dLbls doughnutChart downBars dPt dropLines
    dTable errBars errBarType errDir errValType evenFooter evenHeader explosion ext externalData extLst f firstFooter firstHeader
    firstSliceAng floor fmtId formatCode formatting forward gapDepth gapWidth grouping h headerFooter hiLowLines hMode holeSize
    hPercent idx intercept invertIfNegative lang layout layoutTarget lblAlgn lblOffset leaderLines legacyDrawingHF legend
    legendEntry legendPos line3DChart lineChart logBase lvl majorGridlines majorTickMark majorTimeUnit majorUnit manualLayout
    marker max min minorGridlines minorTickMark minorTimeUnit minorUnit minus multiLvlStrCache multiLvlStrRef name noEndCap
    noMultiLvlLbl numCache numFmt numLit numRef oddFooter oddHeader ofPieChart ofPieType order orientation overlap overlay
    pageMargins pageSetup period perspective pictureFormat pictureOptions pictureStackUnit pie3DChart pieChart pivotFmt pivotFmts
    pivotSource plotArea plotVisOnly plus printSettings protection pt ptCount radarChart radarStyle rAngAx rich rotX rotY
    roundedCorners scaling scatterChart scatterStyle secondPiePt secondPieSize selection separator ser serAx serLines shape
    showBubbleSize showCatName showDLblsOverMax showHorzBorder showKeys showLeaderLines showLegendKey showNegBubbles showOutline
    showPercent showSerName showVal showVertBorder sideWall size sizeRepresents smooth splitPos splitType spPr stockChart strCache
    strLit strRef style surface3DChart surfaceChart symbol thickness tickLblPos tickLblSkip tickMarkSkip title trendline
    trendlineLbl trendlineType tx txPr upBars upDownBars userInterface userShapes v val valAx varyColors view3D w wireframe wMode
    x xMode xVal y yMode yVal
    """.split()
)

CHART_DRAWING: Final = frozenset(
    """
    absSizeAnchor blipFill cNvCxnSpPr cNvGraphicFramePr cNvGrpSpPr cNvPicPr cNvPr cNvSpPr cxnSp ext from graphicFrame grpSp
    grpSpPr nvCxnSpPr nvGraphicFramePr nvGrpSpPr nvPicPr nvSpPr pic relSizeAnchor sp spPr style to txBody x xfrm y
    """.split()
)

DIAGRAM: Final = frozenset(
    """
    adj adjLst alg animLvl animOne bg bulletEnabled cat catLst chMax choose chPref clrData cNvGrpSpPr cNvPr cNvSpPr colorsDef
    colorsDefHdr colorsDefHdrLst constr constrLst cxn cxnLst dataModel dataModelExt desc dir drawing effectClrLst else extLst
    fillClrLst forEach grpSp grpSpPr hierBranch if layoutDef layoutDefHdr layoutDefHdrLst layoutNode linClrLst nvGrpSpPr nvSpPr
    orgChart param presLayoutVars presOf prSet pt ptLst relIds resizeHandles rule ruleLst sampData scene3d shape sp sp3d spPr
    spTree style styleData styleDef styleDefHdr styleDefHdrLst styleLbl t title txBody txEffectClrLst txFillClrLst txLinClrLst
    txPr txXfrm varLst whole
    """.split()
)

SHEET_DRAWING: Final = frozenset(
    """
    absoluteAnchor blipFill clientData cNvCxnSpPr cNvGraphicFramePr cNvGrpSpPr cNvPicPr cNvPr cNvSpPr col colOff cxnSp ext from
    graphicFrame grpSp grpSpPr nvCxnSpPr nvGraphicFramePr nvGrpSpPr nvPicPr nvSpPr oneCellAnchor pic pos row rowOff sp spPr style
    to twoCellAnchor txBody wsDr xfrm
    """.split()
)

DRAWING_2010: Final = frozenset(
    """
    artisticBlur artisticCement artisticChalkSketch artisticCrisscrossEtching artisticCutout artisticFilmGrain artisticGlass
    artisticGlowDiffused artisticGlowEdges artisticLightScreen artisticLineDrawing artisticMarker artisticMosiaicBubbles
    artisticPaintBrush artisticPaintStrokes artisticPastelsSmooth artisticPencilGrayscale artisticPencilSketch artisticPhotocopy
    artisticPlasticWrap artisticTexturizer artisticWatercolorSponge backgroundMark backgroundRemoval brightnessContrast
    cNvContentPartPr cNvPr colorTemperature compatExt cpLocks extLst foregroundMark hiddenEffects hiddenFill hiddenLine
    hiddenScene3d hiddenSp3d isCanvas legacySpreadsheetColorIndex m nvContentPartPr saturation shadowObscured sharpenSoften
    useLocalDpi xfrm
    """.split()
)

DRAWING_2012_ON: Final = frozenset(
    """
    autoBuNodeInfo autoBuNodeInfoLst backgroundPr buPr cNvContentPartPr cNvPr colId contentPart creationId cxnDERefs decorative
    extLst hlinkClr lstStyle nonVisualGroupProps nvContentPartPr nvPr objectPr picAttrSrcUrl predDERef recolorImg rowId rtl
    signatureLine spPr style svgBlip themeFamily useLocalDpi xfrm
    """.split()
)

CHART_2007_ON: Final = frozenset(
    """
    autoCat bubble3D cat categoryFilterException categoryFilterExceptions dataDisplayOptions16 datalabelsRange
    datapointuniqueidmap dispNaAsBlank dLbl dlblFieldTable dlblFieldTableCache dlblFTEntry dlblRangeCache dropZoneCategories
    dropZoneData dropZoneFilter dropZoneSeries dropZonesVisible explosion f filteredAreaSeries filteredBarSeries
    filteredBubbleSeries filteredCategoryTitle filteredLineSeries filteredPieSeries filteredRadarSeries filteredScatterSeries
    filteredSeriesTitle filteredSurfaceSeries formulaRef fullRef invertIfNegative invertSolidFillFmt layout leaderLines levelRef
    marker multiLvlStrCache multiLvlStrLit multiLvlStrRef numCache numFmt pivotOptions pivotOptions16 pivotSource ptentry ptidx
    ser showDataLabelsRange showExpandCollapseFieldButtons showLeaderLines spPr sqref strCache style tx txfldGUID uniqueID
    uniqueId xForSave
    """.split()
)

CHART_STYLE: Final = frozenset(
    """
    axisTitle bodyPr categoryAxis chartArea chartStyle colorStyle dataLabel dataLabelCallout dataPoint dataPoint3D dataPointLine
    dataPointMarker dataPointMarkerLayout dataPointWireframe dataTable defRPr downBar dropLine effectRef errorBar extLst fillRef
    floor fontRef gridlineMajor gridlineMinor hiLoLine leaderLine legend lineWidthScale lnRef plotArea plotArea3D seriesAxis
    seriesLine spPr styleClr title trendline trendlineLabel upBar valueAxis variation wall
    """.split()
)

CHART_EX: Final = frozenset(
    """
    address aggregation axis axisId binary binCount binning binSize catScaling chart chartData chartSpace clear clrMapOvr
    copyright copyrights data dataId dataLabel dataLabelHidden dataLabels dataPt entityType evenFooter evenHeader ext extLst
    extremeValue f firstFooter firstHeader fmtOvr fmtOvrs geoCache geoChildEntities geoChildEntitiesQuery
    geoChildEntitiesQueryResult geoChildEntitiesQueryResults geoChildTypes geoData geoDataEntityQuery geoDataEntityQueryResult
    geoDataEntityQueryResults geoDataPointQuery geoDataPointToEntityQuery geoDataPointToEntityQueryResult
    geoDataPointToEntityQueryResults geoEntity geography geoHierarchyEntity geoLocation geoLocationQuery geoLocationQueryResult
    geoLocationQueryResults geoLocations geoParentEntitiesQuery geoParentEntitiesQueryResult geoParentEntitiesQueryResults
    geoParentEntity geoPolygon geoPolygons headerFooter idx layoutPr legend lvl majorGridlines majorTickMarks max maxColor mid
    midColor min minColor minorGridlines minorTickMarks nf number numDim numFmt oddFooter oddHeader pageMargins pageSetup
    parentLabelLayout percent plotArea plotAreaRegion plotSurface printSettings pt regionLabelLayout rich separator series spPr
    statistics strDim subtotals tickLabels title tx txData txPr units unitsLabel v valScaling valueColorPositions valueColors
    visibility
    """.split()
)
