"""Numbers as people here write them: one parser and one formatter for forms, imports and narrative. Pure.

A value is an exact integer in the smallest unit, 10**-decimals of the indicator's unit; None is "no figure", not 0.
The dot groups thousands, the comma starts the decimals: nothing else is guessed.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from unionwork.text import fold, nfc, typed

LARGEST = 9_000_000_000_000_000_000  # fits a BigInteger
_LONGEST = 60  # characters

# Matched without dấu, kept with it.
_WORDS = {
    fold(word): word
    for word in (
        "trên",
        "hơn",
        "gần",
        "khoảng",
        "chừng",
        "xấp xỉ",
        "ước",
        "ước tính",
        "ước đạt",
        "ít nhất",
        "tối thiểu",
        "không dưới",
    )
}
_SCALES = {"nghin ty": 12, "ngan ty": 12, "nghin ti": 12, "ngan ti": 12}
_SCALES |= {"ty": 9, "ti": 9, "trieu": 6, "nghin": 3, "ngan": 3}
_SCALE_NAMES = {12: "nghìn tỷ", 9: "tỷ", 6: "triệu", 3: "nghìn"}
_MONEY = {"dong", "d", "vnd"}

_WORD = re.compile(rf"({'|'.join(sorted(_WORDS, key=len, reverse=True))})\s*(?=[-0-9])")
_SCALE = rf"(?P<scale>{'|'.join(_SCALES)})\b"
_UNIT_SCALE = re.compile(r"(?:(?:nghìn |ngàn )?t[ỷỉ](?! lệ)|triệu|nghìn|ngàn)\b")  # with dấu: not ti vi
_PART = re.compile(
    r"(?P<whole>[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[0-9]+)(?:,(?P<fraction>[0-9]+))?(?![0-9.,])" rf"\s*(?:{_SCALE})?\s*"
)


class NumberError(ValueError):
    """Not a number we accept; `message` says in Vietnamese what is wrong and what to type instead."""

    def __init__(self, message):
        super().__init__(message)
        self.message = message


class Ambiguous(NumberError):
    """Reads two ways; `message` names both."""


@dataclass(frozen=True)
class Parsed:
    value: int | None  # in the smallest unit; None when blank
    word: str = ""  # "trên", "gần", …: kept beside the number


def parse_number(text, decimals=0, unit=""):
    """Read a typed text or a workbook's number. Raises NumberError, Ambiguous.

    With `unit` a text may end in that unit only ("35 cây", "2,819 tỷ đồng"); without, in đồng or %.
    The scale of a unit such as "tỷ đồng" is understood: the value is in its smallest unit.
    """
    shown = _spelled(text)
    rest = fold(shown)
    if rest in ("", "-"):
        return Parsed(None)
    if len(rest) > _LONGEST:
        raise NumberError(f"“{shown[:_LONGEST]}…” quá dài. Ví dụ: 1.234")
    word = ""
    if match := _WORD.match(rest):
        word, rest = _WORDS[match[1]], rest[match.end() :]
    parts = []
    while match := _PART.match(rest):
        parts.append(match)
        rest = rest[match.end() :]
    if not parts:
        raise NumberError(f"“{shown}” {_why_refused(rest)}")
    unit_power, unit_name = _split_unit(unit)
    _check_ending(shown, rest, unit, unit_name)
    if len(parts) > 1:
        digits, power = _sum(shown, parts)
    else:  # 5 in tỷ đồng is 5 tỷ, but "5 đồng" is 5 đồng
        digits, power = _single(shown, parts[0], decimals, default_power=0 if rest else unit_power)
    return Parsed(_smallest(shown, digits, power - unit_power + decimals, decimals), word)


def _spelled(value):
    """The text to read; a workbook's number is spelled as the exact decimal it shows."""
    if value is None:
        return ""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        value = value or 0  # also -0.0
        shown = format(Decimal(repr(value) if isinstance(value, float) else value), "f")
        return shown.rstrip("0").rstrip(".").replace(".", ",") if "." in shown else shown
    return typed(str(value))


def _split_unit(unit):
    """Power of ten and the bare unit: "tỷ đồng" → (9, "dong")."""
    unit = nfc(unit).lower()
    match = _UNIT_SCALE.match(unit)
    return (_SCALES[fold(match[0])], fold(unit[match.end() :])) if match else (0, fold(unit))


def _check_ending(shown, ending, unit, unit_name):
    allowed = {unit_name} if unit_name else {"%", *_MONEY}
    if unit_name in _MONEY:
        allowed = _MONEY
    if ending and ending not in allowed:
        why = f"không hợp với đơn vị tính {unit}: chỉ cần nhập số" if unit else "không phải là số"
        raise NumberError(f"“{shown}” {why}. Ví dụ: 1.234")


def _why_refused(text):
    if text.startswith("-"):
        return "là số âm; chỉ nhập số từ 0 trở lên. Ví dụ: 1.234"
    if re.match(r"[0-9]+,[0-9]+[,.]", text):
        return "viết chưa đúng: hàng nghìn ngăn bằng dấu chấm, phần lẻ bằng dấu phẩy. Ví dụ: 1.234.567"
    if re.match(r"[0-9]+\.", text):
        return "viết chưa đúng: dấu chấm chỉ ngăn từng ba chữ số, phần lẻ viết bằng dấu phẩy. Ví dụ: 1,5 hoặc 1.234"
    return "không phải là số. Ví dụ: 1.234"


def _single(shown, part, decimals, default_power):
    """Digits and their power of ten: "2,819 tỷ" → (2819, 6)."""
    whole, fraction = part["whole"], part["fraction"] or ""
    power = _SCALES[part["scale"]] if part["scale"] else default_power
    if power and not fraction and whole.count(".") == 1:
        raise _two_readings(shown, whole, power)
    if not part["scale"] and len(fraction) > decimals:  # 1,000 is no way to write 1, nor 1000
        raise _too_fine(shown, decimals)
    return int(whole.replace(".", "") + fraction), power - len(fraction)


def _two_readings(shown, whole, power):
    name, digits = _SCALE_NAMES[power], whole.replace(".", "")
    small, large = format_number(int(digits) * 10 ** (power - 3)), format_number(int(digits) * 10**power)
    return Ambiguous(
        f"“{shown}” có hai cách hiểu. Gõ “{whole.replace('.', ',')} {name}” nếu là {small}, "
        f"gõ “{digits} {name}” nếu là {large}"
    )


def _sum(shown, parts):
    """ "12 triệu 500 nghìn" → (12_500_000, 0); "12 triệu 500" is not guessed."""
    total, room = 0, None
    for part in parts:
        scale = 10 ** _SCALES.get(part["scale"], 0)
        plain = part["whole"].isdigit() and not part["fraction"] and scale > 1
        amount = int(part["whole"]) * scale if plain else None
        if amount is None or (room is not None and amount >= room):
            raise NumberError(f"“{shown}” chưa rõ là bao nhiêu. Viết đủ chữ số, ví dụ: 12.500.000")
        total, room = total + amount, scale
    return total, 0


def _smallest(shown, digits, power, decimals):
    value, lost = (digits * 10**power, 0) if power >= 0 else divmod(digits, 10**-power)
    if lost:
        raise _too_fine(shown, decimals)
    if value > LARGEST:
        raise NumberError(
            f"“{shown}” quá lớn. Kiểm tra lại số chữ số; số lớn nhất là {format_number(LARGEST, decimals)}"
        )
    return value


def _too_fine(shown, decimals):
    if not decimals:
        return NumberError(f"“{shown}” phải là số nguyên; hàng nghìn ngăn bằng dấu chấm. Ví dụ: 1.234")
    return NumberError(f"“{shown}” có quá {decimals} chữ số sau dấu phẩy. Ví dụ: 1.234,{'56789'[:decimals]}")


def format_number(value, decimals=0):
    """Smallest units as people read them: 1234567 → "1.234.567", (39780, 2) → "397,8", None → "–"."""
    if value is None:
        return "–"
    whole, part = divmod(abs(value), 10**decimals)
    fraction = f"{part:0{decimals}d}".rstrip("0") if part else ""
    return f"{'-' if value < 0 else ''}{whole:,}".replace(",", ".") + (f",{fraction}" if fraction else "")


def format_percent(hundredths):
    """6650 → "66,5%", None → "–"."""
    return "–" if hundredths is None else f"{format_number(hundredths, 2)}%"


def format_money(dong):
    """12500000 → "12.500.000 đồng", None → "–"."""
    return "–" if dong is None else f"{format_number(dong)} đồng"


def format_money_short(dong):
    """12500000 → "12,5 triệu đồng"; never rounded: in full when three decimals do not hold it exactly."""
    if dong is None:
        return "–"
    power = next((power for power in (12, 9, 6) if abs(dong) >= 10**power), 0)
    if not power or dong % 10 ** (power - 3) or abs(dong) >= 10 ** (power + 3):
        return format_money(dong)
    return f"{format_number(dong // 10 ** (power - 3), 3)} {_SCALE_NAMES[power]} đồng"


def number_in_words(dong):
    """To check a long number by eye: 12500000 → "12 triệu 500 nghìn đồng". Not for negative amounts."""
    return "–" if dong is None else f"{_in_words(dong)} đồng"


def in_words(value, decimals=0, unit="đồng"):
    """What stands beside a box for money, in the indicator's smallest unit: "12 triệu 500 nghìn đồng".

    "" for no figure, for what is not money, and for a fraction of a đồng.
    """
    power, name = _split_unit(unit)
    if value is None or name not in _MONEY:
        return ""
    dong, rest = divmod(value * 10**power, 10**decimals)
    return "" if rest else number_in_words(dong)


def _in_words(number):
    words = []
    for power in (9, 6, 3):
        count, number = divmod(number, 10**power)
        if count:
            words.append(f"{_in_words(count)} {_SCALE_NAMES[power]}")
    if number or not words:
        words.append(str(number))
    return " ".join(words)
