rule Embedded_Program
{
    meta:
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $stub = "This program cannot be run in DOS mode" ascii
        $base64 = "VGhpcyBwcm9ncmFtIGNhbm5vdCBiZSBydW4gaW4gRE9TIG1vZGU" ascii
        $hex = "546869732070726f6772616d2063616e6e6f742062652072756e20696e20444f53206d6f6465" nocase ascii
    condition:
        kind != "pe" and any of them
}

rule Embedded_ProgramInBase64
{
    meta:
        severity = "low"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $start = /TV(qQ|oA|pQ|pB)AA[A-Za-z0-9+\/]{60}/ ascii
    condition:
        $start
}
