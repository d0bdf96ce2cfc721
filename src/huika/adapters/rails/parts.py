"""How every rail that splits a payment splits it."""

from huika.domain.settlement.types import RailQuote


def even(amount_fen: int, single_fen: int) -> RailQuote:
    """Offered: the fewest parts of which none is over `single_fen`, even to a fen, the larger ones first."""
    count = -(-amount_fen // single_fen)
    part, over = divmod(amount_fen, count)
    return RailQuote((part + 1,) * over + (part,) * (count - over))
