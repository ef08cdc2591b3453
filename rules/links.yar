// Links that start something or hide where they lead.

rule Link_ProgramOnBareAddress
{
    meta:
        id = "SKS-7001"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $a1 = /http:\/\/\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?\/[^\s"'<>]{1,200}\.(exe|scr|hta|ps1|vbs|js|jar|lnk|bat|msi|iso|dll)\b/ nocase ascii wide
        $a2 = /https:\/\/\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?\/[^\s"'<>]{1,200}\.(exe|scr|hta|ps1|vbs|js|jar|lnk|bat|msi|iso|dll)\b/ nocase ascii wide
    condition:
        any of them
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
        // one expression for each ending: what is searched for is then ".jp@", and not every address is looked at
        $user1 = /https?:\/\/[a-z0-9.-]{1,80}\.com@[a-z0-9.-]{3}/ nocase ascii wide
        $user2 = /https?:\/\/[a-z0-9.-]{1,80}\.com:[^@\s\/"'<>]{0,40}@[a-z0-9.-]{3}/ nocase ascii wide
        $user3 = /https?:\/\/[a-z0-9.-]{1,80}(\.co|\.go|\.lg|\.ne)?\.jp@[a-z0-9.-]{3}/ nocase ascii wide
        $user4 = /https?:\/\/[a-z0-9.-]{1,80}(\.co|\.go|\.lg|\.ne)?\.jp:[^@\s\/"'<>]{0,40}@[a-z0-9.-]{3}/ nocase ascii wide
        $punycode = /https?:\/\/([a-z0-9-]{1,40}\.){0,3}xn--[a-z0-9-]{3,60}\.(com|net|org|top|xyz|info|cn|ru)\b/ nocase ascii wide
    condition:
        any of them
}
