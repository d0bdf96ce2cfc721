"""Pure rules of settlement. Amounts in fen."""

from datetime import datetime, timedelta


def parts(amount_fen: int, single_fen: int) -> list[int]:
    """The parts in which a rail that takes `single_fen` at once pays an amount: as few as can be, even to a fen."""
    count = -(-amount_fen // single_fen)
    return [amount_fen // count + (1 if n < amount_fen % count else 0) for n in range(count)]


def dead(sent_at: datetime | None, asked: datetime, stale_seconds: int) -> bool:
    """Whether a payout which its rail has refused, and had not heard of when it was `asked`, can take effect no more.

    So it is once every request, the last written down at `sent_at`, is older than the rail takes. Twice its limit: its
    clock may differ from ours by as much before it refuses us altogether.
    """
    return sent_at is None or asked - sent_at > timedelta(seconds=2 * stale_seconds)
