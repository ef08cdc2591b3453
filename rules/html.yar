// Pages that build files, hide what they do or ask for passwords.

rule Html_Smuggling
{
    meta:
        id = "SKS-6001"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
        reference = "MITRE ATT&CK T1027.006"
    strings:
        $decode1 = "atob(" nocase ascii wide
        $decode2 = "fromCharCode" nocase ascii wide
        $decode3 = "Uint8Array" ascii wide
        $blob1 = "new Blob" nocase ascii wide
        $blob2 = "data:application/octet-stream;base64" nocase ascii wide
        $save1 = ".download" nocase ascii wide
        $save2 = "msSaveOrOpenBlob" nocase ascii wide
        $save3 = "msSaveBlob" nocase ascii wide
        $save4 = "createObjectURL" nocase ascii wide
    condition:
        any of ($decode*) and any of ($blob*) and any of ($save*)
}

rule Html_ObfuscatedScript
{
    meta:
        id = "SKS-6002"
        severity = "medium"
        kinds = "html mht svg xml eml pdf epub"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $packed = "eval(function(p,a,c,k,e," ascii
        $write = /document\.write\s*\(\s*(unescape|atob|decodeURIComponent)\s*\(/ nocase ascii
        $eval = /eval\s*\(\s*(unescape|atob|String\.fromCharCode)\s*\(/ nocase ascii
        $escaped = /unescape\s*\(\s*["'](%[0-9a-f]{2}){40}/ nocase ascii
        $array = /var _0x[0-9a-f]{4,6}\s*=\s*\[/ ascii
    condition:
        (kind == "html" or kind == "mht" or kind == "svg" or kind == "xml" or kind == "eml" or kind == "pdf" or kind == "epub") and any of them
}

rule Html_PhishingForm
{
    meta:
        id = "SKS-6003"
        severity = "medium"
        kinds = "html"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $password = /<input[^>]{0,200}type\s*=\s*["']?password/ nocase ascii
        $action = /<form[^>]{0,300}action\s*=\s*["']?https?:/ nocase ascii
        $send1 = "XMLHttpRequest" ascii
        $send2 = "$.ajax" ascii
        $send3 = "api.telegram.org/bot" ascii
        $send4 = "fetch(" ascii
        $brand1 = "Microsoft" nocase ascii
        $brand2 = "Office 365" nocase ascii
        $brand3 = "Outlook" nocase ascii
        $brand4 = "DocuSign" nocase ascii
        $brand5 = "OneDrive" nocase ascii
        $brand6 = "SharePoint" nocase ascii
        $brand7 = "Amazon" nocase ascii
        $brand8 = "webmail" nocase ascii
        $brand9 = "e-Tax" nocase ascii
    condition:
        kind == "html" and $password and ($action or any of ($send*)) and any of ($brand*)
}

rule Html_RefreshToData
{
    meta:
        id = "SKS-6004"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $refresh = /http-equiv\s*=\s*["']?refresh["'][^>]{0,100}url\s*=\s*["']?(data|javascript|file|search-ms|ms-[a-z]{2,20}):/ nocase ascii
        $base = /<base\s[^>]{0,100}href\s*=\s*["']?(file|\\\\)/ nocase ascii
    condition:
        any of them
}

rule Html_TracksReader
{
    meta:
        id = "SKS-6005"
        severity = "info"
        kinds = "html eml"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $pixel = /<img[^>]{0,300}(width|height)\s*=\s*["']?[01]["'\s>]/ nocase ascii
    condition:
        (kind == "html" or kind == "eml") and $pixel
}
