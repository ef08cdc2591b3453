"""Element names of SpreadsheetML that are copied: ECMA-376 part 1 chapter 18, [MS-XLSX]. Facts, no code."""

from __future__ import annotations

from typing import Final

SHEET: Final = frozenset(
    """
    alignment anchor author authors autoFilter autoSortScope b bgColor bk bookViews border borders bottom brk c cacheField
    cacheFields cacheHierarchies cacheHierarchy cacheSource calcPr calculatedColumnFormula calculatedItem calculatedItems
    calculatedMember calculatedMembers cellMetadata cellStyle cellStyles cellStyleXfs cellWatch cellWatches cellXfs cfRule cfvo
    charset chartFormat chartFormats chartsheet col colBreaks colFields colHierarchiesUsage colHierarchyUsage colItems color
    colorFilter colors colorScale cols comment commentList commentPr comments condense conditionalFormat conditionalFormats
    conditionalFormatting consolidation control controlPr controls customFilter customFilters customProperty customSheetView
    customSheetViews customWorkbookView customWorkbookViews d dataBar dataConsolidate dataField dataFields dataRef dataRefs
    dataValidation dataValidations dateGroupItem definedName definedNames diagonal dimension dimensions discretePr drawing
    drawingHF dxf dxfs dynamicFilter e end entries evenFooter evenHeader ext extend extension extensionList extLst f family
    fgColor field fieldGroup fieldsUsage fieldUsage fileRecoveryPr fileSharing fileVersion fill fills filter filterColumn filters
    firstFooter firstHeader font fonts format formats formula formula1 formula2 from futureMetadata gradientFill group groupItems
    groupLevel groupLevels groupMember groupMembers groups headerFooter hierarchyUsage horizontal hyperlink hyperlinks i
    iconFilter iconSet ignoredError ignoredErrors indexedColors inputCells is item items k kpi kpis left legacyDrawing
    legacyDrawingHF location m mdx mdxMetadata measureGroup measureGroups member members mergeCell mergeCells metadata
    metadataStrings metadataType metadataTypes mps mruColors ms n name numFmt numFmts oddFooter oddHeader oldFormula oleSize
    outline outlinePr p pageField pageFields pageItem pageMargins pages pageSetup pageSetUpPr pane patternFill phoneticPr picture
    pivotArea pivotAreas pivotCache pivotCacheDefinition pivotCacheRecords pivotCaches pivotField pivotFields pivotHierarchies
    pivotHierarchy pivotSelection pivotTableDefinition pivotTableStyleInfo printOptions protectedRange protectedRanges protection
    query queryCache r rangePr rangeSet rangeSets rc reference references RElt rFont rgbColor right row rowBreaks rowFields
    rowHierarchiesUsage rowHierarchyUsage rowItems rPh rPr RPrElt s scenario scenarios scheme selection serverFormat serverFormats
    set sets shadow sharedItems sheet sheetBackgroundPicture sheetCalcPr sheetData sheetFormatPr sheetPr sheetProtection sheets
    sheetView sheetViews si sortByTuple sortCondition sortState sst start stop strike styleSheet sz t tabColor table tableColumn
    tableColumns tablePart tableParts tableStyle tableStyleElement tableStyleInfo tableStyles text to top top10 totalsRowFormula
    tpl tpls tupleCache u v valueMetadata vertAlign vertical WebPublishItems workbook workbookPr workbookProtection workbookView
    worksheet worksheetSource x xf
    """.split()
)

SHEET_2010: Final = frozenset(
    """
    alignment argumentDescriptions axisColor bgColor border borderColor cacheField calculatedColumn cfIcon cfRule cfvo color
    colorAxis colorFirst colorHigh colorLast colorLow colorMarkers colorNegative colors colorSeries conditionalFormat
    conditionalFormats conditionalFormatting conditionalFormattings customFilter customFilters data dataBar dataValidation
    dataValidations definedName definedNames dimFilter dxf dxfs fgColor fill fillColor filter font formControlPr formula1 formula2
    i icon iconFilter iconSet id ignoredError ignoredErrors item itemLst items listItem negativeBorderColor negativeFillColor
    numFmt patternFill pivotAreas pivotCacheDefinition pivotField pivotHierarchy pivotTable pivotTableDefinition pivotTables
    protectedRange protectedRanges protection setLevel setLevels sheetPr slicer slicerCache slicerCacheDefinition
    slicerCachePivotTables slicerCaches slicerCacheTabular slicerList slicerRef slicers slicerStyle slicerStyleElement
    slicerStyleElements slicerStyles sortCondition sparkline sparklineGroup sparklineGroups sparklines table tabular workbookPr
    xcalcPr
    """.split()
)

SHEET_2013: Final = frozenset(
    """
    activeTabTopLevelEntity border bounds cachedUniqueName cachedUniqueNames calculatedTimeColumn dxf dxfs fill font
    modelTimeGroupings movingPeriodState pivotCache pivotCacheDecoupled pivotCacheIdVersion pivotCaches pivotFilter pivotTableData
    pivotTableReference pivotTableReferences pivotTables pivotTableUISettings selection slicerCacheHideItemsWithNoData
    slicerCacheOlapLevelName slicerCachePivotTables state tableSlicerCache timeline timelineCacheDefinition
    timelineCachePivotCaches timelineCacheRef timelineCacheRefs timelinePivotFilter timelineRef timelineRefs timelines
    timelineStyle timelineStyleElement timelineStyleElements timelineStyles workbookPr
    """.split()
)

SHEET_LATER: Final = frozenset(
    """
    calcFeatures dynamicArrayProperties extCalcPr f feature formulas mention mentions person personList pivotTableDefinition16
    sqref text threadedComment ThreadedComments
    """.split()
)
