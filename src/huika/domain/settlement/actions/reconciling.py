"""Our book held against the custodian's statement of a day: missing, extra and different lines, each a work item."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import F, Min

from huika.domain.ledger import queries as ledger
from huika.domain.settlement import accounts, models
from huika.domain.settlement.actions.escrow import prefund
from huika.domain.settlement.errors import ReasonNeeded
from huika.domain.settlement.types import StatementLine
from huika.kit import clock, events, jobs, locks, work_items
from huika.kit.change import action
from huika.kit.refusals import Malformed, NotFound

EDGE = timedelta(minutes=15)
"""What we learnt of this short a time ago need not stand in a statement yet."""
MOST_FEN = 10**15
"""More than this no line is about: it is somebody's error, and nothing to be booked."""


_NUL = "\ufffd"  # what stands for it
# What is asked for when a freeze is released; `released_fen` says it only once we were answered.
_GIVEN_BACK = ("releasing", "released")
_RELEASED = F("amount_fen") - F("captured_fen") - F("reserved_fen")


def bounds(day: date) -> tuple[datetime, datetime]:
    """A custodian's day: midnight to midnight in China."""
    start = datetime.combine(day, time(), clock.SHANGHAI)
    return start, start + timedelta(days=1)


def ours(day: date) -> dict[tuple[str, str], tuple[int, datetime]]:
    """(movement, request) → (fen, when we learnt of it) of what the custodian did for us on a day, by our rows."""
    start, end = bounds(day)
    found: dict[tuple[str, str], tuple[int, datetime]] = {}
    for p in models.Prefund.objects.filter(arrived_at__gte=start, arrived_at__lt=end):
        found["deposit", f"{p.reference}@{accounts.escrow(p.recycler_id)}"] = (p.amount_fen, p.arrived_at)
    for f in models.Freeze.objects.filter(frozen_at__gte=start, frozen_at__lt=end):
        found["freeze", str(f.id)] = (f.amount_fen, f.frozen_at or start)
    for c in models.Capture.objects.filter(done_at__gte=start, done_at__lt=end):
        found["capture", str(c.id)] = (c.amount_fen, c.done_at or start)
    for f in models.Freeze.objects.filter(released_at__gte=start, released_at__lt=end, released_fen__gt=0):
        found["release", f"{f.id}-rest"] = (f.released_fen, f.released_at or start)
    for r in models.Reserve.objects.filter(settled_at__gte=start, settled_at__lt=end):
        if r.to_seller_fen:
            found["capture", str(r.id)] = (r.to_seller_fen, r.settled_at or start)
        if r.to_recycler_fen:
            found["release", f"{r.id}-back"] = (r.to_recycler_fen, r.settled_at or start)
    return found


def known_fen(line: StatementLine) -> int | None:
    """What we asked for under this line's request number, whenever and whether or not we were answered; None when it
    is not ours, of another recycler's account, or a freeze that we hold as refused."""
    if line.kind == "deposit":
        recycler = _recycler_of(line.account)
        if recycler is None:
            return None
        rows = models.Prefund.objects.filter(reference=line.request, recycler_id=recycler)
        return rows.values_list("amount_fen", flat=True).first()
    try:
        number = UUID(line.request.removesuffix("-rest").removesuffix("-back"))
    except ValueError:
        return None
    freezes = models.Freeze.objects.filter(id=number).exclude(state="refused")
    captures, reserves = models.Capture.objects.filter(id=number), models.Reserve.objects.filter(id=number)
    looks = {
        "freeze": (freezes.values_list("recycler_id", "amount_fen"),),
        "capture": (
            captures.values_list("freeze__recycler_id", "amount_fen"),
            reserves.values_list("freeze__recycler_id", "to_seller_fen"),
        ),
        "release": (
            freezes.filter(state__in=_GIVEN_BACK).values_list("recycler_id", _RELEASED),
            freezes.exclude(state__in=_GIVEN_BACK).values_list("recycler_id", "released_fen"),
            reserves.values_list("freeze__recycler_id", "to_recycler_fen"),
        ),
    }
    for look in looks.get(line.kind, ()):
        for owner, fen in look:
            if fen is not None and line.account in ("", accounts.escrow(owner)):
                return int(fen)
    return None


@action
def reconcile(day: date, lines: Sequence[StatementLine] | None, around: Sequence[StatementLine] = ()) -> int:
    """Compare a day with the custodian's lines; how many differences stand. Again changes only what is new.

    `around` are the neighbouring days' lines. A deposit to a recycler's account that we have not heard of is booked.
    """
    mine = ours(day)
    around = [_readable(line) for line in around]
    if lines is not None:
        lines = [_readable(line) for line in lines]
        seen_once: set[tuple[str, str, str]] = set()
        for line in lines:
            again = (line.kind, line.request, line.account) in seen_once
            seen_once.add((line.kind, line.request, line.account))
            if again:  # booked twice over there
                _differs(day, "extra", line.kind, f"{line.request[:110]} (2)", None, line.amount_fen)
            else:
                _theirs(day, line)
        seen = {_name(x) for x in (*lines, *around)}
        edge = clock.now() - EDGE
        for (movement, request), (fen, at) in sorted(mine.items()):
            if (movement, request) not in seen and at < edge:
                _differs(day, "missing", movement, request, fen, None)
    models.Reconciliation.objects.update_or_create(
        day=day, defaults={"ours": len(mine), "theirs": None if lines is None else len(lines), "at": clock.now()}
    )
    return models.Difference.objects.filter(day=day).count()


@action
def ask_reconcile(day: date) -> None:
    """Have a day compared with the custodian's statement now, in a job. Raises Malformed for a day to come, and for one
    before any money was at the custodian."""
    if day > clock.now().astimezone(clock.SHANGHAI).date():
        raise Malformed(field="day", why="it has not come yet", why_zh="这一天还没到")
    first = models.Prefund.objects.aggregate(at=Min("at"))["at"]
    if first is None or day < first.astimezone(clock.SHANGHAI).date():
        raise Malformed(field="day", why="no money was at the custodian yet", why_zh="那一天托管账户里还没有钱")
    jobs.defer("settlement.reconcile", day=day.isoformat())


def _name(line: StatementLine) -> tuple[str, str]:
    """A deposit's reference is the recycler's own: it counts with its account."""
    return line.kind, f"{line.request}@{line.account}" if line.kind == "deposit" else line.request


def _theirs(day: date, line: StatementLine) -> None:
    mine = known_fen(line)
    if mine is None and _bookable(line) and (recycler := _recycler_of(line.account)):
        prefund(recycler, line.request, line.amount_fen, line.at)
    elif mine is None:
        _differs(day, "extra", line.kind, line.request, None, line.amount_fen)
    elif mine != line.amount_fen:
        _differs(day, "different", line.kind, line.request, mine, line.amount_fen)


def _readable(line: StatementLine) -> StatementLine:
    """A line as a database can hold it, whatever stood in it."""
    kind, request, account = (t.replace("\x00", _NUL) for t in (line.kind, line.request, line.account))
    return replace(line, kind=kind, request=request, account=account)


def _bookable(line: StatementLine) -> bool:
    """Whether a line can be a deposit: what cannot is shown as extra, and the rest of the day is compared all the
    same."""
    whole = 0 < line.amount_fen <= MOST_FEN and 0 < len(line.request) <= 80
    return line.kind == "deposit" and whole and _NUL not in line.request


def _recycler_of(account: str) -> UUID | None:
    """Whose escrow account this is; the account's name at the custodian is its code in the ledger."""
    kind, _, rest = account.partition(":")
    party, _, name = rest.partition(":")
    try:
        known = ledger.balance(account)
    except NotFound:
        return None
    return UUID(party) if kind == "party" and name == "escrow" and known else None


def _differs(day: date, kind: str, movement: str, request: str, ours_fen: int | None, theirs_fen: int | None) -> None:
    if theirs_fen is not None:
        theirs_fen = max(-MOST_FEN, min(theirs_fen, MOST_FEN))
    row, new = models.Difference.objects.get_or_create(
        day=day,
        movement=movement[:10],
        request=request[:120],
        defaults={"kind": kind, "ours_fen": ours_fen, "theirs_fen": theirs_fen, "at": clock.now()},
    )
    if not new:
        return
    zh = {"missing": "对账单上没有这一笔", "extra": "对账单多出一笔", "different": "对账单金额不同"}[kind]
    en = {
        "missing": "The statement lacks a line of ours",
        "extra": "The statement has a line that is not ours",
        "different": "The statement has another amount",
    }[kind]
    facts = {"day": str(day), "movement": movement, "request": request, "ours_fen": ours_fen, "theirs_fen": theirs_fen}
    work_items.open_item(f"settlement.recon_{kind}", row.id, zh=zh, en=en, facts=facts)
    events.record("settlement.reconciliation.difference", row.id, {"kind": kind, "movement": movement})


@action
def explain(difference: UUID, by: UUID, explanation: str) -> None:
    """A person has found out what a difference is. Raises NotFound, ReasonNeeded."""
    row = locks.locked(models.Difference.objects.all(), id=difference)
    if not explanation.strip():
        raise ReasonNeeded()
    if row.explained_at is None:
        row.explained_at, row.explained_by, row.explanation = clock.now(), by, explanation.strip()[:400]
        row.save(update_fields=["explained_at", "explained_by", "explanation"])
        work_items.settle(f"settlement.recon_{row.kind}", row.id, row.explanation, by)
