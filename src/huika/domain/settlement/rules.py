"""Pure rules of settlement. Amounts in fen."""

from datetime import datetime, timedelta


def parts(amount_fen: int, single_fen: int) -> list[int]:
    """The parts in which a rail that takes `single_fen` at once pays an amount: as few as can be, even to a fen."""
    count = -(-amount_fen // single_fen)
    return [amount_fen // count + (1 if n < amount_fen % count else 0) for n in range(count)]


def dead(sends: int, refusals: int, sent_at: datetime | None, at: datetime, stale_seconds: int) -> bool:
    """Whether a payout that its rail has refused, and has never heard of, can no longer take effect.

    Either every request that left was answered with a no, or the last is so old that the rail would refuse it as stale.
    """
    return sends == refusals or sent_at is None or at - sent_at > timedelta(seconds=stale_seconds)
