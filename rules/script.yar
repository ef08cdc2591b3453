// Commands of shells and script hosts, in macros, shortcuts, pages and text.

rule Script_DownloadsAndRuns
{
    meta:
        id = "SKS-5001"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $shell1 = "powershell" nocase ascii wide
        $shell2 = "mshta" nocase ascii wide
        $shell3 = "wscript" nocase ascii wide
        $load1 = "DownloadString" nocase ascii wide
        $load2 = "DownloadFile" nocase ascii wide
        $load3 = "Net.WebClient" nocase ascii wide
        $load4 = "Invoke-WebRequest" nocase ascii wide
        $load5 = "Start-BitsTransfer" nocase ascii wide
    condition:
        any of ($shell*) and any of ($load*)
}

rule Script_EncodedPowerShell
{
    meta:
        id = "SKS-5002"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $encoded = /powershell(\.exe)?[^\r\n]{0,120}\s-e(nc?|ncodedcommand)?\s+["']?[A-Za-z0-9+\/=]{40}/ nocase ascii wide
        $decode = /FromBase64String\s*\(/ nocase ascii wide
        $run1 = "Invoke-Expression" nocase ascii wide
        $run2 = /\bIEX\s*[\("$]/ nocase ascii wide
        $run3 = "[Reflection.Assembly]::Load" nocase ascii wide
    condition:
        $encoded or ($decode and any of ($run*))
}

rule Script_SystemToolAbused
{
    meta:
        id = "SKS-5003"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $tool1 = /certutil(\.exe)?\s[^\r\n]{0,40}-(urlcache|decode)/ nocase ascii wide
        $tool2 = /bitsadmin(\.exe)?\s+\/transfer/ nocase ascii wide
        $tool3 = /mshta(\.exe)?\s+["']?(https?|javascript|vbscript):/ nocase ascii wide
        $tool4 = /regsvr32(\.exe)?\s[^\r\n]{0,40}\/i:https?:/ nocase ascii wide
        $tool5 = /rundll32(\.exe)?\s+["']?javascript:/ nocase ascii wide
        $tool6 = /wmic(\.exe)?\s[^\r\n]{0,40}process\s+call\s+create/ nocase ascii wide
        $tool7 = /schtasks(\.exe)?\s+\/create\s[^\r\n]{0,200}(powershell|mshta|wscript)/ nocase ascii wide
    condition:
        any of them
}

rule Script_StealsCredentials
{
    meta:
        id = "SKS-5004"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $steal1 = "sekurlsa::logonpasswords" nocase ascii wide
        $steal2 = /comsvcs(\.dll)?,?\s*#?\+?0*(24|MiniDump)/ nocase ascii wide
        $steal3 = /reg(\.exe)?\s+save\s+hklm\\(sam|security|system)/ nocase ascii wide
        $steal4 = "Login Data\\Default" nocase ascii wide
        $steal5 = "procdump" nocase ascii wide
        $lsass = "lsass" nocase ascii wide
    condition:
        any of ($steal1, $steal2, $steal3) or ($steal5 and $lsass) or ($steal4 and $lsass)
}

rule Script_DeletesBackups
{
    meta:
        id = "SKS-5005"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $a = /vssadmin(\.exe)?\s+delete\s+shadows/ nocase ascii wide
        $b = /wbadmin(\.exe)?\s+delete\s+catalog/ nocase ascii wide
        $c = /bcdedit(\.exe)?\s+\/set\s[^\r\n]{0,60}recoveryenabled\s+no/ nocase ascii wide
    condition:
        any of them
}
