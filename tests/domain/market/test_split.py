"""The split: as good as trying everything, within every need, and honest when it stops before the proof."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huika.domain.market import split
from huika.domain.market.split import NOT_TAKEN, Bidder

FACES = st.sampled_from([100_00, 200_00, 500_00, 500_00, 1000_00]) | st.integers(1, 2000_00)


@st.composite
def baskets(draw: st.DrawFn) -> tuple[list[int], list[Bidder]]:
    faces = draw(st.lists(FACES, min_size=1, max_size=5))
    total, count = sum(faces), len(faces)
    bidders = []
    for n in range(draw(st.integers(1, 5))):
        payouts = [f * draw(st.sampled_from([8000, 9000, 9500]) | st.integers(1, 12_000)) // 10_000 for f in faces]
        values = [draw(st.just(p) | st.just(p) | st.just(p - p // 50) | st.just(NOT_TAKEN)) for p in payouts]
        some = st.sampled_from([0, 0, total // 4, total // 2, total])
        bidders.append(
            Bidder(
                values,
                payouts,
                fixed_fen=draw(st.sampled_from([0, 0, 3_00, 50_00])),
                least_face_fen=draw(some),
                least_payout_fen=draw(some) if draw(st.booleans()) else 0,
                least_cards=draw(st.sampled_from([0, 1, 1, 2, count])),
                most_face_fen=draw(st.none() | some),
                order=n,
            )
        )
    return faces, bidders


def net(faces: Sequence[int], bidders: Sequence[Bidder], of: Sequence[int]) -> int | None:
    """What an answer brings; None where it breaks a rule."""
    total = 0
    for r in set(of):
        b, mine = bidders[r], [c for c, at in enumerate(of) if at == r]
        face = sum(faces[c] for c in mine)
        if any(b.values[c] == NOT_TAKEN for c in mine) or len(mine) < b.least_cards or face < b.least_face_fen:
            return None
        if sum(b.payouts[c] for c in mine) < b.least_payout_fen:
            return None
        if b.most_face_fen is not None and face > b.most_face_fen:
            return None
        total += sum(b.values[c] for c in mine) - b.fixed_fen
    return total


def by_trying(faces: Sequence[int], bidders: Sequence[Bidder], least: int) -> int | None:
    nets = [
        net(faces, bidders, of)
        for of in product(range(len(bidders)), repeat=len(faces))
        if least <= len(set(of)) <= split.MOST_RECYCLERS
    ]
    return max((n for n in nets if n is not None), default=None)


@settings(max_examples=250, deadline=None)
@given(baskets(), st.sampled_from([1, 2]))
def test_it_is_as_good_as_trying_everything(made: tuple[list[int], list[Bidder]], least: int) -> None:
    faces, bidders = made
    answer, wanted = split.best(faces, bidders, least_recyclers=least), by_trying(faces, bidders, least)
    assert (answer.net_fen if answer else None) == wanted
    if answer:
        assert answer.proved and net(faces, bidders, answer.of) == answer.net_fen
        assert least <= len(set(answer.of)) <= split.MOST_RECYCLERS


@settings(max_examples=60, deadline=None)
@given(baskets(), st.integers(0, 10**9))
def test_what_is_not_accepted_is_not_the_answer(made: tuple[list[int], list[Bidder]], salt: int) -> None:
    faces, bidders = made

    def accept(of: tuple[int, ...]) -> bool:
        return hash((of, salt)) % 3 > 0

    twins = len(set(zip(faces, *(b.values for b in bidders), strict=True))) < len(faces)
    answer = split.best(faces, bidders, accept=accept)
    allowed = [of for of in product(range(len(bidders)), repeat=len(faces)) if len(set(of)) <= 3 and accept(of)]
    wanted = max((n for of in allowed if (n := net(faces, bidders, of)) is not None), default=None)
    if not twins:  # cards that cannot be told apart are tried in one order only
        assert (answer.net_fen if answer else None) == wanted
    assert answer is None or accept(answer.of)


def test_one_more_card_at_the_dearer_recycler_meets_its_need() -> None:
    """By hand: the second pays more for both cards but only from 700 yuan; the first needs the other one alone."""
    first = Bidder([450_00, 180_00, 90_00], [450_00, 180_00, 90_00])
    second = Bidder([470_00, 170_00, 80_00], [470_00, 170_00, 80_00], least_face_fen=700_00)
    answer = split.best([500_00, 200_00, 100_00], [first, second])
    assert answer is not None and answer.of == (1, 1, 0) and answer.net_fen == 470_00 + 170_00 + 90_00
    capped = split.best([500_00, 200_00, 100_00], [first, replace(second, most_face_fen=600_00)])
    assert capped is not None and capped.of == (0, 0, 0)


def test_a_search_that_stops_early_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = [1000_00 + 7 * n for n in range(12)]
    dear = Bidder([f * 95 // 100 for f in faces], faces, most_face_fen=5_500_00)  # five and a half cards
    bidders = [dear, Bidder([f * 90 // 100 for f in faces], faces)]
    whole = split.best(faces, bidders)
    assert whole is not None and whole.proved
    monkeypatch.setattr(split, "MOST_BRANCHES", 5)
    cut = split.best(faces, bidders)
    assert cut is not None and not cut.proved and cut.net_fen <= whole.net_fen
