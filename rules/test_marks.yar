// What anti-virus and spam products test themselves with.

// Written so that this file itself does not contain the test file. A mail's own text shows its attachments only as parts.
rule Test_EICAR
{
    meta:
        id = "SKS-0001"
        severity = "high"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        $plain = /X5O!P%@AP\[4\\PZX54\(P\^\)7CC\)7\}\$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!\$H\+H\*/
        $tail_base64 = "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*" base64 base64wide
        $tail_wide = "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*" wide
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
