"""What orders, sellers and their payouts stand at. Amounts in fen."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import overload
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum

from huika.domain.ledger import queries as ledger
from huika.domain.settlement import accounts, models
from huika.domain.settlement.types import Arrived, DebtRef, PayoutCase, PayoutRef, ReserveRef
from huika.kit.refusals import NotFound


def payouts(order: UUID) -> Sequence[PayoutRef]:
    """An order's payouts, oldest first."""
    return [_ref(r) for r in models.Payout.objects.filter(order_id=order).order_by("id")]


def paid_fen(order: UUID) -> int:
    """What has certainly reached the seller for this order, in fen, without rounding."""
    rows = models.Payout.objects.filter(order_id=order, state="paid")
    return int(rows.aggregate(total=Sum("amount_fen"))["total"] or 0)


def card_paid(card: UUID) -> bool:
    """Whether all that was credited for a card, without its reserve, has certainly arrived."""
    credited = models.Capture.objects.filter(card_id=card).first()
    rows = models.Payout.objects.filter(card_id=card, what="card", state="paid")
    paid = rows.aggregate(total=Sum("amount_fen"))["total"] or 0
    return credited is not None and paid >= credited.net_fen - credited.reserve_fen


def payout_is_known(number: str) -> bool:
    """Whether this number at a rail is one of our payouts."""
    return models.Payout.objects.filter(number=number).exists()


def payout_case(payout: UUID) -> PayoutCase:
    """One payout with the rail's last word."""
    row = models.Payout.objects.filter(id=payout).first()
    if row is None:
        raise NotFound()
    return PayoutCase(_ref(row), row.asked_at, row.reference, row.reason)


class PayoutList(Sequence[PayoutRef]):
    """A list of payouts that is read as far as it is looked at."""

    def __init__(self, rows: QuerySet[models.Payout]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows.count()

    @overload
    def __getitem__(self, at: int) -> PayoutRef: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[PayoutRef]: ...
    def __getitem__(self, at: int | slice) -> PayoutRef | Sequence[PayoutRef]:
        return _ref(self._rows[at]) if isinstance(at, int) else [_ref(row) for row in self._rows[at]]

    def __iter__(self) -> Iterator[PayoutRef]:
        return (_ref(row) for row in self._rows.iterator(1000))

    def total_fen(self) -> int:
        """The amounts of all of them, in fen."""
        return int(self._rows.aggregate(total=Sum("amount_fen"))["total"] or 0)


def payouts_listed(states: Iterable[str] = (), rail: str = "") -> PayoutList:
    """Payouts in these states (all, where none is named) by this rail, newest first; read by slices."""
    rows = models.Payout.objects.order_by("-id")
    rows = rows.filter(state__in=list(states)) if states else rows
    return PayoutList(rows.filter(rail=rail) if rail else rows)


def orders_of_payouts(payouts: Iterable[UUID]) -> dict[UUID, UUID]:
    """Payout → its order."""
    return dict(models.Payout.objects.filter(id__in=list(payouts)).values_list("id", "order_id"))


def payouts_numbered(text: str, limit: int = 20) -> Sequence[PayoutRef]:
    """Payouts whose number at the rail begins so, or whose reference there is exactly this; newest first."""
    rows = models.Payout.objects.filter(number__startswith=text.upper()) | models.Payout.objects.filter(reference=text)
    return [_ref(r) for r in rows.order_by("-id")[:limit]]


def arrived(start: datetime, end: datetime) -> Sequence[Arrived]:
    """What reached sellers from `start` to before `end`, order by order."""
    rows = models.Payout.objects.filter(state="paid", paid_at__gte=start, paid_at__lt=end).values("order_id")
    sums = rows.annotate(n=Count("id"), fen=Sum(F("amount_fen") + F("rounding_fen"))).order_by("order_id")
    return [Arrived(r["order_id"], r["n"], r["fen"]) for r in sums]


def owed_fen() -> int:
    """What is owed to sellers altogether and has not certainly arrived, in fen."""
    return ledger.sum_fen("party:", ":payable") + sum(ledger.sum_fen(accounts.transit(rail)) for rail in models.RAILS)


def frozen_lots(order: UUID) -> dict[UUID, str]:
    """Lot → state of its freeze."""
    return dict(models.Freeze.objects.filter(order_id=order).values_list("lot_id", "state"))


def payable_account(seller: UUID) -> str:
    """The ledger account of what is owed to a seller."""
    return accounts.payable(seller)


def reserve_account(seller: UUID) -> str:
    """The ledger account of what comes to a seller later."""
    return accounts.reserve(seller)


def escrow_account(recycler: UUID) -> str:
    """The ledger account of a recycler's prefunded money; also its account number at the custodian."""
    return accounts.escrow(recycler)


def _ref(r: models.Payout) -> PayoutRef:
    return PayoutRef(
        r.id,
        r.order_id,
        r.card_id,
        r.rail,
        r.amount_fen,
        r.rounding_fen,
        r.state,
        r.number,
        r.created_at,
        r.paid_at,
        r.what,
        r.part,
        r.confirm if r.state == "waiting" else "",
    )


def on_its_way_fen(seller: UUID) -> int:
    """What has been sent to a seller and has not certainly arrived: still owed until it has."""
    rows = models.Payout.objects.filter(seller_id=seller).exclude(state__in=["paid", *models.DEAD])
    return int(rows.aggregate(total=Sum("amount_fen"))["total"] or 0)


def paid_anew(payouts: Iterable[UUID]) -> set[UUID]:
    """Those of these dead payouts in whose place another is being paid or has arrived."""
    dead = models.Payout.objects.filter(id__in=list(payouts), state__in=models.DEAD)
    living = models.Payout.objects.exclude(state__in=models.DEAD).filter(
        card_id=OuterRef("card_id"), what=OuterRef("what"), part=OuterRef("part")
    )
    return set(dead.filter(Exists(living)).values_list("id", flat=True))


def payouts_of_payee(payee: UUID, day: tuple[datetime, datetime]) -> int:
    """What was sent to a payee from `day[0]` to before `day[1]` and is not dead, in fen: held against day quotas."""
    rows = models.Payout.objects.filter(payee_id=payee, created_at__gte=day[0], created_at__lt=day[1])
    return int(rows.exclude(state__in=models.DEAD).aggregate(total=Sum("amount_fen"))["total"] or 0)


def debts(order: UUID) -> Sequence[DebtRef]:
    """The acknowledgements of debt of an order, oldest first."""
    return [_debt(r) for r in models.Debt.objects.filter(order_id=order).order_by("at", "number")]


def open_debts() -> Sequence[DebtRef]:
    """Every acknowledgement that is not settled, oldest first."""
    return [_debt(r) for r in models.Debt.objects.filter(settled_at=None).order_by("at", "number")]


def reserves(order: UUID) -> Sequence[ReserveRef]:
    """The reserves of an order's cards, oldest first."""
    return [_reserve(r) for r in models.Reserve.objects.filter(order_id=order).order_by("at", "id")]


def reserves_due(at: datetime) -> Sequence[UUID]:
    """The cards whose reserve's date has come and that nothing contests, the longest due first."""
    rows = models.Reserve.objects.filter(state="kept", release_at__lte=at).order_by("release_at")
    return list(rows.values_list("card_id", flat=True))


def open_reserves() -> Sequence[ReserveRef]:
    """Every reserve that has not ended, the next to be released first."""
    rows = models.Reserve.objects.filter(state__in=["kept", "contested"]).order_by("release_at", "id")
    return [_reserve(r) for r in rows]


def _debt(r: models.Debt) -> DebtRef:
    return DebtRef(r.payout_id, r.number, r.order_id, r.seller_id, r.amount_fen, r.at, r.settled_at)


def _reserve(r: models.Reserve) -> ReserveRef:
    return ReserveRef(
        r.card_id,
        r.order_id,
        r.seller_id,
        r.amount_fen,
        r.release_at,
        r.state,
        r.evidence,
        r.to_seller_fen,
        r.to_recycler_fen,
        r.ended_at,
    )
