// What lures say to readers in Japan, in the four encodings that mail and documents use.

// The buttons that a lure tells its reader to press, in UTF-8, UTF-16, Shift_JIS and ISO-2022-JP, in a file that has macros.
rule Lure_EnableContent
{
    meta:
        id = "SKS-8001"
        severity = "medium"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        // コンテンツの有効化
        $enable1_utf8 = "コンテンツの有効化" ascii
        $enable1_utf16 = { B3 30 F3 30 C6 30 F3 30 C4 30 6E 30 09 67 B9 52 16 53 }
        $enable1_sjis = { 83 52 83 93 83 65 83 93 83 63 82 CC 97 4C 8C F8 89 BB }
        $enable1_jis = { 25 33 25 73 25 46 25 73 25 44 24 4E 4D 2D 38 7A 32 3D }
        // 編集を有効にする
        $enable2_utf8 = "編集を有効にする" ascii
        $enable2_utf16 = { E8 7D C6 96 92 30 09 67 B9 52 6B 30 59 30 8B 30 }
        $enable2_sjis = { 95 D2 8F 57 82 F0 97 4C 8C F8 82 C9 82 B7 82 E9 }
        $enable2_jis = { 4A 54 3D 38 24 72 4D 2D 38 7A 24 4B 24 39 24 6B }
        $english1 = "Enable Content" ascii wide
        $english2 = "Enable Editing" ascii wide
        $vba1 = "_VBA_PROJECT" ascii wide
        $vba2 = "vbaProject.bin" ascii
        $vba3 = "xl/macrosheets/" ascii
    condition:
        any of ($enable1_*, $enable2_*, $english1, $english2) and any of ($vba*)
}

rule Lure_AccountStopped
{
    meta:
        id = "SKS-8002"
        severity = "low"
        kinds = "eml html msg"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        // アカウントが停止
        $account1_utf8 = "アカウントが停止" ascii
        $account1_utf16 = { A2 30 AB 30 A6 30 F3 30 C8 30 4C 30 5C 50 62 6B }
        $account1_sjis = { 83 41 83 4A 83 45 83 93 83 67 82 AA 92 E2 8E 7E }
        $account1_jis = { 25 22 25 2B 25 26 25 73 25 48 24 2C 44 64 3B 5F }
        // アカウントを停止
        $account2_utf8 = "アカウントを停止" ascii
        $account2_utf16 = { A2 30 AB 30 A6 30 F3 30 C8 30 92 30 5C 50 62 6B }
        $account2_sjis = { 83 41 83 4A 83 45 83 93 83 67 82 F0 92 E2 8E 7E }
        $account2_jis = { 25 22 25 2B 25 26 25 73 25 48 24 72 44 64 3B 5F }
        // アカウントが制限
        $account3_utf8 = "アカウントが制限" ascii
        $account3_utf16 = { A2 30 AB 30 A6 30 F3 30 C8 30 4C 30 36 52 50 96 }
        $account3_sjis = { 83 41 83 4A 83 45 83 93 83 67 82 AA 90 A7 8C C0 }
        $account3_jis = { 25 22 25 2B 25 26 25 73 25 48 24 2C 40 29 38 42 }
        // ご利用を制限
        $account4_utf8 = "ご利用を制限" ascii
        $account4_utf16 = { 54 30 29 52 28 75 92 30 36 52 50 96 }
        $account4_sjis = { 82 B2 97 98 97 70 82 F0 90 A7 8C C0 }
        $account4_jis = { 24 34 4D 78 4D 51 24 72 40 29 38 42 }
        // 本人確認
        $verify1_utf8 = "本人確認" ascii
        $verify1_utf16 = { 2C 67 BA 4E BA 78 8D 8A }
        $verify1_sjis = { 96 7B 90 6C 8A 6D 94 46 }
        $verify1_jis = { 4B 5C 3F 4D 33 4E 47 27 }
        // お支払い方法の更新
        $verify2_utf8 = "お支払い方法の更新" ascii
        $verify2_utf16 = { 4A 30 2F 65 55 62 44 30 B9 65 D5 6C 6E 30 F4 66 B0 65 }
        $verify2_sjis = { 82 A8 8E 78 95 A5 82 A2 95 FB 96 40 82 CC 8D 58 90 56 }
        $verify2_jis = { 24 2A 3B 59 4A 27 24 24 4A 7D 4B 21 24 4E 39 39 3F 37 }
        // お支払い情報の更新
        $verify3_utf8 = "お支払い情報の更新" ascii
        $verify3_utf16 = { 4A 30 2F 65 55 62 44 30 C5 60 31 58 6E 30 F4 66 B0 65 }
        $verify3_sjis = { 82 A8 8E 78 95 A5 82 A2 8F EE 95 F1 82 CC 8D 58 90 56 }
        $verify3_jis = { 24 2A 3B 59 4A 27 24 24 3E 70 4A 73 24 4E 39 39 3F 37 }
        // パスワードの有効期限
        $verify4_utf8 = "パスワードの有効期限" ascii
        $verify4_utf16 = { D1 30 B9 30 EF 30 FC 30 C9 30 6E 30 09 67 B9 52 1F 67 50 96 }
        $verify4_sjis = { 83 70 83 58 83 8F 81 5B 83 68 82 CC 97 4C 8C F8 8A FA 8C C0 }
        $verify4_jis = { 25 51 25 39 25 6F 21 3C 25 49 24 4E 4D 2D 38 7A 34 7C 38 42 }
        // 24時間以内
        $haste1_utf8 = "24時間以内" ascii
        $haste1_utf16 = { 32 00 34 00 42 66 93 95 E5 4E 85 51 }
        $haste1_sjis = { 32 34 8E 9E 8A D4 88 C8 93 E0 }
        $haste1_jis = { 24 42 3B 7E 34 56 30 4A 46 62 }
        // 48時間以内
        $haste2_utf8 = "48時間以内" ascii
        $haste2_utf16 = { 34 00 38 00 42 66 93 95 E5 4E 85 51 }
        $haste2_sjis = { 34 38 8E 9E 8A D4 88 C8 93 E0 }
        $haste2_jis = { 24 42 3B 7E 34 56 30 4A 46 62 }
        // 至急ご確認
        $haste3_utf8 = "至急ご確認" ascii
        $haste3_utf16 = { F3 81 25 60 54 30 BA 78 8D 8A }
        $haste3_sjis = { 8E 8A 8B 7D 82 B2 8A 6D 94 46 }
        $haste3_jis = { 3B 6A 35 5E 24 34 33 4E 47 27 }
        // 最終通知
        $haste4_utf8 = "最終通知" ascii
        $haste4_utf16 = { 00 67 42 7D 1A 90 E5 77 }
        $haste4_sjis = { 8D C5 8F 49 92 CA 92 6D }
        $haste4_jis = { 3A 47 3D 2A 44 4C 43 4E }
        // 最終通告
        $haste5_utf8 = "最終通告" ascii
        $haste5_utf16 = { 00 67 42 7D 1A 90 4A 54 }
        $haste5_sjis = { 8D C5 8F 49 92 CA 8D 90 }
        $haste5_jis = { 3A 47 3D 2A 44 4C 39 70 }
        $link = /https?:\/\// nocase ascii wide
    condition:
        (kind == "eml" or kind == "html" or kind == "msg") and $link and any of ($account*) and any of ($verify*) and any of ($haste*)
}

rule Lure_OverdueTax
{
    meta:
        id = "SKS-8003"
        severity = "low"
        kinds = "eml html msg"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        // 未納
        $money1_utf8 = "未納" ascii
        $money1_utf16 = { 2A 67 0D 7D }
        $money1_sjis = { 96 A2 94 5B }
        $money1_jis = { 4C 24 47 3C }
        // 差し押さえ
        $money2_utf8 = "差し押さえ" ascii
        $money2_utf16 = { EE 5D 57 30 BC 62 55 30 48 30 }
        $money2_sjis = { 8D B7 82 B5 89 9F 82 B3 82 A6 }
        $money2_jis = { 3A 39 24 37 32 21 24 35 24 28 }
        // 滞納
        $money3_utf8 = "滞納" ascii
        $money3_utf16 = { DE 6E 0D 7D }
        $money3_sjis = { 91 D8 94 5B }
        $money3_jis = { 42 5A 47 3C }
        // 24時間以内
        $haste1_utf8 = "24時間以内" ascii
        $haste1_utf16 = { 32 00 34 00 42 66 93 95 E5 4E 85 51 }
        $haste1_sjis = { 32 34 8E 9E 8A D4 88 C8 93 E0 }
        $haste1_jis = { 24 42 3B 7E 34 56 30 4A 46 62 }
        // 48時間以内
        $haste2_utf8 = "48時間以内" ascii
        $haste2_utf16 = { 34 00 38 00 42 66 93 95 E5 4E 85 51 }
        $haste2_sjis = { 34 38 8E 9E 8A D4 88 C8 93 E0 }
        $haste2_jis = { 24 42 3B 7E 34 56 30 4A 46 62 }
        // 至急ご確認
        $haste3_utf8 = "至急ご確認" ascii
        $haste3_utf16 = { F3 81 25 60 54 30 BA 78 8D 8A }
        $haste3_sjis = { 8E 8A 8B 7D 82 B2 8A 6D 94 46 }
        $haste3_jis = { 3B 6A 35 5E 24 34 33 4E 47 27 }
        // 最終通知
        $haste4_utf8 = "最終通知" ascii
        $haste4_utf16 = { 00 67 42 7D 1A 90 E5 77 }
        $haste4_sjis = { 8D C5 8F 49 92 CA 92 6D }
        $haste4_jis = { 3A 47 3D 2A 44 4C 43 4E }
        // 最終通告
        $haste5_utf8 = "最終通告" ascii
        $haste5_utf16 = { 00 67 42 7D 1A 90 4A 54 }
        $haste5_sjis = { 8D C5 8F 49 92 CA 8D 90 }
        $haste5_jis = { 3A 47 3D 2A 44 4C 39 70 }
        // 国税庁
        $office1_utf8 = "国税庁" ascii
        $office1_utf16 = { FD 56 0E 7A 81 5E }
        $office1_sjis = { 8D 91 90 C5 92 A1 }
        $office1_jis = { 39 71 40 47 44 23 }
        // 税務署
        $office2_utf8 = "税務署" ascii
        $office2_utf16 = { 0E 7A D9 52 72 7F }
        $office2_sjis = { 90 C5 96 B1 8F 90 }
        $office2_jis = { 40 47 4C 33 3D 70 }
        // 電子マネー
        $pay1_utf8 = "電子マネー" ascii
        $pay1_utf16 = { FB 96 50 5B DE 30 CD 30 FC 30 }
        $pay1_sjis = { 93 64 8E 71 83 7D 83 6C 81 5B }
        $pay1_jis = { 45 45 3B 52 25 5E 25 4D 21 3C }
        // Vプリカ
        $pay2_utf8 = "Vプリカ" ascii
        $pay2_utf16 = { 56 00 D7 30 EA 30 AB 30 }
        $pay2_sjis = { 56 83 76 83 8A 83 4A }
        $pay2_jis = { 42 25 57 25 6A 25 2B }
        $link = /https?:\/\// nocase ascii wide
    condition:
        (kind == "eml" or kind == "html" or kind == "msg") and any of ($office*) and any of ($money*) and any of ($haste*) and ($link or any of ($pay*))
}

rule Lure_PackedAndLocked
{
    meta:
        id = "SKS-8004"
        severity = "info"
        kinds = "eml"
        author = "Sekisho"
        since = "0.1.0"
    strings:
        // パスワード
        $word1_utf8 = "パスワード" ascii
        $word1_utf16 = { D1 30 B9 30 EF 30 FC 30 C9 30 }
        $word1_sjis = { 83 70 83 58 83 8F 81 5B 83 68 }
        $word1_jis = { 25 51 25 39 25 6F 21 3C 25 49 }
        // 解凍
        $word2_utf8 = "解凍" ascii
        $word2_utf16 = { E3 89 CD 51 }
        $word2_sjis = { 89 F0 93 80 }
        $word2_jis = { 32 72 45 60 }
        $attached = /filename\*?=[^\r\n]{1,200}\.(zip|7z|rar|lzh|iso|img)/ nocase ascii
    condition:
        kind == "eml" and $attached and any of ($word1_*) and any of ($word2_*)
}
