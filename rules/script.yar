rule Html_Smuggling
{
    meta:
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $decode = "atob(" nocase ascii
        $blob = "new Blob" nocase ascii
        $save1 = ".download" nocase ascii
        $save2 = "msSaveOrOpenBlob" nocase ascii
    condition:
        $blob and any of ($save*) and ($decode or #blob > 1)
}

rule Pdf_LaunchesProgram
{
    meta:
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $launch = /\/Launch[\s\/<(>]/ ascii
        $target = /\/(Win|F|Mac|Unix)[\s\/<(]/ ascii
    condition:
        kind == "pdf" and $launch and $target
}

rule Script_DownloadsAndRuns
{
    meta:
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $shell1 = "powershell" nocase ascii wide
        $shell2 = "mshta" nocase ascii wide
        $shell3 = "regsvr32" nocase ascii wide
        $hidden1 = "-enc" nocase ascii wide
        $hidden2 = "-WindowStyle Hidden" nocase ascii wide
        $load1 = "DownloadString" nocase ascii wide
        $load2 = "DownloadFile" nocase ascii wide
        $load3 = "Net.WebClient" nocase ascii wide
    condition:
        1 of ($shell*) and (1 of ($load*) or 1 of ($hidden*))
}
