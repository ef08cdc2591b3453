// Links that start something or hide where they lead.

rule Link_ProgramOnBareAddress
{
    meta:
        id = "SKS-7001"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $a = /https?:\/\/\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?\/[^\s"'<>]{1,200}\.(exe|scr|hta|ps1|vbs|js|jar|lnk|bat|msi|iso|dll)\b/ nocase ascii wide
    condition:
        $a
}

rule Link_StartsProtocol
{
    meta:
        id = "SKS-7002"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $a = /(href|src|url|Target)\s*[=(]\s*["']?(search-ms|search|ms-msdt|ms-officecmd|ms-search|ms-appinstaller|ms-cxh|vbscript|mhtml):/ nocase ascii wide
        $crumb = /search-ms:[^\s"'<>]{0,200}crumb=location:/ nocase ascii wide
    condition:
        any of them
}

rule Link_NetworkShare
{
    meta:
        id = "SKS-7003"
        severity = "low"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $file = /(href|src|Target)\s*=\s*["']?file:\/\/\/?\/?\\?\\?[a-z0-9.-]{3,60}[\/\\@]/ nocase ascii wide
        $unc = /(href|src|Target)\s*=\s*["']?\\\\[a-z0-9.-]{3,60}(@(SSL|\d{2,5}))?\\/ nocase ascii wide
    condition:
        any of them
}

rule Link_HiddenHost
{
    meta:
        id = "SKS-7004"
        severity = "low"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $user = /https?:\/\/[a-z0-9.-]{1,80}\.(co\.jp|go\.jp|lg\.jp|ne\.jp|com|jp)(:[^@\s\/"'<>]{0,40})?@[a-z0-9.-]{3,80}/ nocase ascii wide
        $punycode = /https?:\/\/([a-z0-9-]{1,40}\.){0,3}xn--[a-z0-9-]{3,60}\.(com|net|org|top|xyz|info|cn|ru)\b/ nocase ascii wide
    condition:
        any of them
}
