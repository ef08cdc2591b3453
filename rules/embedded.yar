// Programs and shortcuts inside other files, in the encodings that hide them.

rule Embedded_Program
{
    meta:
        id = "SKS-4001"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $stub1 = "This program cannot be run in DOS mode" ascii
        $stub2 = "This program must be run under Win32" ascii
    condition:
        kind != "pe" and kind != "elf" and kind != "macho" and any of them
}

// The count keeps hostile input from making the loop long.
rule Embedded_ProgramByHeader
{
    meta:
        id = "SKS-4002"
        severity = "medium"
        kinds = "doc xls ppt msg cfb rtf jtd"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $mz = "MZ" ascii
    condition:
        kind != "pe" and kind != "elf" and kind != "macho" and (kind == "doc" or kind == "xls" or kind == "ppt" or kind == "msg" or kind == "cfb" or kind == "rtf" or kind == "jtd") and #mz < 5000 and for any i in (1..#mz): (uint32(@mz[i] + 0x3C) < 0x1000 and uint32(@mz[i] + uint32(@mz[i] + 0x3C)) == 0x00004550)
}

// An attached program in a mail is seen as the part that it is.
rule Embedded_ProgramEncoded
{
    meta:
        id = "SKS-4003"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $base64 = "This program cannot be run in DOS mode" base64 base64wide
        $hex = "546869732070726f6772616d2063616e6e6f742062652072756e20696e20444f53206d6f6465" nocase ascii
        $reversed = "edom SOD ni nur eb tonnac margorp sihT" ascii wide
        $wide = "This program cannot be run in DOS mode" wide
        $decimal = "77,90,144,0,3,0,0,0,4,0,0,0,255,255" ascii
        $octets = "0x4d,0x5a,0x90,0x00,0x03,0x00,0x00,0x00" nocase ascii
    condition:
        (kind != "eml" or where != "") and kind != "pe" and kind != "elf" and kind != "macho" and any of them
}

rule Embedded_ProgramInBase64
{
    meta:
        id = "SKS-4004"
        severity = "low"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $start = /TV(qQ|oA|pQ|pB|ro)AA[A-Za-z0-9+\/]{60}/ ascii
        $reversed = /[A-Za-z0-9+\/]{60}AAQqVT/ ascii
    condition:
        (kind != "eml" or where != "") and any of them
}

rule Embedded_Shortcut
{
    meta:
        id = "SKS-4005"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $raw = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $hex = "4c0000000114020000000000c000000000000046" nocase ascii
        $base64 = "TAAAAAEUAgAAAAAAwAAAAAAAAEY" ascii
    condition:
        kind != "lnk" and (kind != "eml" or where != "") and any of them
}

rule Embedded_SelfExtractor
{
    meta:
        id = "SKS-4006"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $sfx1 = "WinRAR SFX" ascii wide
        $sfx2 = "7-Zip SFX" ascii wide nocase
        $sfx3 = "Nullsoft.NSIS" ascii
        $sfx4 = "Inno Setup Setup Data" ascii
        $sfx5 = "!@Install@!UTF-8!" ascii
    condition:
        kind != "pe" and kind != "elf" and kind != "macho" and any of them
}
