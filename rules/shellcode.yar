// Machine code where no machine code belongs.

// Fourteen and more exact bytes: they do not come about by chance.
rule Shellcode_ApiHashBlock
{
    meta:
        id = "SKS-3001"
        severity = "high"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $x86 = { FC E8 (82|8F|89) 00 00 00 60 89 E5 31 D2 64 8B 52 30 }
        $x64 = { FC 48 83 E4 F0 E8 (C0|C8|CC) 00 00 00 41 51 41 50 52 51 56 }
        $x86_base64 = "/OiCAAAAYInlMdJki1Iw" ascii wide
        $x64_base64 = "/EiD5PDowAAAAEFRQVBSUV" ascii wide
        $x86_hex = "fce8820000006089e531d2648b5230" nocase ascii
        $x64_hex = "fc4883e4f0e8c0000000415141505251" nocase ascii
        $x86_escaped = "\\xfc\\xe8\\x82\\x00\\x00\\x00\\x60\\x89\\xe5" nocase ascii
        $x64_escaped = "\\xfc\\x48\\x83\\xe4\\xf0\\xe8" nocase ascii
    condition:
        (kind != "eml" or where != "") and kind != "pe" and kind != "elf" and kind != "macho" and any of them
}

rule Shellcode_FindsItself
{
    meta:
        id = "SKS-3002"
        severity = "low"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $fstenv = { D9 (EE|C0|E1|E8|F6) D9 74 24 F4 (58|59|5A|5B|5D|5E|5F) }
        $peb32 = { 64 A1 30 00 00 00 8B 40 0C }
        $peb64 = { 65 48 8B 04 25 60 00 00 00 }
        $ror13 = { C1 CF 0D 01 C7 }
    condition:
        kind != "pe" and kind != "elf" and kind != "macho" and any of them
}

rule Shellcode_EscapedSled
{
    meta:
        id = "SKS-3003"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $u = /(%u9090){4}/ ascii nocase
        $x = /(\\x90){16}/ ascii nocase
        $hex = /(90){64}/ ascii
        $spray = /(%u0[c-d]0[c-d]){4}/ ascii nocase
    condition:
        kind != "pe" and kind != "elf" and kind != "macho" and any of ($u, $x, $spray) or (kind == "rtf" and $hex)
}

rule Shellcode_RawSled
{
    meta:
        id = "SKS-3004"
        severity = "low"
        kinds = "doc xls ppt rtf pdf jtd"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $nops = { 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 E8 }
        $jump = { 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 EB (??) 5? }
    condition:
        any of them and (kind == "doc" or kind == "xls" or kind == "ppt" or kind == "rtf" or kind == "pdf" or kind == "jtd")
}
