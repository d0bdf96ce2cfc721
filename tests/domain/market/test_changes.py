"""What a new book changes: against counting by hand, and published only on top of what was looked at."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.ledger.together import together
from tests.domain.trade import ground

from huika.domain.market import actions, changes, models, queries
from huika.domain.market.books import Cell
from huika.domain.market.errors import BookChanged
from huika.domain.market.types import Terms
from huika.kit.refusals import Refusal

KINDS, CITIES = ("walmart", "hema"), frozenset({"shanghai"})
cells = st.builds(
    Cell, st.sampled_from(KINDS), st.sampled_from([None, 100_00, 500_00]), st.just("shanghai"),
    st.sampled_from(["electronic", "physical"]), st.just("intact"), st.just("visit"),
    st.integers(1, 12_000) | st.sampled_from([8000, 9000]), st.sampled_from([None, 9600, 9700]),
    st.sampled_from([None, 100]),
)  # fmt: skip
shelves = st.lists(cells, unique_by=changes.place, max_size=12)


@given(shelves, shelves)
def test_added_removed_changed_and_same_are_the_whole_of_both_books(old: list[Cell], new: list[Cell]) -> None:
    change = changes.between(old, new, 3, ())
    before, after = ({changes.place(c): c.ratio_bp for c in book} for book in (old, new))
    assert {p for p, _ in change.added} == set(after) - set(before)
    assert {p for p, _ in change.removed} == set(before) - set(after)
    both = set(before) & set(after)
    assert {c.place for c in change.changed} == {p for p in both if before[p] != after[p]}
    whole = [{changes.place(c): (c.ratio_bp, c.sells_bp, c.margin_bp) for c in book} for book in (old, new)]
    assert change.same == sum(whole[0][p] == whole[1][p] for p in both)
    assert {c.place for c in change.resold} == {p for p in both if whole[0][p] != whole[1][p] and before[p] == after[p]}
    for r in change.resold:
        (_, *was), (_, *now) = whole[0][r.place], whole[1][r.place]
        assert [r.old_bp, r.followed, r.new_bp, r.follows] == [was[0], was[1] is not None, now[0], now[1] is not None]
        assert r.ratio_bp == before[r.place] and was != now
    assert (change.rows, change.version) == (len(new), 3)
    assert len(change.added) + len(change.changed) + len(change.resold) + change.same == change.rows
    for c in change.changed:
        assert (c.old_bp, c.new_bp, c.by_bp) == (before[c.place], after[c.place], after[c.place] - before[c.place])
        assert c.falls == ((c.old_bp - c.new_bp) / c.old_bp > 0.02)


@pytest.mark.parametrize(
    ("old", "new", "falls"), [(10_000, 9_800, False), (10_000, 9_799, True), (9_000, 9_500, False)]
)
def test_two_in_a_hundred_is_the_line(old: int, new: int, falls: bool) -> None:
    assert changes.falls(old, new) is falls


def text(ratio: str) -> str:
    return ground.book(("walmart", "*", "electronic", ratio))


def publish(recycler: object, ratio: str, after: int | None) -> object:
    return actions.publish_book(recycler, text(ratio), recycler, after_version=after)


@pytest.mark.django_db
def test_a_book_is_published_only_on_top_of_the_version_it_was_compared_with() -> None:
    recycler = ground.recycler(money_fen=0)
    with pytest.raises(BookChanged):
        publish(recycler, "0.9", after=1)
    publish(recycler, "0.9", after=0)
    with pytest.raises(BookChanged) as refused:
        publish(recycler, "0.91", after=0)
    assert refused.value.data["version"] == 1
    publish(recycler, "0.91", after=1)
    publish(recycler, "0.92", after=None)
    assert models.Book.objects.filter(recycler_id=recycler).count() == 3


@pytest.mark.django_db(transaction=True)
def test_of_two_people_with_one_preview_one_publishes() -> None:
    recycler = ground.recycler(money_fen=0)

    def attempt(ratio: str) -> str:
        try:
            publish(recycler, ratio, after=0)
        except Refusal as refusal:
            return refusal.code
        return "published"

    said = together([partial(attempt, f"0.9{n}") for n in range(4)])
    assert sorted(said) == ["book_changed"] * 3 + ["published"]


@pytest.mark.django_db
def test_a_change_is_seen_against_the_live_book_and_nothing_is_stored() -> None:
    recycler = ground.recycler(money_fen=0)
    first = queries.book_change(recycler, text("0.9"))
    assert (first.version, first.rows, len(first.added), first.errors) == (0, 1, 1, ())
    assert not models.Book.objects.exists()
    ground.publish(recycler, text("0.9"))
    second = queries.book_change(recycler, text("0.85"))
    assert [(c.old_bp, c.new_bp, c.falls) for c in second.changed] == [(9000, 8500, True)]
    bad = queries.book_change(recycler, text("1.3"))
    assert [e.row for e in bad.errors] == [2]
    live = queries.book_in_effect(recycler)
    assert live is not None
    assert (live.version, live.rows, live.paused) == (1, 1, False)
    assert queries.books_in_effect() == {recycler: live}
    assert [r.ratio_bp for r in queries.price_rows(live.id)] == [9000]
    assert queries.book_in_effect(ground.recycler(money_fen=0)) is None


@pytest.mark.django_db
def test_a_list_that_changes_what_is_resold_alone_is_a_change() -> None:
    recycler = ground.recycler(money_fen=0)
    row = f"walmart,*,{ground.CITY},electronic,intact,visit,{{}},{{}}\n"
    actions.publish_book(recycler, f"{ground.HEADER},sells\n" + row.format("0.9", "0.96"), recycler)
    for ratio, sells, new in (("0.9", "0.97", 9700), ("0.9", "", None)):
        change = queries.book_change(recycler, f"{ground.HEADER},sells\n" + row.format(ratio, sells))
        assert [(r.ratio_bp, r.old_bp, r.new_bp, r.follows) for r in change.resold] == [(9000, 9600, new, False)]
        assert (change.same, change.changed) == (0, ())
    without = queries.book_change(recycler, text("0.9"))
    assert [r.new_bp for r in without.resold] == [None], "a list without the column takes the resale prices out"
    actions.set_terms(recycler, recycler, Terms(margin_bp=600))
    (followed,) = queries.book_change(recycler, f"{ground.HEADER},sells\n" + row.format("", "0.96")).resold
    assert (followed.followed, followed.follows, followed.old_bp, followed.new_bp) == (False, True, 9600, 9600)
