"""Changing a price book: send, look at what it changes, publish exactly that."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST

from huika.domain.market import actions as market
from huika.domain.market import queries as books
from huika.domain.market.errors import BadBook, BookChanged
from huika.domain.market.types import BookChange, Place, ResaleChange, RowError
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.firms import labels, reading
from huika.faces.desk.firms.views import Firm, firm
from huika.faces.desk.pages import page
from huika.faces.desk.people.plain import NotYet
from huika.faces.pages import forms, who, words
from huika.kit import clock
from huika.kit.refusals import Malformed, Refusal

MOST_SHOWN = 200
LONGEST_ROW = 120
_LINE_END = re.compile(r"\r\n|\r|\n")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?", re.ASCII)


@dataclass(frozen=True)
class Start:
    """From when a list is to count, as the form writes it (empty: from now on), and why that cannot be."""

    typed: str = ""
    wrong: Refusal | None = None


@dataclass(frozen=True)
class Wrong:
    """A row to mend: its number, what stands in it (the first so many characters) and why it is wrong."""

    row: int
    text: str
    zh: str
    en: str


@dataclass(frozen=True)
class Shown:
    """A cell of a book in words, with its old and new ratio in basis points; None where there was or will be none."""

    kind: str
    face_fen: int | None
    where: str
    old_bp: int | None = None
    new_bp: int | None = None
    falls: bool = False
    follows: str = ""  # of one whose resale price changes: whether what it pays follows from that from now on

    @property
    def by_bp(self) -> int:
        """New less old, in basis points of face value."""
        return (self.new_bp or 0) - (self.old_bp or 0)

    @property
    def by_points(self) -> str:
        """The difference in hundredths of face value, with its sign: −1.20."""
        return f"{'−' if self.by_bp < 0 else '+'}{abs(self.by_bp) / 100:.2f}"


@require_http_methods(["GET", "POST"])
@who.only(Role.DESK)
def sent(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """The form; and, once a list has been sent, what it would change. Nothing is published here."""
    one = firm(party)
    if request.method != "POST":
        return page(request, "desk/firms/send.html", firm=one, typed=request.POST.get("list", ""))
    try:
        text, mend = reading.sent(request)
    except Refusal as refusal:
        return page(
            request, "desk/firms/send.html", refusal.status, firm=one, refusal=refusal,
            typed=request.POST.get("list", ""),
        )  # fmt: skip
    return _preview(request, actor, one, text, mend)


def _preview(
    request: HttpRequest,
    actor: Actor,
    one: Firm,
    text: str,
    mend: str,
    refusal: Refusal | None = None,
    start: Start | None = None,
) -> HttpResponse:
    """What a list would change, or its wrong rows and the text to `mend` them in."""
    change, start = books.book_change(one.licence.id, text), start or Start()
    refused = refusal or start.wrong
    status = 422 if change.errors else refused.status if refused else 200
    return page(
        request,
        "desk/firms/preview.html",
        status,
        firm=one,
        change=change,
        refusal=refusal,
        start=start,
        coming=books.books_to_come(one.licence.id),
        token="" if change.errors else reading.keep(one.licence.id, actor.party, change.version, text),
        next_version=change.version + 1,
        wrong=_wrong(change.errors, mend or text),
        mend=mend if change.errors else "",
        most=MOST_SHOWN,
        **_in_words(change),
    )


def _wrong(errors: Sequence[RowError], text: str) -> list[Wrong]:
    """Bad rows with what stands in them; the numbers are those of the lines of the text."""
    if not errors:
        return []
    lines = _LINE_END.split(text)
    return [Wrong(e.row, lines[e.row - 1][:LONGEST_ROW] if e.row <= len(lines) else "", e.zh, e.en) for e in errors]


def _in_words(change: BookChange) -> dict[str, list[Shown]]:
    kinds, cities = labels.kind_names(), labels.city_names()

    def shown(place: Place, old: int | None, new: int | None, falls: bool = False, follows: str = "") -> Shown:
        where = (
            cities.get(place.city, place.city),
            labels.word(labels.FORMS, place.form),
            labels.word(labels.CONDITIONS, place.condition),
            labels.word(labels.CHANNELS, place.channel),
        )
        kind = kinds.get(place.kind, place.kind)
        return Shown(kind, place.face_value_fen, " · ".join(where), old, new, falls, follows)

    moved = [shown(c.place, c.old_bp, c.new_bp, c.falls) for c in change.changed]
    return {
        "fallen": sorted((one for one in moved if one.falls), key=lambda one: one.by_bp),
        "moved": [one for one in moved if not one.falls],
        "added": [shown(place, None, ratio) for place, ratio in change.added],
        "removed": [shown(place, ratio, None) for place, ratio in change.removed],
        "resold": [shown(one.place, one.old_bp, one.new_bp, follows=_follows(one)) for one in change.resold],
    }


def _follows(one: ResaleChange) -> str:
    """Whether what is paid begins or ends to follow from the resale price; empty where that stays as it was."""
    if one.followed == one.follows:
        return ""
    return (
        words.pick("折扣率改为跟着卖出价算", "its ratio now follows from it")
        if one.follows
        else words.pick("折扣率不再跟着卖出价", "its ratio no longer follows from it")
    )


@require_POST
@who.only(Role.DESK)
def published(request: HttpRequest, actor: Actor, party: UUID) -> HttpResponse:
    """Publish what was previewed and nothing else; where that cannot be any more it is shown again instead."""
    one, typed = firm(party), request.POST.get("effective_from", "").strip()[:40]
    version, text, old = reading.kept(request.POST.get("book", ""), party, actor.party)
    try:
        if old:
            raise reading.PreviewOld()
        starts = _starts(typed)
        forms.once(
            request,
            actor,
            lambda: market.publish_book(party, text, actor.party, effective_from=starts, after_version=version),
        )
    except (BookChanged, BadBook, reading.PreviewOld) as refusal:
        return _preview(request, actor, one, text, text, refusal, Start(typed))
    except NotYet as unread:
        return _preview(request, actor, one, text, text, start=Start(typed, unread))
    except Malformed as malformed:
        if malformed.data.get("field") != "effective_from":
            raise
        why = NotYet(why_zh=malformed.data["why_zh"], why_en=malformed.data["why"])
        return _preview(request, actor, one, text, text, start=Start(typed, why))
    return HttpResponseRedirect(f"/desk/recyclers/{party}?published={version + 1}")


def _starts(typed: str) -> datetime | None:
    """The moment that was typed, in Shanghai; None for now. Raises NotYet."""
    try:
        if typed and not _MOMENT.fullmatch(typed):
            raise ValueError(typed)
        return datetime.fromisoformat(typed).replace(tzinfo=clock.SHANGHAI) if typed else None
    except ValueError as error:
        raise NotYet(
            why_zh="生效时间写成 2026-12-01T08:00 这样", why_en="write the time like 2026-12-01T08:00"
        ) from error
