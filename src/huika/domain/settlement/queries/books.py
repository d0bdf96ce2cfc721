"""The desk's figures: payouts by state, times to money, holds by age, purses, slips, closes, reconciliation. In fen."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Min, Q, Sum

from huika.domain.ledger import queries as ledger
from huika.domain.settlement import accounts, models
from huika.domain.settlement.types import (
    CashLine,
    DayRef,
    DifferenceRef,
    HoldAge,
    PurseRef,
    RailTimes,
    ReconciliationRef,
    ShiftRef,
    Slip,
    SlipLine,
    StateSum,
    StopRef,
    VisitProfit,
)
from huika.kit import clock
from huika.kit.refusals import NotFound

AGES_HOURS = (0, 4, 24, 72, 168)


def payouts_by_state() -> Sequence[StateSum]:
    """Every rail and state that has payouts, with the oldest."""
    rows = models.Payout.objects.values("rail", "state").annotate(
        n=Count("id"), fen=Sum("amount_fen"), oldest=Min("created_at")
    )
    return [StateSum(r["rail"], r["state"], r["n"], r["fen"], r["oldest"]) for r in rows.order_by("rail", "state")]


def times_to_money(start: datetime, end: datetime) -> Sequence[RailTimes]:
    """By rail: from the moment a card's money was owed to its arrival, for payouts made from `start` to before `end`.

    Reserves are left out: their date was agreed. Cash counts from the first card credited to the hand-over.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rail, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),"
            " percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) FROM ("
            "  SELECT p.rail, extract(epoch FROM p.paid_at - coalesce(c.at,"
            "   (SELECT min(k.at) FROM settlement_capture k"
            "   JOIN settlement_freeze f ON f.id = k.freeze_id WHERE f.order_id = p.order_id), p.created_at))"
            "   AS seconds"
            "  FROM settlement_payout p LEFT JOIN settlement_capture c ON c.card_id = p.card_id"
            "  WHERE p.state = 'paid' AND p.what = 'card' AND p.created_at >= %s AND p.created_at < %s) t"
            " GROUP BY rail ORDER BY rail",
            [start, end],
        )
        return [RailTimes(rail, n, float(p50), float(p90)) for rail, n, p50, p90 in cursor.fetchall()]


def holds_by_age(at: datetime) -> Sequence[HoldAge]:
    """What is held for accepted orders, by how long it has been; the youngest first."""
    found = ledger.open_holds()
    ages = []
    for n, hours in enumerate(AGES_HOURS):
        until = AGES_HOURS[n + 1] if n + 1 < len(AGES_HOURS) else None
        some = [
            h.open_fen
            for h in found
            if at - h.at >= timedelta(hours=hours) and (until is None or at - h.at < timedelta(hours=until))
        ]
        ages.append(HoldAge(hours, len(some), sum(some)))
    return ages


def own_at_custodian_fen() -> int:
    """What of the money at the custodian is the operator's own: all of it, less what belongs to recyclers and sellers
    and what is on its way to sellers or insurers.

    One statement, so that all of it is seen at one moment: money that moves between two looks would count as ours.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT -coalesce(sum(balance_fen), 0)::bigint FROM ledger_balances WHERE code = %s"
            " OR starts_with(code, 'transit:') OR (kind = 'party' AND code ~ ':(escrow|payable|reserve)$')",
            [accounts.CUSTODIAN],
        )
        return int(cursor.fetchone()[0])


def premiums_owed() -> Sequence[tuple[str, int]]:
    """Premiums that were collected for insurers and not passed on, by the fee's code; fen."""
    return [(b.account.removeprefix("transit:"), b.balance_fen) for b in ledger.balances("transit:premium")]


def purses() -> Sequence[PurseRef]:
    """Every courier's cash, with what is asked for."""
    asked = {r.courier_id: r for r in models.TopUpRequest.objects.filter(answered_at=None)}
    found = []
    for b in ledger.balances("outside:cash:"):
        courier = UUID(b.account.rpartition(":")[2])
        request = asked.get(courier)
        found.append(
            PurseRef(courier, -b.balance_fen, request.amount_fen if request else 0, request.id if request else None)
        )
    return found


def couriers_extras(couriers: Collection[UUID], start: datetime, end: datetime) -> dict[str, int]:
    """Bonuses, deductions and cash that did not add up, of some couriers from `start` to before `end`, as they are
    booked: a deduction, cash that was missing and notes that were false are below zero. In fen.
    """
    lines = models.PayLine.objects.filter(courier_id__in=couriers, at__gte=start, at__lt=end)
    moves = models.CashMove.objects.filter(courier_id__in=couriers, at__gte=start, at__lt=end)
    kinds = [(lines, "bonus"), (lines, "deduction"), (moves, "shortage"), (moves, "overage"), (moves, "counterfeit")]
    return {f"{kind}_fen": rows.filter(kind=kind).aggregate(fen=Sum("amount_fen"))["fen"] or 0 for rows, kind in kinds}


def purse_fen(courier: UUID) -> int:
    """What a courier's purse holds; nothing before the first float."""
    try:
        return -ledger.balance(accounts.cash(courier)).balance_fen
    except NotFound:
        return 0


def cash_lines(courier: UUID, start: datetime, end: datetime) -> Sequence[CashLine]:
    """What changed a purse from `start` to before `end`, cash paid to sellers included, oldest first."""
    moves = models.CashMove.objects.filter(courier_id=courier, at__gte=start, at__lt=end)
    paid = models.Payout.objects.filter(courier_id=courier, rail="cash", paid_at__gte=start, paid_at__lt=end)
    lines = [CashLine(m.kind, m.amount_fen, m.reason, m.reference, m.at) for m in moves]
    lines += [CashLine("paid", -p.amount_fen - p.rounding_fen, "", p.number, p.paid_at or p.created_at) for p in paid]
    return sorted(lines, key=lambda line: line.at)


def cash_paid_fen(courier: UUID, start: datetime, end: datetime) -> int:
    """Cash a courier handed to sellers from `start` to before `end`, rounding included."""
    return -sum(line.amount_fen for line in cash_lines(courier, start, end) if line.kind == "paid")


def online_paid_fen(orders: Sequence[UUID]) -> int:
    """What reached the sellers of these orders by rails."""
    rows = models.Payout.objects.filter(order_id__in=orders, state="paid", rail__in=models.RAILS)
    return int(rows.aggregate(total=Sum("amount_fen"))["total"] or 0)


def slip(courier: UUID, start: datetime, end: datetime) -> Slip:
    """A courier's pay from `start` to before `end`."""
    rows = models.PayLine.objects.filter(courier_id=courier)
    before = int(rows.filter(at__lt=start).aggregate(total=Sum("amount_fen"))["total"] or 0)
    lines = tuple(
        SlipLine(r.kind, r.pieces, r.amount_fen, r.reason, r.order_id, r.at)
        for r in rows.filter(at__gte=start, at__lt=end).order_by("at", "id")
    )
    return Slip(courier, start, end, before, before + sum(line.amount_fen for line in lines), lines)


def shift_closed(courier: UUID, day: date) -> ShiftRef | None:
    """A courier's closed shift of a day."""
    row = models.ShiftClose.objects.filter(courier_id=courier, day=day).first()
    return _shift(row) if row else None


def shifts_closed(city: str, day: date) -> Sequence[ShiftRef]:
    """The closed shifts of a city's day."""
    return [_shift(r) for r in models.ShiftClose.objects.filter(city=city, day=day).order_by("at")]


def day_closed(city: str, day: date) -> DayRef | None:
    """A city's closed day."""
    row = models.DayClose.objects.filter(city=city, day=day).first()
    return DayRef(row.city, row.day, row.sums, row.explanations, row.by_id, row.at) if row else None


def days_closed(city: str, limit: int = 31) -> Sequence[DayRef]:
    """A city's closed days, newest first."""
    rows = models.DayClose.objects.filter(city=city).order_by("-day")[:limit]
    return [DayRef(r.city, r.day, r.sums, r.explanations, r.by_id, r.at) for r in rows]


def reconciliations(limit: int = 31) -> Sequence[ReconciliationRef]:
    """The days that were compared with the custodian's statement, newest first."""
    rows = list(models.Reconciliation.objects.order_by("-day")[:limit])
    counts = {
        r["day"]: (r["n"], r["open"])
        for r in models.Difference.objects.filter(day__in=[row.day for row in rows])
        .values("day")
        .annotate(n=Count("id"), open=Count("id", filter=Q(explained_at=None)))
    }
    return [ReconciliationRef(r.day, r.ours, r.theirs, *counts.get(r.day, (0, 0)), r.at) for r in rows]


def differences(day: date | None = None) -> Sequence[DifferenceRef]:
    """What differs on a day; without a day every difference that nobody has explained, oldest first."""
    rows = models.Difference.objects.filter(Q(day=day) if day else Q(explained_at=None)).order_by("at", "id")
    return [
        DifferenceRef(r.id, r.day, r.kind, r.movement, r.request, r.ours_fen, r.theirs_fen, r.explanation) for r in rows
    ]


def stops() -> Sequence[StopRef]:
    """What is stopped now."""
    rows = models.Stop.objects.filter(lifted_at=None).order_by("at")
    return [StopRef(r.scope, r.reason, r.at) for r in rows]


def unanswered(start: datetime, end: datetime) -> Sequence[UUID]:
    """Payouts made from `start` to before `end` that are neither paid nor failed."""
    rows = models.Payout.objects.filter(created_at__gte=start, created_at__lt=end).exclude(
        state__in=["paid", *models.DEAD]
    )
    return list(rows.order_by("id").values_list("id", flat=True))


def profits(orders: Sequence[UUID], cards: dict[UUID, UUID]) -> Sequence[VisitProfit]:
    """What each order brought and cost; `cards` is card → its order. All of it is read off the ledger's legs."""
    sums = {order: [0, 0, 0, 0] for order in orders}
    for move in ledger.movements([*orders, *cards]):
        order = cards.get(move.subject, move.subject)
        for n, begins in enumerate(("income:fee:", accounts.WAGES, accounts.ROUNDING, "expense:rail:")):
            if move.account.startswith(begins):
                sums[order][n] += move.amount_fen if n == 0 else -move.amount_fen
    return [VisitProfit(order, *values) for order, values in sums.items()]


def rates(city: str) -> dict[str, int]:
    """What a visit, a card, a no-show bring a courier of a city now."""
    rows = models.PayRate.objects.filter(city=city, effective_from__lte=clock.now()).order_by("effective_from")
    return dict(rows.values_list("piece", "amount_fen"))


def _shift(r: models.ShiftClose) -> ShiftRef:
    return ShiftRef(
        r.courier_id,
        r.city,
        r.day,
        r.cards,
        r.cards_counted,
        r.bags,
        r.bags_counted,
        r.cash_fen,
        r.cash_counted_fen,
        r.cash_paid_fen,
        r.online_paid_fen,
        r.explanation,
        r.by_id,
        r.at,
    )
