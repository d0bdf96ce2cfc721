"""The price table in memory says what the slow sums say, before and after every change."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huika.domain.market import live_book
from huika.domain.market.live_book import LiveBook, Net, TooManyNames
from huika.domain.market.types import Fee, Place
from huika.kit.money import share_fen

FACES = (100_00, 500_00, 1_23, 7_77)
PLACES = [
    Place(kind, face, city, form, "intact", "visit")
    for kind in ("walmart", "hema")
    for face in (None, *FACES)
    for city in ("shanghai", "hangzhou")
    for form in ("electronic", "physical")
]
FEE = st.builds(lambda fixed, bp: Fee("f", "", "", fixed, bp), st.sampled_from([0, 1, 3_00]), st.integers(0, 400))
ROWS = st.dictionaries(st.tuples(st.sampled_from(PLACES), st.integers(0, 11)), st.integers(1, 12_000), max_size=60)


def built(rows: dict[tuple[Place, int], int], fees: list[list[Fee]], platform: tuple[Fee, ...] = ()) -> LiveBook:
    book = LiveBook([f"R{n}" for n in range(len(fees))], fees, {"shanghai": platform})
    numbers = np.array([book.number(place) for place, _ in rows], dtype=np.int64)
    book.load(
        numbers,
        np.array([r for _, r in rows], dtype=np.uint16),
        np.array(list(rows.values()), dtype=np.uint16),
    )
    return book


def slowly(
    rows: dict[tuple[Place, int], int], fees: list[list[Fee]], platform: tuple[Fee, ...], of: Place
) -> list[Net]:
    found = []
    for r, own in enumerate(fees):
        ratio = rows.get((of, r)) or rows.get((replace(of, face_value_fen=None), r))
        if ratio:
            gross = share_fen(of.face_value_fen or 0, ratio)
            net = gross - sum(f.fixed_fen + share_fen(gross, f.bp) for f in (*own, *platform))
            found.append(Net(r, ratio, net))
    return sorted((n for n in found if n.net_fen > 0), key=lambda n: (-n.net_fen, n.recycler))


@settings(max_examples=150, deadline=None)
@given(
    ROWS,
    st.lists(st.lists(FEE, max_size=2), min_size=12, max_size=12),
    st.lists(FEE, max_size=2).map(tuple),
    st.lists(st.tuples(st.sampled_from(PLACES), st.integers(0, 11), st.integers(0, 12_000)), max_size=8),
)
def test_the_top_is_what_the_slow_sums_say(
    rows: dict[tuple[Place, int], int],
    fees: list[list[Fee]],
    platform: tuple[Fee, ...],
    changes: list[tuple[Place, int, int]],
) -> None:
    book, now = built(rows, fees, platform), dict(rows)
    charged = book.charged("hangzhou", platform).charged("shanghai", ())
    book.put(PLACES[0], 0, 0)  # of which the twins know nothing
    for of in {replace(place, face_value_fen=face) for place in PLACES for face in FACES}:
        fee = platform if of.city == "hangzhou" else ()
        assert charged.top(of, count=12) == slowly(rows, fees, fee, of)
    for place, recycler, ratio in [(PLACES[0], 0, 0), *changes]:
        book.put(place, recycler, ratio)
        now.pop((place, recycler), None)
        if ratio:
            now[place, recycler] = ratio
        for of in {replace(place, face_value_fen=face) for face in FACES}:
            wanted = slowly(now, fees, platform if of.city == "shanghai" else (), of)
            assert book.top(of, count=12) == wanted
            assert book.top(of, count=3) == wanted[:3]


@pytest.mark.parametrize("most", [0, 3])
def test_the_top_is_the_same_where_too_much_would_be_lent(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_book, "MOST_LENT", most)
    any_face, fees = PLACES[0], [[Fee("f", "", "", 1_00)] for _ in range(6)]
    own = [replace(any_face, face_value_fen=face) for face in FACES]
    rows = {(any_face, n): 9000 + n for n in range(5)} | {(own[0], 1): 9500, (own[1], 5): 8800}
    elsewhere = replace(any_face, city="hangzhou")
    rows |= {(elsewhere, 0): 9100, (replace(elsewhere, face_value_fen=FACES[0]), 1): 9200}
    book, now = built(rows, fees), dict(rows)
    assert len(book.rows) == len(rows) + (1 if most else 0), "the cheaper place alone is lent to"
    for place, recycler, ratio in [
        (own[2], 0, 9600),
        (any_face, 1, 8000),
        (own[0], 1, 0),
        (own[1], 5, 0),
        (any_face, 2, 0),
    ]:
        book.put(place, recycler, ratio)
        now.pop((place, recycler), None)
        if ratio:
            now[place, recycler] = ratio
        for of in (*own, replace(elsewhere, face_value_fen=FACES[0])):
            assert book.top(of, count=12) == slowly(now, fees, (), of)


def test_names_that_find_no_number_are_refused_and_never_another_cell_s() -> None:
    book = built({}, [[]])
    place = PLACES[0]
    for n in range(16):
        book.number(replace(place, condition=f"c{n}"))
    with pytest.raises(TooManyNames):
        book.number(replace(place, condition="one more"))
    assert len(book.names.numbers["condition"]) == 16


def test_a_reader_keeps_the_cell_that_it_took() -> None:
    place = Place("walmart", 500_00, "shanghai", "electronic", "intact", "visit")
    book = built({(place, 0): 9000, (place, 2): 9100}, [[], [], []])
    held = book.cell(book.number(place))
    assert held is not None
    before = held.tolist()
    book.put(place, 0, 9500)
    book.put(place, 1, 9400)
    assert held.tolist() == before and len(before) == 2
    assert [(n.recycler, n.ratio_bp) for n in book.top(place)] == [(0, 9500), (1, 9400), (2, 9100)]


def test_what_was_never_seen_has_no_offers() -> None:
    book = built({}, [[]])
    assert book.top(Place("nobody", 100_00, "nowhere", "electronic", "intact", "visit")) == []
    with pytest.raises(ValueError, match="face value"):
        book.top(Place("walmart", None, "shanghai", "electronic", "intact", "visit"))
