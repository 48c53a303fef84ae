"""Vietnamese text: one normal form, one search key, one order. Pure."""

import re
import unicodedata

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))  # pasted along from chats and workbooks
_FULLWIDTH = {0xFF01 + i: 0x21 + i for i in range(94)}  # not NFKC, which would read 5² as 52
_TYPED = _FULLWIDTH | dict.fromkeys(map(ord, "‐‑‒–—−"), "-")

_LETTERS = {letter: i for i, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}  # huyền hỏi ngã sắc nặng


def nfc(s):
    """NFC without invisible characters, stripped, each run of white space one space."""
    return " ".join(unicodedata.normalize("NFC", s.translate(_INVISIBLE)).split())


def typed(s):
    """What was typed as a number or date: `nfc` with full-width characters and every dash as ASCII."""
    return nfc(s.translate(_TYPED))


def fold(s):
    """Search key: lower case without dấu, đ as d ("Đảng  viên" → "dang vien")."""
    decomposed = unicodedata.normalize("NFD", nfc(s).casefold())
    bare = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    return " ".join(bare.translate({ord("đ"): "d", ord("ð"): "d"}).split())  # ð: old fonts type Ð for Đ


def header_key(s):
    """Matches workbook headers whatever their case, spaces or NFC/NFD; keeps dấu."""
    return unicodedata.normalize("NFC", nfc(s).casefold()).replace(" ", "")


def sort_key(s):
    """Vietnamese order: letters before tones, "Chi đoàn 2" before "Chi đoàn 10", empty last."""
    return (not nfc(s), *_order(s))


def name_key(full_name):
    """Order of persons: given name, then family name, then middle names; empty last."""
    *before, given = nfc(full_name).split() or [""]
    return not given, _order(given), _order(" ".join(before[:1])), _order(" ".join(before[1:]))


def _order(s):
    """(letters and numbers, tones, the text itself): compared in this order."""
    s = nfc(s)
    letters, tones = [], []
    for piece in re.findall(r"[0-9]+|[^0-9]", s.lower()):
        if piece[0] in "0123456789":
            digits = piece.lstrip("0")  # compared by length, then text: int() refuses very long runs
            letters.append((2, len(digits), digits))
            tones.append(0)
            continue
        marks = unicodedata.normalize("NFD", piece)
        letter = unicodedata.normalize("NFC", "".join(c for c in marks if c not in _TONES))
        letters.append(_rank(letter))
        tones.append(next((_TONES[c] for c in marks if c in _TONES), 0))
    return tuple(letters), tuple(tones), s.swapcase()  # small letters first


def _rank(letter):
    """Spaces, then signs, (numbers,) Vietnamese letters, all others."""
    if letter in _LETTERS:
        return 3, _LETTERS[letter], ""
    if letter.isspace():
        return 0, 0, ""
    return (4 if letter.isalpha() else 1), 0, letter


def sort_text(s, length=300):
    """`sort_key` as digits and capital letters, so that a column's byte order in any database is Vietnamese order."""
    empty, letters, tones, _ = sort_key(s)
    return f"{int(empty)}{_flat(letters)}0{''.join(map(str, tones))}"[:length]


def name_sort(full_name, length=300):
    """`name_key` as digits and capital letters, for a column."""
    empty, *parts = name_key(full_name)
    flat = "0".join(f"{_flat(letters)}0{''.join(map(str, tones))}" for letters, tones, _ in parts)
    return f"{int(empty)}{flat}"[:length]


def _flat(letters):
    """Each letter or number as a code that starts above "0", the separator."""
    codes = {0: "1", 1: "2", 4: "5"}
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "".join(
        f"4{digits[rank]}" if kind == 3 else f"3{digits[min(rank, 35)]}{text}" if kind == 2 else codes[kind]
        for kind, rank, text in letters
    )
