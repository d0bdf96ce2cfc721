"""Sums, shares and counts as people type them; a refusal names the field and how it is written."""

import re
from dataclasses import dataclass

from huika.faces.desk.people.plain import NotYet


@dataclass(frozen=True)
class Field:
    """What a field is called in a refusal."""

    zh: str
    en: str


def fen(text: str, field: Field, most_yuan: int) -> int:
    """Yuan, whole or with one or two places, in fen."""
    plain = _plain(text, "元").replace(",", "").lstrip("¥").lstrip()
    if not re.fullmatch(r"[0-9]{1,11}(\.[0-9]{1,2})?", plain, re.ASCII):
        raise NotYet(why_zh=f"{field.zh}写成 500 或 500.50 这样", why_en=f"write {field.en} like 500 or 500.50")
    whole, _, part = plain.partition(".")
    found = int(whole) * 100 + int(part.ljust(2, "0"))
    if found > most_yuan * 100:
        raise NotYet(why_zh=f"{field.zh}最多 {most_yuan:,} 元", why_en=f"{field.en} is at most {most_yuan:,} yuan")
    return found


def bp(text: str, field: Field, most: int) -> int:
    """Hundredths with at most two places, in basis points; `most` in hundredths."""
    plain = _plain(text, "%")
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", plain, re.ASCII):
        raise NotYet(why_zh=f"{field.zh}写成 10 或 0.5 这样", why_en=f"write {field.en} like 10 or 0.5")
    whole, _, part = plain.partition(".")
    found = int(whole) * 100 + int(part.ljust(2, "0"))
    if found > most * 100:
        raise NotYet(why_zh=f"{field.zh}最多 {most}%", why_en=f"{field.en} is at most {most}%")
    return found


def count(text: str, field: Field, most: int) -> int:
    """A whole number from nothing to `most`."""
    plain = _plain(text)
    if not re.fullmatch(r"[0-9]{1,6}", plain, re.ASCII) or int(plain) > most:
        raise NotYet(
            why_zh=f"{field.zh}写成 0 到 {most} 的整数", why_en=f"write {field.en} as a whole number up to {most}"
        )
    return int(plain)


# Figures and signs of a Chinese keyboard.
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {ord("。"): ".", ord("￥"): "¥", ord("\u3000"): " "}


def _plain(text: str, unit: str = "") -> str:
    """Full-width figures and signs as plain ones, without blanks, or the unit at the end."""
    return text.translate(_PLAIN).strip().removesuffix(unit).strip()


def yuan_of(fen: int) -> str:
    """Fen as a form writes them: 500 or 500.50."""
    return f"{fen // 100}.{fen % 100:02d}".removesuffix(".00")


def hundredths_of(bp: int) -> str:
    """Basis points as a form writes them: 1.5."""
    return f"{bp / 100:g}"
