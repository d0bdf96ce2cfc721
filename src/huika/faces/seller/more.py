"""How asking the chosen recycler for more stands: what may be asked, what was answered, and what was agreed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from huika.domain.market import queries as books
from huika.domain.market.types import BARGAIN_ROUNDS, MOST_BONUS_BP, BargainRef, Comparison, Offer
from huika.faces.seller import draft as drafts
from huika.faces.seller.draft import Draft
from huika.kit import clock

FIRST_BP = (50, 100, 200, 300)
"""What is offered for the first ask."""
_STEPS_YUAN = (1, 5, 10, 50, 100, 500, 1000)


@dataclass(frozen=True)
class More:
    """So much more: `bp` of face value, which come to about `fen` before fees."""

    bp: int
    fen: int

    @property
    def share(self) -> str:
        """0.5%."""
        return f"{self.bp / 100:g}%"


@dataclass(frozen=True)
class Talk:
    """How it stands: open (may be asked), asked, answered, agreed, refused, left or over (the first price stands).

    `chips`: what may be asked now. `better`: the offer that was agreed on.
    """

    state: str
    chips: tuple[More, ...] = ()
    ref: BargainRef | None = None
    asked: More | None = None
    offered: More | None = None
    better: Offer | None = None

    @property
    def minutes(self) -> int:
        """Minutes until it ends, at least 1."""
        left = (self.ref.expires_at - clock.now()).total_seconds() if self.ref else 0
        return max(1, -int(-left // 60))


def more(face_fen: int, bp: int) -> More:
    """Basis points of a face value as an amount."""
    return More(bp, face_fen * bp // 10_000)


def chips(face_fen: int, steps: Sequence[int] = ()) -> tuple[More, ...]:
    """Up to four whole amounts that may be asked for after these steps, the least first: less than was asked last, more
    than was offered."""
    if len(steps) >= 2 * BARGAIN_ROUNDS or len(steps) % 2 or not face_fen:
        return ()
    low, high = (steps[-1], steps[-2]) if steps else (0, MOST_BONUS_BP + 1)
    wanted = [low + (high - low) * n // 4 for n in (1, 2, 3)] if steps else FIRST_BP
    step = max((s for s in _STEPS_YUAN if s * 8_000_000 <= face_fen * (high - low)), default=1)
    found = {}
    for bp in wanted:
        yuan = face_fen * bp // 1_000_000 // step * step
        asked = yuan * 1_000_000 // face_fen
        if low < asked < high:
            found[asked] = More(asked, _whole(face_fen, asked))
    return tuple(found.values())


def _whole(face_fen: int, bp: int) -> int:
    """What was asked, in fen, as the whole amount that it came from."""
    return (face_fen * bp + 500_000) // 1_000_000 * 100


def talk(comparison: Comparison, offer: Offer, draft: Draft) -> Talk | None:
    """How asking for more stands for the offer of a draft; None where there is nobody to ask."""
    if draft.bargain:
        return _of(offer, books.bargain(UUID(draft.bargain)))
    if len(offer.lots) > 1 or comparison.expires_at <= clock.now() or not _own_visit(comparison.id, offer.id):
        return None
    open_to = chips(offer.face_fen)
    return Talk("open", open_to) if open_to and _book_stands(comparison.id, offer.lots[0].recycler) else None


def _own_visit(comparison: UUID, offer: str) -> bool:
    """Whether a visit pays for itself: one that somebody allowed, or neighbours share, is of this comparison alone."""
    known = books.visit_sums(comparison).get(offer)
    return known is None or known.covered


def _of(offer: Offer, ref: BargainRef) -> Talk:
    face, steps = offer.face_fen, ref.steps
    asked = More(steps[-1 - (len(steps) % 2 == 0)], 0)
    asked = replace(asked, fen=_whole(face, asked.bp))
    offered = more(face, steps[-1]) if len(steps) % 2 == 0 else None
    if ref.result is not None:
        better = _better(ref, offer)
        if better is not None and books.visit_stands(ref.result, better.id):
            return Talk("agreed", (), ref, asked, offered, better)
    if ref.result is not None or (
        ref.state in ("asked", "answered") and not _book_stands(ref.comparison, ref.recycler)
    ):
        return Talk("over", (), ref, asked)
    return Talk(ref.state, chips(face, steps) if ref.state == "answered" else (), ref, asked, offered)


def _better(ref: BargainRef, was: Offer) -> Offer | None:
    """The same recycler's offer in the comparison that was agreed on, a part of it later where it was so."""
    offers = books.comparison(ref.result).ranking.offers if ref.result else ()
    own = [o for o in offers if [lot.recycler for lot in o.lots] == [ref.recycler]]
    return next((o for o in own if o.id == was.id), own[0] if own else None)


def _book_stands(comparison: UUID, recycler: UUID) -> bool:
    """Whether a recycler bargains about a comparison: on the book that its offer was read from, and on no other."""
    book = books.bargainers(comparison).get(recycler)
    now = books.book_in_effect(recycler) if book else None
    return now is not None and not now.paused and now.id == book


def chosen(comparison_id: UUID, draft: Draft) -> tuple[Comparison, Offer] | None:
    """The comparison and the offer of a draft, whether or not they still stand."""
    comparison = books.comparison(comparison_id)
    offer = next((o for o in comparison.ranking.offers if o.id == draft.offer), None)
    return (comparison, offer) if offer else None


def onward(draft: Draft, known: Talk, was: Offer) -> Draft | None:
    """The draft of what was agreed: the same window and address, a better price; None where nothing was."""
    if known.better is None or known.ref is None:
        return None
    gained = max(0, known.better.net_fen - was.net_fen)
    return replace(
        draft,
        comparison=str(known.ref.result),
        offer=known.better.id,
        seen_fen=known.better.net_fen if gained else draft.seen_fen,
        bargain="",
        more_fen=gained,
    )


def moved(request: HttpRequest, comparison_id: UUID) -> HttpResponse | None:
    """To the same booking at the better price, once one was agreed: the first one is not booked by mistake."""
    draft = drafts.load(request, comparison_id)
    if draft is None or not draft.bargain or (both := chosen(comparison_id, draft)) is None:
        return None
    known = talk(*both, draft)
    further = onward(draft, known, both[1]) if known else None
    if further is None:
        return None
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    response = HttpResponseRedirect(f"/book/{further.comparison}")
    drafts.save(response, further)
    return response
