// What anti-virus and spam products test themselves with.

// By its tail, which no escape of RTF or PDF alters; so this file itself does not contain the test file. A mail's own text shows its attachments only as parts.
rule Test_EICAR
{
    meta:
        id = "SKS-0001"
        severity = "high"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $tail = "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*" ascii wide
        $tail_base64 = "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*" base64 base64wide
        $tail_hex = "2445494341522d5354414e444152442d414e544956495255532d544553542d46494c452124482b482a" nocase ascii
    condition:
        (kind != "eml" or where != "") and any of them
}

rule Test_GTUBE
{
    meta:
        id = "SKS-0002"
        severity = "info"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $mark = /XJS\*C4JDBQADN1\.NSBN3\*2IDNEN\*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL\*C\.34X/
    condition:
        $mark
}
