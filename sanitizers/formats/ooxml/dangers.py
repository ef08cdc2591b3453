"""What is said of an element or attribute that is left out. Only words: its absence from the vocabulary has decided."""

from __future__ import annotations

from typing import Final

from lxml import etree

_BY_NAME: Final = {
    name: code
    for code, names in {
        "ooxml.ole_object": "OLEObject oleObj oleObject oleObjects objectPr embed",
        "ooxml.activex": "control controls ocx",
        "ooxml.alt_chunk": "altChunk altChunkPr",
        "ooxml.sub_document": "subDoc",
        "ooxml.external_template": "attachedTemplate attachedSchema schemaLibrary schema",
        "ooxml.mail_merge": "mailMerge",
        "ooxml.frame": "frameset frame",
        "ooxml.media": "movie audioCd audioFile quickTimeFile videoFile wavAudioFile snd sndAc audio video media cmd webVideoPr",
        "ooxml.dde": "ddeLink ddeItems ddeItem DDE",
        "ooxml.external_link": "externalBook externalReferences externalReference oleLink",
        "ooxml.connection": "connections connection dbPr webPr textPr queryTable dataModel sourceConnection olapPr",
        "ooxml.macro_link": "FmlaMacro ScriptText ScriptLanguage ScriptExtended ScriptLocation entryMacro exitMacro functionGroups",
        "ooxml.web_extension": "webextension webextensionref webExtensionLinked webExtensionCreated taskpanes",
        "ooxml.embedded_font": "embedRegular embedBold embedItalic embedBoldItalic embeddedFontLst embeddedFont",
        "ooxml.custom_data": "custDataLst tags custData docVars docVar customPr customProperties smartTags fldData",
        "ooxml.external_reference": "saveThroughXslt htmlPubPr webPublishing webPublishItems webPublishObjects sldSyncPr src href althref "
        "link url moniker linkedToFile sourceFileName contentPart",
        "ooxml.printer_settings": "printerSettings",
        "file.metadata": "absPath userName user refreshedBy presenceInfo",
    }.items()
    for name in names.split()
}


def code_of(name: str) -> str:
    """The finding code for a name in Clark notation."""
    return _BY_NAME.get(etree.QName(name).localname, "ooxml.unknown_markup")
