rule Office_AutoOpen
{
    meta:
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $auto1 = "AutoOpen" nocase ascii wide
        $auto2 = "Auto_Open" nocase ascii wide
        $auto3 = "Document_Open" nocase ascii wide
        $auto4 = "Workbook_Open" nocase ascii wide
        $auto5 = "AutoExec" nocase ascii wide
        $vba = "Attribute VB_" ascii
    condition:
        $vba and any of ($auto*)
}

rule Office_MacroStartsProgram
{
    meta:
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $vba = "Attribute VB_" ascii
        $run1 = "WScript.Shell" nocase ascii
        $run2 = "Shell(" nocase ascii
        $run3 = "CreateObject(" nocase ascii
        $run4 = "powershell" nocase ascii
        $run5 = "URLDownloadToFile" nocase ascii
    condition:
        $vba and 1 of ($run*)
}

rule Office_EquationEditor
{
    meta:
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
        reference = "CVE-2017-11882"
    strings:
        $class = { 02 CE 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $name = "Equation.3" ascii wide
    condition:
        any of them
}
