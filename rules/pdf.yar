// PDF: actions that start something, and the script of known exploits.

rule Pdf_LaunchesProgram
{
    meta:
        id = "SKS-2001"
        severity = "medium"
        kinds = "pdf"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $launch = /\/Launch[\s\/<(>]/ ascii
        $target1 = /\/F[\s\/<(]/ ascii
        $target2 = /\/Win[\s\/<(]/ ascii
        $target3 = /\/Mac[\s\/<(]/ ascii
        $target4 = /\/Unix[\s\/<(]/ ascii
    condition:
        kind == "pdf" and $launch and any of ($target*)
}

rule Pdf_ScriptOnOpen
{
    meta:
        id = "SKS-2002"
        severity = "medium"
        kinds = "pdf"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $open = /\/(OpenAction|AA)[\s\/<\[]/ ascii
        $script = /\/(JS|JavaScript)[\s\/<(\[]/ ascii
    condition:
        kind == "pdf" and $open and $script
}

rule Pdf_HiddenName
{
    meta:
        id = "SKS-2003"
        severity = "medium"
        kinds = "pdf"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $js = /\/(J|#4[aA])(a|#61)?(v|#76)?(a|#61)?(S|#53)(c|#63)?(r|#72)?(i|#69)?(p|#70)?(t|#74)?[\s\/<(]/ ascii
        $hex1 = /#[4-7][0-9a-fA-F][A-Za-z#0-9]{1,24}/ ascii
        $plain1 = "/JS" ascii
        $plain2 = "/JavaScript" ascii
    condition:
        kind == "pdf" and $js and $hex1 and not any of ($plain*)
}

// A call that only ever mattered to exploits, next to the filling of memory that they need.
rule Pdf_KnownExploit
{
    meta:
        id = "SKS-2004"
        severity = "high"
        author = "Sekisho"
        since = "0.1.0"
        reference = "CVE-2007-5659, CVE-2008-2992, CVE-2009-0927, CVE-2009-4324"
    strings:
        $api1 = "Collab.collectEmailInfo" ascii
        $api2 = "Collab.getIcon" ascii
        $api3 = "media.newPlayer(null)" ascii
        $api4 = /util\.printf\s*\(\s*["\']%\d{4,6}f/ ascii
        $api5 = "spell.customDictionaryOpen" ascii
        $spray1 = /unescape\s*\(\s*["\'](%u[0-9a-fA-F]{4}){4}/ nocase ascii
        $spray2 = /(%u0[cdCD]0[cdCD]){2}/ ascii
        $spray3 = /(%u9090){2}/ ascii
    condition:
        any of ($api*) and any of ($spray*)
}

rule Pdf_AttachedProgram
{
    meta:
        id = "SKS-2005"
        severity = "medium"
        kinds = "pdf"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $attached = "/EmbeddedFile" ascii
        $name = /\/U?F\s*\([^)]{1,200}\.(exe|scr|com|bat|cmd|vbs|js|hta|lnk|ps1|msi|jar|iso)\s*\)/ nocase ascii
    condition:
        kind == "pdf" and $attached and $name
}

rule Pdf_RichMedia
{
    meta:
        id = "SKS-2006"
        severity = "low"
        kinds = "pdf"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $flash = /\/(RichMedia|Flash|3D|U3D)[\s\/<(]/ ascii
        $xfa = /\/XFA[\s\/<\[(]/ ascii
    condition:
        kind == "pdf" and any of them
}
