rule Test_EICAR
{
    meta:
        severity = "high"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        // The standard anti-virus test file, written so that this file does not contain it.
        $eicar = /X5O!P%@AP\[4\\PZX54\(P\^\)7CC\)7\}\$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!\$H\+H\*/
    condition:
        $eicar
}
