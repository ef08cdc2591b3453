// Macros and links of office documents: what they do once they run.

rule Office_AutoOpen
{
    meta:
        id = "SKS-1001"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $vba = "Attribute VB_" ascii
        $auto1 = "AutoOpen" nocase ascii
        $auto2 = "Auto_Open" nocase ascii
        $auto3 = "AutoExec" nocase ascii
        $auto4 = "AutoClose" nocase ascii
        $auto5 = "Auto_Close" nocase ascii
        $auto6 = "Document_Open" nocase ascii
        $auto7 = "Document_Close" nocase ascii
        $auto8 = "Document_New" nocase ascii
        $auto9 = "Workbook_Open" nocase ascii
        $auto10 = "Workbook_Activate" nocase ascii
        $auto11 = "Workbook_BeforeClose" nocase ascii
    condition:
        $vba and any of ($auto*)
}

rule Office_MacroStartsProgram
{
    meta:
        id = "SKS-1002"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $vba = "Attribute VB_" ascii
        $run1 = "WScript.Shell" nocase ascii
        $run2 = /\bShell[ (]/ nocase ascii
        $run3 = "ShellExecute" nocase ascii
        $run4 = "powershell" nocase ascii
        $run5 = "winmgmts:" nocase ascii
        $run6 = "Win32_Process" nocase ascii
        $run7 = "cmd.exe" nocase ascii
        $run8 = "cmd /c" nocase ascii
    condition:
        $vba and any of ($run*)
}

rule Office_MacroDownloads
{
    meta:
        id = "SKS-1003"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $vba = "Attribute VB_" ascii
        $get1 = "URLDownloadToFile" nocase ascii
        $get2 = "MSXML2.XMLHTTP" nocase ascii
        $get3 = "MSXML2.ServerXMLHTTP" nocase ascii
        $get4 = "WinHttp.WinHttpRequest" nocase ascii
        $get5 = "Adodb.Stream" nocase ascii
        $get6 = "InternetExplorer.Application" nocase ascii
        $get7 = "bitsadmin" nocase ascii
    condition:
        $vba and any of ($get*)
}

// All four steps of a dropper in one module: starts by itself, fetches, hides, runs. No form of an office hides a window or encodes its command.
rule Office_MacroDropper
{
    meta:
        id = "SKS-1004"
        severity = "high"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $vba = "Attribute VB_" ascii
        $auto1 = "AutoOpen" nocase ascii
        $auto2 = "Document_Open" nocase ascii
        $auto3 = "Workbook_Open" nocase ascii
        $auto4 = "Auto_Open" nocase ascii
        $get1 = "URLDownloadToFile" nocase ascii
        $get2 = /\.DownloadFile\s*\(/ nocase ascii
        $get3 = /\.DownloadString\s*\(/ nocase ascii
        $hide1 = /-w(indowstyle)?\s+h(idden)?\b/ nocase ascii
        $hide2 = /-e(nc|ncodedcommand)?\s+[A-Za-z0-9+\/=]{40}/ nocase ascii
        $run1 = "WScript.Shell" nocase ascii
        $run2 = /\bShell[ (]/ nocase ascii
        $run3 = "ShellExecute" nocase ascii
        $run4 = "Win32_Process" nocase ascii
    condition:
        $vba and any of ($auto*) and any of ($get*) and any of ($hide*) and any of ($run*)
}

rule Office_MacroObfuscated
{
    meta:
        id = "SKS-1005"
        severity = "low"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $vba = "Attribute VB_" ascii
        $chr = /(Chr[W$]{0,2}\(\d{1,3}\)\s*[&+]\s*){8}/ nocase ascii
        $hex = /"([0-9A-F]{2}){120}/ nocase ascii
        $reverse = /StrReverse\s*\(\s*"/ nocase ascii
        $xor = /Chr[W$]{0,2}\s*\(\s*Asc\s*\([^)]{1,60}\)\s*Xor/ nocase ascii
    condition:
        $vba and any of ($chr, $hex, $reverse, $xor)
}

rule Office_ExcelMacroSheet
{
    meta:
        id = "SKS-1006"
        severity = "low"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $sheet = "Excel 4.0 Macro" nocase ascii wide
        $part = "xl/macrosheets/" ascii
        $call1 = /=(EXEC|CALL|REGISTER|FORMULA\.FILL)\s*\(/ nocase ascii
    condition:
        any of them
}

rule Office_EquationEditor
{
    meta:
        id = "SKS-1010"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
        reference = "CVE-2017-11882, CVE-2018-0802"
    strings:
        $class = { 02 CE 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $name = "Equation.3" ascii wide
        $hex_class = "02ce020000000000c000000000000046" nocase ascii
        $hex_name = "4571756174696f6e2e33" nocase ascii
    condition:
        any of them
}

rule Office_LinkedObjectFromWeb
{
    meta:
        id = "SKS-1011"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
        reference = "CVE-2017-0199, CVE-2021-40444"
    strings:
        $link = { 00 03 00 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $moniker = { E0 C9 EA 79 F9 BA CE 11 8C 82 00 AA 00 4B A9 0B }
        $moniker_hex = "e0c9ea79f9bace118c8200aa004ba90b" nocase ascii
        $link_hex = "0003000000000000c000000000000046" nocase ascii
        $rtf = "\\objautlink" ascii
        $url1 = "http" ascii wide nocase
        $url2 = "68007400740070" ascii
    condition:
        ($moniker and $link and any of ($url*)) or ($moniker_hex and any of ($link_hex, $rtf))
}

rule Office_RemoteTemplate
{
    meta:
        id = "SKS-1012"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
        reference = "MITRE ATT&CK T1221"
    strings:
        $type1 = "/attachedTemplate\"" ascii
        $type2 = "/oleObject\"" ascii
        $type3 = "/frame\"" ascii
        $external = "TargetMode=\"External\"" ascii
        $web = /Target="(https?|file|mhtml|ftp):/ nocase ascii
    condition:
        any of ($type*) and $external and $web
}

rule Office_Dde
{
    meta:
        id = "SKS-1013"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $auto = "DDEAUTO" ascii wide nocase
        $service = "ddeService=" ascii
        // by its quotation mark, so that not every equals sign is looked at
        $topic1 = /=\s*["']?[a-z]{2,12}\|'/ nocase ascii
        $topic2 = /=\s*["']?[a-z]{2,12}\|"/ nocase ascii
        $run1 = "cmd" nocase ascii wide
        $run2 = "powershell" nocase ascii wide
        $run3 = "mshta" nocase ascii wide
    condition:
        ($auto or $service or any of ($topic*)) and any of ($run*)
}

rule Office_PackagedProgram
{
    meta:
        id = "SKS-1014"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $native = { 01 00 4F 00 6C 00 65 00 31 00 30 00 4E 00 61 00 74 00 69 00 76 00 65 }
        $package_hex = "5061636b61676500" nocase ascii
        $ending = /\.(exe|scr|com|pif|bat|cmd|vbs|vbe|js|jse|wsf|hta|lnk|ps1|msi|jar)\x00/ nocase ascii
        $ending_hex = /2e(657865|736372|626174|636d64|766273|6a73|777366|687461|6c6e6b|707331|6d7369|6a6172)00/ nocase ascii
    condition:
        ($native and $ending) or ($package_hex and $ending_hex)
}

rule Office_Follina
{
    meta:
        id = "SKS-1015"
        severity = "high"
        author = "Sekisho"
        since = "0.1.0"
        reference = "CVE-2022-30190"
    strings:
        $scheme = "ms-msdt:" nocase ascii wide
        $parameter = "IT_BrowseForFile=" nocase ascii wide
        $call1 = "$(" ascii wide
        $call2 = "Invoke-Expression" nocase ascii wide
        $go1 = "location.href" nocase ascii
        $go2 = "window.location" nocase ascii
        $go3 = "Target=" nocase ascii
    condition:
        $scheme and $parameter and any of ($call*) and any of ($go*)
}
