"""Bargaining: on the basket alone, in turn, bounded, signed; firm or nothing."""

import hashlib
import json
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.ledger.together import refused, together
from tests.domain.trade import ground

from huika.domain.market import actions, bargaining, models, queries, record
from huika.domain.market.actions import bargains
from huika.domain.market.errors import BargainOver, NoBargain, NotTheAsker, StepNotOpen, StepNotSigned
from huika.domain.market.queries import records
from huika.domain.market.types import Book, Line, Price, SignedRequest, Terms
from huika.kit import clock
from huika.kit.machine import WrongState
from huika.kit.rates import TooMany
from huika.kit.refusals import NotFound

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CARDS = [Line(1, "walmart", 1000_00, "electronic"), Line(2, "walmart", 500_00, "electronic")]
BOOK = ground.book(("walmart", "*", "electronic", "0.9"))
_nonce = count(1)
pytest_db = pytest.mark.django_db


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(-2, 600), max_size=8))
def test_whatever_is_said_only_steps_that_close_in_are_open(said: list[int]) -> None:
    steps: list[int] = []
    for bonus in said:
        if (bargaining.may_answer if len(steps) % 2 else bargaining.may_ask)(steps, bonus):
            steps.append(bonus)
        if len(steps) % 2 == 0 and steps and (steps[-1] == 0 or steps[-1] == steps[-2]):
            break
    asks, answers = steps[::2], steps[1::2]
    assert len(asks) <= bargaining.BARGAIN_ROUNDS and all(0 < a <= bargaining.MOST_BONUS_BP for a in asks)
    assert asks == sorted(asks, reverse=True) and len(set(asks)) == len(asks)
    offered = [a for a in answers if a]
    assert offered == sorted(offered) and len(set(offered)) == len(offered)
    assert all(answer <= ask for ask, answer in zip(asks, answers, strict=False))


def opened(**terms: Any) -> tuple[UUID, UUID]:
    """(comparison, recycler) where the recycler bargains."""
    firm = ground.recycler(BOOK, money_fen=0)
    actions.set_terms(firm, firm, Terms(bargains=True, **terms))
    made = actions.compare(ground.CITY, "shanghai-huangpu", CARDS, served=True, covered=frozenset({firm}))
    return made, firm


def ask(comparison: UUID, firm: UUID, bonus_bp: int) -> UUID:
    return actions.ask_for_more(comparison, queries.comparison_secret(comparison), firm, bonus_bp)


def secret(bargain: UUID) -> str:
    return queries.comparison_secret(queries.bargain(bargain).comparison)


def again(bargain: UUID, bonus_bp: int) -> None:
    actions.ask_again(bargain, secret(bargain), bonus_bp)


def take(bargain: UUID) -> UUID:
    return actions.take_bargain(bargain, secret(bargain))


def leave(bargain: UUID) -> None:
    actions.leave_bargain(bargain, secret(bargain))


def signed(
    bargain: UUID, n: int, bonus_bp: int, key: Ed25519PrivateKey = KEY, other: dict[str, Any] | None = None
) -> SignedRequest:
    about = hashlib.sha256(queries.bargain(bargain).terms.encode()).hexdigest()
    body = json.dumps({"n": n, "bonus_bp": bonus_bp, "about": about} | (other or {})).encode()
    path = f"POST\n/v1/recycler/bargains/{bargain}/answers\n1\nnonce-{next(_nonce):04d}\n".encode()
    message = path + body + b"\n"
    return SignedRequest(message, key.sign(message), KEY.public_key().public_bytes_raw())


def answer(bargain: UUID, firm: UUID, n: int, bonus_bp: int) -> str:
    return actions.answer_bargain(bargain, firm, n, bonus_bp, signed(bargain, n, bonus_bp))


@pytest_db
def test_what_both_say_is_a_firm_price_and_its_record_shows_why() -> None:
    made, firm = opened()
    first = queries.comparison(made).ranking.offers[0]
    bargain = ask(made, firm, 100)
    seen = queries.bargains_for(firm)[0]
    assert (seen.id, seen.steps, seen.net_fen) == (bargain, (100,), first.net_fen)
    assert seen.cards == (
        {"kind": "walmart", "face_value_fen": 500_00, "form": "electronic", "condition": "intact", "count": 1},
        {"kind": "walmart", "face_value_fen": 1000_00, "form": "electronic", "condition": "intact", "count": 1},
    )
    assert answer(bargain, firm, 2, 20) == "answered"
    again(bargain, 60)
    assert answer(bargain, firm, 4, 60) == "agreed"
    result = queries.bargain(bargain).result
    assert result is not None and queries.bargains_for(firm) == []
    better = queries.comparison(result).ranking.offers[0]
    assert better.gross_fen == first.gross_fen + 9_00 and better.net_fen > first.net_fen
    kept, _ = records._execution(result)
    document = json.loads(json.dumps(kept))
    assert record.replay(document) == []
    entry = document["entries"][0]
    assert (entry["source"], entry["bargain"]["bonus_bp"], len(entry["bargain"]["steps"])) == ("bargain", 60, 4)
    for change in CHANGES:
        wrong = deepcopy(document)
        change(wrong["entries"][0])
        assert record.replay(wrong), change
    actions.compare(ground.CITY, "shanghai-huangpu", CARDS, served=True, covered=frozenset({firm}))
    assert queries.preview(ground.CITY, CARDS, frozenset({firm})).offers[0].net_fen == first.net_fen


def another_bonus(entry: dict[str, Any]) -> None:
    entry["bargain"]["bonus_bp"] = 20


def another_step(entry: dict[str, Any]) -> None:
    entry["bargain"]["steps"][3]["bonus_bp"] = entry["bargain"]["steps"][2]["bonus_bp"] = 50
    entry["bargain"]["bonus_bp"] = 50


def another_start(entry: dict[str, Any]) -> None:
    entry["bargain"]["ratios_bp"] = [r - 1 for r in entry["bargain"]["ratios_bp"]]


def another_bargain(entry: dict[str, Any]) -> None:
    entry["bargain"]["bargain"] = str(uuid4())


def no_answer(entry: dict[str, Any]) -> None:
    del entry["bargain"]["steps"][1:]


CHANGES = (another_bonus, another_step, another_start, another_bargain, no_answer)


@pytest_db
@pytest.mark.parametrize("other", [{"n": "2"}, {"bonus_bp": 100.0}, {"bonus_bp": True}, {"about": "0" * 64}])
def test_what_is_signed_says_exactly_this_step_of_this_bargain(other: dict[str, Any]) -> None:
    made, firm = opened()
    bargain = ask(made, firm, 100)
    for proof in (signed(bargain, 2, 100, other=other), signed(bargain, 2, 100, Ed25519PrivateKey.generate())):
        with pytest.raises(StepNotSigned):
            actions.answer_bargain(bargain, firm, 2, 100, proof)
    assert queries.bargain(bargain).steps == (100,)


@pytest_db
def test_an_earlier_answer_does_not_stand_for_a_later_step() -> None:
    made, firm = opened()
    bargain = ask(made, firm, 100)
    old = signed(bargain, 4, 60)  # signed before the seller's next word
    answer(bargain, firm, 2, 20)
    again(bargain, 60)
    with pytest.raises(StepNotSigned):
        actions.answer_bargain(bargain, firm, 4, 60, old)


@pytest_db
def test_a_key_put_in_with_its_signature_is_told_by_the_recycler_s_own() -> None:
    made, firm = opened()
    bargain = ask(made, firm, 100)
    assert answer(bargain, firm, 2, 100) == "agreed"
    result = queries.bargain(bargain).result
    assert result is not None
    kept, salt = records._execution(result)
    document = json.loads(json.dumps(kept))
    mine = KEY.public_key().public_bytes_raw().hex()
    assert record.signers(document) == [(str(firm), mine)]
    stranger = Ed25519PrivateKey.generate()
    step = document["entries"][0]["bargain"]["steps"][1]
    step["signature"] = stranger.sign(bytes.fromhex(step["message"])).hex()
    step["public_key"] = stranger.public_key().public_bytes_raw().hex()
    assert record.replay(document) == []  # it follows from itself, and yet:
    assert records._other_keys(record.signers(document), [(str(firm), mine)]) != []
    assert records._other_keys(record.signers(kept), [(str(firm), mine)]) == [] and salt


@pytest_db
def test_a_signed_yes_holds_for_its_bargain_and_its_time_alone() -> None:
    made, firm = opened()
    bargain = ask(made, firm, 100)
    assert answer(bargain, firm, 2, 100) == "agreed"
    result = queries.bargain(bargain).result
    assert result is not None
    document = json.loads(json.dumps(records._execution(result)[0]))
    assert record.replay(document) == []
    for change in ({"at": "2027-11-23T00:00:00+00:00"}, {"city": "beijing"}):
        other = deepcopy(document)
        other["head"] |= change
        assert any("its bargain does not hold" in text for text in record.replay(other)), change
    longer = deepcopy(document)
    longer["entries"][0]["bargain"]["until"] = "2028-01-01T00:00:00+00:00"
    assert any("not what the recycler signed" in text for text in record.replay(longer))


@pytest_db
def test_what_waits_is_read_in_as_many_statements_however_much_it_is(django_assert_num_queries: Any) -> None:
    made, firm = opened()
    ask(made, firm, 100)
    for _ in range(3):
        again_made = actions.compare(ground.CITY, "shanghai-huangpu", CARDS, served=True, covered=frozenset({firm}))
        ask(again_made, firm, 50)
    with django_assert_num_queries(3):
        assert [b.steps for b in queries.bargains_for(firm)] == [(100,), (50,), (50,), (50,)]


@pytest_db
def test_rivals_are_asked_while_it_goes_on_and_a_few_times_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(bargains, "request_quotes", lambda *args: asked.append(args) or [])
    made, firm = opened()
    bargain = ask(made, firm, 100)
    for _ in range(bargains.MOST_QUESTIONS):
        actions.rivals_quotes(bargain)
    with pytest.raises(TooMany):
        actions.rivals_quotes(bargain)
    assert len(asked) == bargains.MOST_QUESTIONS and firm not in asked[0][3]
    leave(bargain)
    assert actions.rivals_quotes(bargain) == [] and len(asked) == bargains.MOST_QUESTIONS


@pytest_db
def test_a_wish_that_was_bargained_for_is_one_wish_in_every_figure() -> None:
    made, firm = opened()
    bargain = ask(made, firm, 100)
    answer(bargain, firm, 2, 50)
    result = take(bargain)
    actions.take_offer(uuid4(), result, queries.comparison(result).ranking.offers[0].id)
    start, end = clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1)
    found = queries.owner.won(start, end)
    assert (found.compared, found.offered, found.taken) == (1, 1, 1)
    own = queries.conduct(start, end, [firm])[firm]
    assert (own.compared, own.offered, own.first) == (1, 1, 1)


@pytest_db
def test_only_whoever_asked_may_speak_for_the_seller() -> None:
    made, firm = opened()
    for wrong in ("", "0" * 32, str(made)):
        with pytest.raises(NotTheAsker):
            actions.ask_for_more(made, wrong, firm, 100)
    bargain = ask(made, firm, 100)
    answer(bargain, firm, 2, 1)
    for act in (actions.take_bargain, actions.leave_bargain, partial(actions.ask_again, bonus_bp=50)):
        with pytest.raises(NotTheAsker):
            act(bargain, "0" * 32)
    old = models.Comparison.objects.create(
        city="s", district="d", channel="visit", lines=[], offers=[], at=clock.now(), expires_at=clock.now()
    )
    with pytest.raises(NotTheAsker):  # one that has no secret is nobody's
        queries.check_secret(old.id, "")


@pytest_db
def test_an_agreement_that_its_recycler_cannot_keep_is_none() -> None:
    made, firm = opened(most_face_day_fen=1600_00)
    bargain = ask(made, firm, 100)
    answer(bargain, firm, 2, 50)
    actions.take_room(uuid4(), firm, 200_00)  # its day has filled in the meantime
    with pytest.raises(BargainOver):
        take(bargain)
    assert queries.bargain(bargain).state == "answered" and models.Comparison.objects.count() == 1


def test_what_was_agreed_is_on_top_of_the_book_that_it_was_about() -> None:
    book = Book(
        uuid4(), "甲", "A", "local", uuid4(), 3, False, 0, (), (Price("walmart", None, "electronic", "intact", 9000),)
    )
    agreed = bargaining.Agreed(uuid4(), book.recycler, book.book, clock.now(), 50, [], "")
    assert agreed.raise_in([book])[0].prices[0].ratio_bp == 9050
    for other in (replace(book, book=uuid4()), replace(book, paused=True), replace(book, recycler=uuid4())):
        with pytest.raises(BargainOver):  # published between the look and the ranking
            agreed.raise_in([other])


@pytest_db
def test_the_seller_takes_a_counter_offer_or_leaves_it() -> None:
    made, firm = opened()
    bargain = ask(made, firm, 100)
    with pytest.raises(StepNotOpen):
        take(bargain)
    answer(bargain, firm, 2, 30)
    result = take(bargain)
    assert queries.comparison_secret(result) == queries.comparison_secret(made)
    assert queries.comparison(result).ranking.offers[0].gross_fen == 1350_00 + 4_50
    with pytest.raises((WrongState, StepNotOpen)):
        take(bargain)
    with pytest.raises(WrongState):
        leave(bargain)
    another, other = opened()
    bargain = ask(another, other, 100)
    leave(bargain)
    with pytest.raises(WrongState):
        answer(bargain, other, 2, 100)
    assert queries.bargain(bargain).state == "left"


@pytest_db
def test_steps_out_of_turn_out_of_range_or_by_strangers() -> None:
    made, firm = opened()
    for wrong in (0, -1, 501):
        with pytest.raises(StepNotOpen):
            ask(made, firm, wrong)
    bargain = ask(made, firm, 100)
    with pytest.raises(NoBargain):
        ask(made, firm, 50)
    with pytest.raises(WrongState):
        again(bargain, 50)
    with pytest.raises(NotFound):
        answer(bargain, uuid4(), 2, 50)
    for n, bonus in ((1, 50), (3, 50), (2, 101), (2, -1)):
        with pytest.raises(StepNotOpen):
            answer(bargain, firm, n, bonus)
    answer(bargain, firm, 2, 50)
    for bonus in (100, 50, 30):
        with pytest.raises(StepNotOpen):
            again(bargain, bonus)
    again(bargain, 80)
    assert answer(bargain, firm, 4, 0) == "refused"
    with pytest.raises(NotFound):
        ask(uuid4(), firm, 50)


@pytest_db
def test_who_does_not_bargain_is_not_asked() -> None:
    firm = ground.recycler(BOOK, money_fen=0)
    made = actions.compare(ground.CITY, "shanghai-huangpu", CARDS, served=True, covered=frozenset({firm}))
    with pytest.raises(NoBargain):
        ask(made, firm, 50)
    paused, other = opened(paused=True)
    with pytest.raises(NoBargain):  # no offer, nothing to bargain about
        ask(paused, other, 50)


@pytest_db
def test_it_ends_with_its_time_and_with_its_book() -> None:
    made, firm = opened()
    bargain = ask(made, firm, 100)
    with clock.shifted(timedelta(seconds=bargaining.STANDS_SECONDS)):
        assert queries.bargain(bargain).state == "over" and queries.bargains_for(firm) == []
        with pytest.raises(BargainOver):
            answer(bargain, firm, 2, 50)
    with clock.shifted(timedelta(seconds=900)), pytest.raises(BargainOver):
        ask(made, uuid4(), 50)
    actions.publish_book(firm, BOOK.replace("0.9", "0.8"), firm)  # the price it was about is no more
    with pytest.raises(BargainOver):
        answer(bargain, firm, 2, 100)


@pytest.mark.django_db(transaction=True)
def test_at_once_one_firm_comparison_is_made() -> None:
    made, firm = opened()
    asked = together([partial(ask, made, firm, 100) for _ in range(4)])
    assert len(refused(asked)) == 3
    bargain = models.Bargain.objects.get().id
    answer(bargain, firm, 2, 30)
    calls = [partial(take, bargain), partial(leave, bargain)] * 3
    assert len(refused(together(calls))) == 5
    assert models.Comparison.objects.count() <= 2


@pytest_db
def test_the_database_keeps_the_turns() -> None:
    made, firm = opened()
    bargain = ask(made, firm, 100)
    step = {"bargain_id": bargain, "at": clock.now()}
    paper = {"signature": b"s" * 64, "message": b"m", "public_key": b"k" * 32}
    wrong: list[Any] = [
        lambda: models.BargainStep.objects.create(**step, n=2, bonus_bp=50),
        lambda: models.BargainStep.objects.create(**step, n=3, bonus_bp=50, **paper),
        lambda: models.BargainStep.objects.create(**step, n=7, bonus_bp=50),
        lambda: models.BargainStep.objects.create(**step, n=1, bonus_bp=50),
        lambda: models.BargainStep.objects.create(**step, n=2, bonus_bp=501, **paper),
        lambda: models.Bargain.objects.filter(id=bargain).update(state="agreed"),
        lambda: models.Bargain.objects.filter(id=bargain).update(result_id=made),
        lambda: models.Bargain.objects.filter(id=bargain).update(expires_at=clock.now() + timedelta(hours=1)),
    ]
    for create in wrong:
        with pytest.raises(DatabaseError, match=r"violates (check|unique)"), transaction.atomic():
            create()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        models.BargainStep.objects.all().update(bonus_bp=1)
