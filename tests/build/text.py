"""Texts and tables, and the bytes that a Japanese office would send them in."""

from __future__ import annotations

from sanitizers import charset

# 60 lines that break under the wrong table: NEC and IBM rows, half-width kana, waves and dashes, letters with a 0x5C byte.
LINES = (
    "①②③⑩⑳ⅠⅡⅢⅩ", "㈱㈲㈹㍻㍼㍽㍾№℡㏍", "髙﨑濵﨟德嵓塚鎭隆", "～－∥￠￡￢", "ｱｲｳｴｵｶﾞｷﾞﾊﾟﾋﾟｯｰ", "ソ表能予十申貼暴構", "ーｰ－−‐―", "〒〓々〆〇ゝゞヽヾ",
    "令和八年十一月二十日（金）", "神奈川県横浜市西区１－２－３", "電話０４５（１２３）４５６７", "金１，２３４，５６７円也", "℃％‰㎡㎜㍑㎏㏄", "№１２３の件について",
    "「能力」・『表示』【重要】", "株式会社　山田（代表取締役）", "Ａ４判・両面・モノクロ", "ヴァイオリン　ヰヱ　ゐゑ", "αβγΔΣΩ АБВ", "←↑→↓⇒⇔∀∃",
    "∑∮√∠⊿∵∩∪≒≡", "┌┬┐├┼┤└┴┘", "♂♀☆★○●◎◇◆□■", "￥１００－", "ﾃｽﾄ ﾃﾞｰﾀ 123", "１／２、±５％", "纊褜鍈銈蓜俉炻昱", "仡仼伀伃伹佖侒侊",
    "〝引用〟", "㌔㌢㍍㌘㌧㌃", "明朝體・舊字體", "斎藤　齋藤　斉藤　齊藤", "渡辺　渡邊　渡邉", "吉田　小林　鈴木",
    "ソフトウェア構成能力表示予算", "暴力団排除条項・貼付欄・噂・欺", "十月一日～三月三十一日", "ﾊﾝｶｸｶﾅ｡｢ﾃｽﾄ｣､･", "㊤㊥㊦㊧㊨", "㍉㌔㌢㍍㌘㌧㌃㌶㍑㍗㌍㌦㌣㌫㍊㌻",
    "∮∑∟⊿", "ⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹ", "￢￤＇＂", "犱犾猤猪獷玽珉珖珣珒", "朎李杦桒柀栁桄棏", "礼神祥福靖精羽", "館鶴隆都飯飼", "凬刕劜劦勀勛匀匇匤", "（仮称）市民センター「さくら」",
    "第１号様式（第３条関係）", "①－１　②－２　③－３", "平成３１年・令和元年・㍻・㍼", "氏名　髙橋　德子　㈲山﨑商店", "ＴＥＬ／ＦＡＸ：０３－１２３４－５６７８", "－－－－キリトリ－－－－",
    "￥1,000\\2,000~3", "あいうえおがぎぐげごぱぴぷぺぽゃゅょっゎ", "アイウエオヴヵヶヮヰヱ", "○×△□◎●▲■★☆→←↑↓〒〃々〆〇ー―‐／＼", "ЁЖЙЪЫЬЭЮЯ ёжй ΑΒΓ αβγ",
)  # fmt: skip
TEXT = "\r\n".join(LINES) + "\r\n"
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp932", "iso-2022-jp-ms", "euc-jp")


def encoded(text: str, encoding: str) -> bytes:
    """Bytes as Japanese software writes them; Python's own `iso2022_jp` and `euc_jp` lack the vendor rows."""
    if encoding in ("iso-2022-jp-ms", "euc-jp"):
        return charset.encode(text, encoding)
    return text.encode(encoding)


def without_twins(text: str) -> str:
    """Without the character that the Japanese sets have under another number (− is their －)."""
    return text.replace("−", "")
