"""The ledger's trial balance at a time, and a party's statement; as pages, CSV and, for a party, PDF."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huika.domain.ledger import queries as ledger
from huika.domain.ledger.types import Statement, TrialLine
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.money import labels
from huika.faces.desk.money.frame import midnight, show
from huika.faces.pages import dates, papers, who, words
from huika.faces.pages.papers import Yuan
from huika.faces.pages.tables import as_csv
from huika.kit import clock
from huika.kit.refusals import Refusal

KINDS = {
    "party": ("往来", "Parties"),
    "outside": ("外部资金", "Outside"),
    "income": ("收入", "Income"),
    "expense": ("成本", "Costs"),
    "transit": ("在途", "In transit"),
}
NAMES = {
    "outside:custodian": ("托管户", "At the custodian"),
    "outside:bank": ("平台银行户", "Own bank account"),
    "income:capital": ("平台自有资金", "Own capital"),
    "income:cash_over": ("现金多出", "Cash too much"),
    "expense:rounding": ("抹零成本", "Rounding"),
    "expense:wages": ("专员工钱", "Couriers' pay"),
    "expense:cash_short": ("现金短缺", "Cash missing"),
    "expense:counterfeit": ("假币损失", "Counterfeit notes"),
}
GROUPS = {
    "income:fee": ("平台收费", "Platform fee"),
    "expense:rail": ("付款手续费", "Cost of a rail"),
    "transit": ("在路上", "On its way"),
}
_PARTY = re.compile(r"(?:party|outside:cash):([0-9a-f-]{36})")


@dataclass(frozen=True)
class Line:
    """A line of the trial balance: whose it is, if it is a party's, and what it is called."""

    it: TrialLine
    kind: str
    who: str
    what: str
    party: UUID | None
    purse: bool = False


def whose(party: UUID) -> str:
    """How the desk calls a party: a firm by name, a courier by name and badge, a seller by alias."""
    for firm in people.recyclers(active=False):
        if firm.id == party:
            return words.name_of(firm)
    for one in people.couriers():
        if one.id == party:
            return f"{one.name} {one.badge}"
    return people.person(party).alias


def _names() -> dict[UUID, str]:
    firms = {f.id: words.name_of(f) for f in people.recyclers(active=False)}
    return firms | {c.id: f"{c.name} {c.badge}" for c in people.couriers()}


def _kind(line: TrialLine) -> str:
    return words.pick(*KINDS.get(line.kind, (line.kind, line.kind)))


def _named(line: TrialLine, known: dict[UUID, str]) -> Line:
    kind = _kind(line)
    found = _PARTY.match(line.account)
    if found is None:
        return Line(line, kind, "", _own(line.account), None)
    mine = line.account.startswith("party:")
    what = papers.account_name(line.account) if mine else words.pick("备用金", "Float")
    party = UUID(found[1])
    return Line(line, kind, known.get(party, ""), what, party, purse=not mine)


def _own(account: str) -> str:
    """What one of the operator's own accounts is called; empty where it has no name."""
    if account in NAMES:
        return words.pick(*NAMES[account])
    begins, _, rest = account.rpartition(":")
    if begins not in GROUPS:
        return ""
    said = words.pick(*GROUPS[begins])
    return f"{said} · {labels.word(labels.RAILS, rest)}" if rest in labels.RAILS else said


def _at(request: HttpRequest) -> datetime:
    return dates.moment(request.GET.get("at", ""))


def _begins(request: HttpRequest) -> str:
    return request.GET.get("begins", "").strip().replace("\x00", "")[:80]


@require_safe
@who.only(Role.DESK)
def trial(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every account with a balance at a time: the debits sum to the credits."""
    refusal: Refusal | None = None
    try:
        at = _at(request)
    except dates.WrongDay as wrong:
        at, refusal = clock.now(), wrong
    begins, every = _begins(request), ledger.trial_balance(at)
    lines = [x for x in every if x.account.startswith(begins)]
    known = _names()
    return show(
        request,
        "ledger",
        refusal,
        at=at,
        typed_at=f"{at.astimezone(clock.SHANGHAI):%Y-%m-%dT%H:%M}",
        begins=begins,
        kinds=[(f"{slug}:", words.pick(*said)) for slug, said in KINDS.items()],
        lines=[_named(x, known) for x in lines],
        debit_fen=sum(x.debit_fen for x in lines),
        credit_fen=sum(x.credit_fen for x in lines),
        all_debit_fen=sum(x.debit_fen for x in every),
        all_credit_fen=sum(x.credit_fen for x in every),
    )


@require_safe
@who.only(Role.DESK)
def trial_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same as a file, with its totals."""
    with dates.of_file():
        at, begins = _at(request), _begins(request)
    pairs = (("账户", "Account"), ("类别", "Kind"), ("借", "Debit"), ("贷", "Credit"))
    lines = [x for x in ledger.trial_balance(at) if x.account.startswith(begins)]
    rows: list[list[object]] = [[x.account, _kind(x), Yuan(x.debit_fen), Yuan(x.credit_fen)] for x in lines]
    total = [Yuan(sum(x.debit_fen for x in lines)), Yuan(sum(x.credit_fen for x in lines))]
    rows.append([words.pick("合计", "Total"), "", *total])
    name = f"trial-balance-{at.astimezone(clock.SHANGHAI):%Y%m%d-%H%M}"
    return as_csv(name, [words.pick(*p) for p in pairs], rows)


def _span(request: HttpRequest) -> tuple[date, date]:
    """First and last day that the address asks for: this month unless it says otherwise. Raises WrongDay."""
    last = dates.day(request.GET.get("to", ""), dates.today())
    return dates.span(request.GET.get("from", ""), str(last), last.day - 1)


def _statement(party: UUID, first: date, last: date) -> Statement:
    return ledger.statement(party, midnight(first), midnight(last + timedelta(days=1)))


@require_safe
@who.only(Role.DESK)
def statement(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """A party's statement: opening, every line, closing."""
    name, refusal = whose(party), None
    try:
        first, last = _span(request)
    except dates.WrongDay as wrong:
        refusal, last = wrong, dates.today()
        first = last.replace(day=1)
    it = _statement(party, first, last)
    moved = sum(x.amount_fen for x in it.lines)
    return show(
        request,
        "statement",
        refusal,
        it=it,
        name=name,
        rows=[(x, papers.kind_name(x.kind), papers.account_name(x.account)) for x in it.lines],
        moved_fen=moved,
        sums=it.opening_fen + moved == it.closing_fen,
        first=first,
        last=last,
        party=party,
    )


@require_safe
@who.only(Role.DESK)
def statement_csv(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The statement as a file."""
    people.person(party)
    with dates.of_file():
        first, last = _span(request)
    return papers.statement_csv(_statement(party, first, last))


@require_safe
@who.only(Role.DESK)
def statement_pdf(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The statement on paper."""
    with dates.of_file():
        first, last = _span(request)
    html = papers.statement_html(_statement(party, first, last), words.language(), whose(party))
    return papers.as_pdf(f"statement-{first}-{last}", html)
