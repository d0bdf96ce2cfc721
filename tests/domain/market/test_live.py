"""Live quotes: believed when all of it holds, refused by its reason when one thing does not; the comparison answers."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.domain.market import quoter as q
from tests.domain.trade import ground

from huika.domain.market import actions, live, models, queries, record, rules, types
from huika.domain.market.quoting import platform
from huika.domain.market.types import Line
from huika.domain.parties import models as people
from huika.kit import canonical, clock

OTHER = Ed25519PrivateKey.generate()


def refused(reply: types.Reply, **other: Any) -> str:
    with pytest.raises(live.Refused) as found:
        live.read(reply, **{"public_key": q.PUBLIC, "platform": q.PLATFORM, "lines": q.LINES, "at": q.AT, **other})
    assert found.value.reason in live.REASONS
    return found.value.reason


def test_an_honest_quote_is_read_with_its_parts() -> None:
    quote = live.read(q.reply(q.question()), q.PUBLIC, q.PLATFORM, q.LINES, q.AT)
    assert [(p.kind, p.face_value_fen, p.ratio_bp) for p in quote.prices] == [
        ("hema", 500_00, 9500),
        ("walmart", 1000_00, 9500),
    ]
    assert [(f.code, f.fixed_fen, f.bp) for f in quote.fees] == [("handling", 2_00, 30)]


def test_a_question_names_the_cards_and_no_person_number_or_address() -> None:
    asked = json.loads(q.question().body)
    assert set(asked) == {
        "v",
        "platform",
        "recycler",
        "rfq",
        "basket",
        "city",
        "channel",
        "cards",
        "key",
        "at",
        "until",
    }
    assert all(set(c) == {"kind", "face_value_fen", "form", "condition", "count"} for c in asked["cards"])


def other_price(quote: dict[str, Any]) -> None:
    quote["prices"].append({**quote["prices"][0], "kind": "sand"})


def again_price(quote: dict[str, Any]) -> None:
    quote["prices"].append(dict(quote["prices"][0]))


def other_face(quote: dict[str, Any]) -> None:
    quote["prices"][0]["face_value_fen"] = 123


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("not_ours", lambda s: s.update(rfq=str(uuid4()))),
        ("not_ours", lambda s: s.update(recycler=str(uuid4()))),
        ("not_ours", lambda s: s.update(basket="00" * 32)),
        ("not_ours", lambda s: s.update(platform="another/log")),
        ("not_ours", lambda s: s.update(key="k2")),
        ("not_ours", lambda s: s.update(v=2)),
        ("clock", lambda s: s.update(at=(q.AT + timedelta(seconds=301)).isoformat())),
        ("clock", lambda s: s.update(at=(q.AT - timedelta(seconds=301)).isoformat())),
        ("expired", lambda s: s.update(expires_at=(q.UNTIL - timedelta(seconds=1)).isoformat())),
        ("unreadable", lambda s: s.update(expires_at="tomorrow")),
        ("unreadable", lambda s: s.update(at="2026-11-22T08:00:00")),
        ("unreadable", lambda s: s.update(nonce="short")),
        ("unreadable", lambda s: s.update(prices=[])),
        ("unreadable", lambda s: s.update(fees=[{**q.FEE, "zh": ""}])),
        ("sums", lambda s: s.update(net_fen=s["net_fen"] + 1)),
        ("sums", lambda s: s.update(gross_fen=s["gross_fen"] - 1)),
        ("sums", lambda s: s["prices"][0].update(gross_fen=s["prices"][0]["gross_fen"] + 1)),
        ("sums", lambda s: s.update(fees=[])),
        ("not_fen", lambda s: s.update(net_fen=float(s["net_fen"]))),
        ("not_fen", lambda s: s["prices"][0].update(gross_fen=475.5)),
        ("not_fen", lambda s: s.update(fees=[{**q.FEE, "fixed_fen": -1}])),
        ("ratio", lambda s: s["prices"][0].update(ratio_bp=12_001)),
        ("ratio", lambda s: s["prices"][0].update(ratio_bp=0.95)),
        ("ratio", lambda s: s.update(fees=[{**q.FEE, "bp": 5_001}])),
        ("twice", again_price),
        ("twice", lambda s: s.update(fees=[q.FEE, q.FEE])),
        ("not_asked", other_price),
        ("not_asked", other_face),
    ],
)
def test_one_thing_wrong_is_refused_by_its_name(reason: str, change: q.Change) -> None:
    assert refused(q.reply(q.question(), change=change)) == reason


def test_a_signature_holds_over_the_very_bytes_or_not_at_all() -> None:
    good = q.reply(q.question())
    assert refused(replace(good, body=good.body + b" ")) == "signature"
    assert refused(replace(good, signature=b"")) == "signature"
    assert refused(q.reply(q.question(), key=OTHER)) == "signature"
    twice = good.body.replace(b'{"v"', b'{"v": 1, "v"', 1)
    assert refused(replace(good, body=twice, signature=q.KEY.sign(twice))) == "unreadable"
    for body in (b"[]", b"\xff", b"{" * 5000):
        assert refused(replace(good, body=body, signature=q.KEY.sign(body))) == "unreadable"
    long = b" " * (types.MOST_QUOTE_BYTES + 1)
    assert refused(replace(good, body=long, signature=q.KEY.sign(long))) == "too_large"
    for outcome in ("late", "redirected", "unreachable", "status", "address"):
        assert refused(types.Reply(good.question, outcome, 501)) == outcome


# --- in a comparison ---------------------------------------------------------------------------------------------


def quoting(text: str = "", kid: str = "live-1") -> UUID:
    """A recycler with a signing key, and a book where one is given."""
    party = ground.recycler(text or ground.book(("walmart", "*", "electronic", "0.9")))
    people.SigningKey.objects.create(kid=kid, party_id=party, public_key=q.PUBLIC)
    return party


def asked(party: UUID, kid: str = "live-1", lines: list[Line] = q.LINES[:1]) -> types.Question:
    at = clock.now()
    until = at + timedelta(seconds=actions.STANDS_SECONDS)
    return live.question(uuid4(), platform(), party, kid, "shanghai", "visit", lines, at, until)


def compared(parties: list[UUID], *replies: types.Reply) -> UUID:
    return actions.compare(
        "shanghai", "shanghai-xuhui", q.LINES[:1], served=True, covered=frozenset(parties), replies=replies
    )


@pytest.mark.django_db
def test_a_believed_quote_stands_in_for_its_book_and_ranks_again_from_the_record() -> None:
    ground.operator()
    party, other = quoting(), ground.recycler(ground.book(("walmart", "*", "electronic", "0.93")))
    made = compared([party, other], q.reply(asked(party), 9500))
    best = queries.comparison(made).ranking.offers[0]
    assert best.lots[0].recycler == party and best.lots[0].cards[0].ratio_bp == 9500
    assert best.lots[0].fees == (("handling", 2_00 + 2_85),)
    (row,) = models.LiveReply.objects.all()
    assert (row.outcome, row.recycler_id, row.took_ms) == ("answered", party, 12)
    kept, _ = queries.records._execution(made)
    assert record.replay(kept) == [] == queries.books_left_out(made)
    entry = next(e for e in kept["entries"] if e["recycler"] == str(party))
    entry["prices"][0]["ratio_bp"] = 9400
    assert any("other prices" in text for text in record.replay(kept))
    entry["live"]["body"] = entry["live"]["body"][:-2] + "20"
    assert any("is signature where the record says answered" in text for text in record.replay(kept))


@pytest.mark.django_db
def test_late_dishonest_and_replayed_quotes_are_recorded_and_the_book_stands() -> None:
    ground.operator()
    party = quoting()
    first = q.reply(asked(party), 9500, nonce="n" * 16)
    compared([party], first)
    again = q.reply(asked(party), 9600, nonce="n" * 16)
    liar = q.reply(asked(party), 9600, lambda s: s.update(net_fen=s["net_fen"] + 1))
    stranger = q.reply(asked(party, "nobody"), 9600)
    late = types.Reply(asked(party), "late", 500)
    for reply, outcome in ((again, "replayed"), (liar, "sums"), (stranger, "signature"), (late, "late")):
        made = compared([party], reply)
        best = queries.comparison(made).ranking.offers[0]
        assert best.lots[0].cards[0].ratio_bp == 9000, "its book"
        assert models.LiveReply.objects.get(comparison=made).outcome == outcome
        kept, _ = queries.records._execution(made)
        entry = next(e for e in kept["entries"] if e["recycler"] == str(party))
        assert entry["live"]["outcome"] == outcome and entry["source"] == "book"
        assert record.replay(kept) == [] == queries.books_left_out(made)


@pytest.mark.django_db
def test_a_record_that_tells_a_live_quote_otherwise_is_found() -> None:
    """Without a receipt: from the signed bytes and the basket alone, of quotes that were not believed too."""
    ground.operator()
    party = quoting()
    liar = q.reply(asked(party), 9600, lambda s: s.update(net_fen=s["net_fen"] + 1))
    good = [plain(compared([party], q.reply(asked(party), 9500)))]
    bad = [plain(compared([party], liar))]
    assert record.replay(good[0]) == [] == record.replay(bad[0])

    def changed(document: dict[str, Any], change: Callable[[dict[str, Any], dict[str, Any]], object]) -> list[str]:
        other = deepcopy(document)
        change(other["head"], next(e for e in other["entries"] if e["recycler"] == str(party)))
        return record.replay(other)

    for change in (
        lambda head, e: e["live"].update(outcome="sums"),  # believed, and told as refused
        lambda head, e: e.update(book=str(uuid4())),
        lambda head, e: e.update(source="book"),
        lambda head, e: e["live"].update(outcome="late"),
        lambda head, e: head["lines"][0].update(face_value_fen=2000_00),  # another basket than it was asked about
        lambda head, e: e.pop("live"),
    ):
        assert changed(good[0], change), change
    for change in (
        lambda head, e: e["live"].update(outcome="answered"),
        lambda head, e: e["live"].update(outcome="clock"),
        lambda head, e: e["live"].update(outcome="replayed"),
    ):
        assert changed(bad[0], change), change


def plain(comparison: UUID) -> dict[str, Any]:
    """A stored record as a file has it."""
    document: dict[str, Any] = json.loads(json.dumps(queries.records._execution(comparison)[0]))
    return document


@pytest.mark.parametrize("nonce", ["\x00" * 9, "\ud800" * 9, "号" * 9])
def test_a_nonce_is_of_plain_characters(nonce: str) -> None:
    asked = q.question()
    body = json.dumps({**q.said(json.loads(asked.body), 9500), "nonce": nonce}).encode()
    assert refused(types.Reply(asked, "answered", 12, body, q.KEY.sign(body))) == "unreadable"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"book": None, "reason": "no_book"},
        {"paused": True},
        {"min_basket_fen": 10**12},
        {"least_cards": 60},
        {"least_payout_fen": 10**12},
        {"serves": False},
        {"resting": ["walmart"]},
    ],
)
def test_a_believed_quote_cannot_be_ranked_out_by_terms_that_no_quote_has(change: dict[str, Any]) -> None:
    """An operator's record, sound in itself, with the best quote still in it, and signed."""
    ground.operator()
    party, other = quoting(), ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")))
    kept = plain(compared([party, other], q.reply(asked(party), 9800)))
    assert kept["answer"]["offers"][0]["lots"][0]["recycler"] == str(party)
    entry = next(e for e in kept["entries"] if e["recycler"] == str(party))
    entry.update(change)
    assert len(record.replay(ranked_again(kept))) == 1


@pytest.mark.django_db
def test_a_quote_that_is_there_is_not_told_as_late() -> None:
    ground.operator()
    party, other = quoting(), ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")))
    kept = plain(compared([party, other], q.reply(asked(party), 9800)))
    entry = next(e for e in kept["entries"] if e["recycler"] == str(party))
    own = models.Book.objects.get(recycler_id=party)
    entry.update(source="book", book=str(own.id), version=own.version, standing=None, fees=[])
    entry["prices"] = [{**p, "ratio_bp": 9000} for p in entry["prices"]]
    for outcome in ("late", "unreachable", "too_large"):
        entry["live"]["outcome"] = outcome
        assert any("and here it is" in text for text in record.replay(ranked_again(kept))), outcome


def ranked_again(kept: dict[str, Any]) -> dict[str, Any]:
    """What an operator would make of a record that it has changed."""
    head = kept["head"]
    ranking = rules.rank(
        [Line(**line) for line in head["lines"]],
        [record.book_of(e) for e in kept["entries"] if e["book"]],
        [types.Fee(**f) for f in head["platform_fees"]],
        frozenset(UUID(e["recycler"]) for e in kept["entries"] if e.get("covered")),
    )
    kept["answer"] = json.loads(canonical.dumps({"proved": ranking.proved, "offers": record.plain(ranking.offers)}))
    whole = {str(o.lots[0].recycler): o.net_fen for o in ranking.offers if len(o.lots) == 1 and not o.reserve_fen}
    reasons = {str(a.recycler): a.reason for a in ranking.absences}
    for entry in kept["entries"]:
        if entry["book"]:
            entry["net_fen"], entry["reason"] = whole.get(entry["recycler"]), reasons.get(entry["recycler"], "")
    return kept


@pytest.mark.django_db
def test_who_is_suspended_between_the_question_and_the_answer_is_not_ranked() -> None:
    ground.operator()
    party, other = quoting(), ground.recycler(ground.book(("walmart", "*", "electronic", "0.93")))
    question = asked(party)
    people.Party.objects.filter(id=party).update(active=False)
    made = compared([party, other], q.reply(question, 9500))
    assert [o.lots[0].recycler for o in queries.comparison(made).ranking.offers] == [other]
    assert record.replay(plain(made)) == []


@pytest.mark.django_db
def test_a_recycler_without_a_book_may_quote_live() -> None:
    ground.operator()
    party = quoting()
    newcomer = ground.recycler(ground.book(("hema", "*", "electronic", "0.9")))
    people.SigningKey.objects.create(kid="live-2", party_id=newcomer, public_key=q.PUBLIC)
    made = compared([party, newcomer], q.reply(asked(newcomer, "live-2"), 9500))
    assert queries.comparison(made).ranking.offers[0].lots[0].recycler == newcomer


@pytest.mark.django_db
def test_a_key_of_another_recycler_signs_nothing_for_this_one() -> None:
    ground.operator()
    party, other = quoting(), quoting(kid="live-9")
    made = compared([party, other], q.reply(asked(party, "live-9"), 9500))
    assert models.LiveReply.objects.get(comparison=made).outcome == "signature"
