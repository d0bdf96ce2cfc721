"""Money is integer fen; ratios are integer basis points (1/10,000). Nothing here is a float."""

from decimal import ROUND_HALF_EVEN, Decimal

FEN_PER_YUAN = 100
BASIS = 10_000


def share_fen(amount_fen: int, ratio_bp: int) -> int:
    """`ratio_bp` of `amount_fen`, rounded half to even to a whole fen."""
    return int((Decimal(amount_fen) * ratio_bp / BASIS).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def yuan(amount_fen: int) -> str:
    """`123456` fen → `¥1,234.56`; negative amounts carry the sign first."""
    sign = "-" if amount_fen < 0 else ""
    whole, fen = divmod(abs(amount_fen), FEN_PER_YUAN)
    return f"{sign}¥{whole:,}.{fen:02d}"


def zhe(ratio_bp: int) -> str:
    """A payout ratio in the trade's unit: 9360 basis points → `9.36 折`, 9200 → `9.2 折`."""
    text = f"{Decimal(ratio_bp) / 1000:.3f}".rstrip("0").rstrip(".")
    return f"{text} 折"


def ceil_yuan_fen(amount_fen: int) -> int:
    """The next whole yuan at or above, in fen: cash is rounded up for the seller."""
    return -(-amount_fen // FEN_PER_YUAN) * FEN_PER_YUAN


def split_fen(total_fen: int, weights: list[int]) -> list[int]:
    """Share `total_fen` by integer weights so that the parts sum to it exactly (largest remainder, first wins ties)."""
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("weights must sum to more than zero")
    parts = [total_fen * w // whole for w in weights]
    rest = total_fen - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total_fen * weights[i] % whole), i))
    for i in by_remainder[:rest]:
        parts[i] += 1
    return parts
