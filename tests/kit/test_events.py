"""Recording events, reading the stream, and what they say."""

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import transaction

import huika
from huika.domain.field.machine import VISIT
from huika.domain.market.types import Fee
from huika.kit import clock, events, followers, ids, sequencer
from huika.kit.events import WORDS, Placed
from huika.kit.models import Event

AT = datetime(2026, 5, 20, 6, 30, 0, 1, tzinfo=UTC)
SUBJECT = UUID(int=7)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_recorded() -> None:
    before = Event.objects.count()
    with pytest.raises(RuntimeError, match="outside a transaction"):
        events.record("test.done", SUBJECT)
    assert Event.objects.count() == before


@pytest.mark.django_db
def test_what_is_recorded_is_what_is_read() -> None:
    facts = {
        "卡": "家乐福",
        "n": 2**62,
        "yes": True,
        "none": None,
        "ids": [SUBJECT],
        "deep": {"a": [1, {"b": '"\\\n'}]},
    }
    with clock.frozen(AT), ids.seeded(3):
        made = events.record("test.done", SUBJECT, facts, parts={"money": {"paid_fen": 5}})
    assert events.last_about(SUBJECT, "test.done") is None and not events.has_place(made)
    while sequencer.sequence():
        pass
    found = events.last_about(SUBJECT, "test.done")
    assert found is not None and events.has_place(made)
    assert (found.id, found.at, found.verb, found.subject) == (made, AT, "test.done", SUBJECT)
    assert found.facts == {**facts, "ids": [str(SUBJECT)]}
    assert found.parts == {"money": {"paid_fen": 5}}
    with ids.seeded(3):
        assert found.salt == ids.random_bytes(32)


@pytest.mark.django_db
def test_salts_differ_and_floats_are_refused() -> None:
    for _ in range(3):
        events.record("test.done", SUBJECT)
    assert len({bytes(s) for s in Event.objects.filter(subject=SUBJECT).values_list("salt", flat=True)}) == 3
    with pytest.raises(TypeError):
        events.record("test.done", SUBJECT, {"ratio": 0.5})


@pytest.mark.django_db
def test_reading_from_a_place_about_subjects_and_the_newest_of_a_verb() -> None:
    other = uuid4()
    for verb, subject in (("test.a", SUBJECT), ("test.a", other), ("test.b", SUBJECT), ("test.a", SUBJECT)):
        events.record(verb, subject)
    while sequencer.sequence():
        pass
    mine = events.about([SUBJECT])
    assert [e.verb for e in mine] == ["test.a", "test.b", "test.a"]
    assert [e.place for e in mine] == sorted(e.place for e in mine)
    assert len(events.about([SUBJECT, other])) == 4 and events.about([]) == []
    start = mine[0].place
    assert [e.place for e in events.read(start, 3)] == [start, start + 1, start + 2]
    assert events.last_about(SUBJECT, "test.a") == mine[2]
    assert events.last_about(other, "test.b") is None


def placed(verb: str, facts: dict[str, object]) -> Placed:
    return Placed(0, 1, AT, verb, SUBJECT, facts, {}, b"")


def test_words_are_filled_in_when_read_and_money_is_shown_in_yuan() -> None:
    event = placed("trade.order.quoted", {"net_fen": 93_600, "cards": 2})
    assert events.render(event) == ("报价：到手 ¥936.00，2 张", "Quoted: net ¥936.00, 2 cards")


def test_a_verb_without_words_shows_itself() -> None:
    assert events.render(placed("test.unheard_of", {})) == ("test.unheard_of", "test.unheard_of")


# Every verb that is recorded anywhere, found in the source.

SOURCE = Path(huika.__file__).parent
VERB = re.compile(r"[a-z_]+\.[a-z_]+(\.[a-z_]+)?")
UNPACKED = {"asdict(fee)": {f.name for f in fields(Fee)}}


@dataclass(frozen=True)
class Recorded:
    where: str
    verbs: frozenset[str]
    facts: frozenset[str]


def recorded() -> Iterator[Recorded]:
    for place in sorted(SOURCE.rglob("*.py")):
        text = place.read_text(encoding="utf-8")
        if "events" not in text:
            continue  # it names no events.record; walking every tree takes seconds of every worker's start
        tree = ast.parse(text)
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "events.record":
                    facts = _keys(call.args[2], function) if len(call.args) > 2 else set()
                    where = f"{place.relative_to(SOURCE)}:{call.lineno}"
                    yield Recorded(where, frozenset(_verbs(call.args[0], tree)), frozenset(facts))


def _verbs(verb: ast.expr, tree: ast.Module) -> set[str]:
    if isinstance(verb, ast.Constant):
        return {verb.value}
    if isinstance(verb, ast.JoinedStr):
        head = verb.values[0]
        assert isinstance(head, ast.Constant) and head.value == "field.visit.", "only visits build their verb"
        return {f"field.visit.{state}" for state in VISIT.states}
    # A name: whichever verbs of this capability stand as constants in the module and are recorded nowhere directly.
    constants = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    direct = {
        c.args[0].value
        for c in ast.walk(tree)
        if isinstance(c, ast.Call) and ast.unparse(c.func) == "events.record" and isinstance(c.args[0], ast.Constant)
    }
    return {c for c in constants if VERB.fullmatch(c) and c.count(".") == 2} - direct


def _keys(facts: ast.expr, function: ast.FunctionDef) -> set[str]:
    if isinstance(facts, ast.Name):
        values = [
            n.value
            for n in ast.walk(function)
            if isinstance(n, ast.Assign | ast.AnnAssign)
            and n.value is not None
            and ast.unparse(n.targets[0] if isinstance(n, ast.Assign) else n.target) == facts.id
        ]
        return set().union(*(_keys(value, function) for value in values if isinstance(value, ast.Dict)))
    if isinstance(facts, ast.BinOp):
        return _keys(facts.left, function) | _keys(facts.right, function)
    assert isinstance(facts, ast.Dict), ast.unparse(facts)
    keys: set[str] = set()
    for key, value in zip(facts.keys, facts.values, strict=True):
        if key is None:
            keys |= UNPACKED.get(ast.unparse(value), set())
        else:
            assert isinstance(key, ast.Constant)
            keys.add(key.value)
    return keys


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


EVERY = list(recorded())


def test_the_search_finds_what_is_recorded() -> None:
    verbs = {verb for r in EVERY for verb in r.verbs}
    assert len(EVERY) > 40
    assert {"trade.order.quoted", "trade.order.cancelled", "field.visit.at_the_door", "kit.approval.asked"} <= verbs


@pytest.mark.parametrize("found", EVERY, ids=lambda r: r.where)
def test_every_recorded_verb_has_words_over_facts_that_it_has(found: Recorded) -> None:
    assert found.verbs
    for verb in found.verbs:
        assert verb in WORDS, verb
        zh, en = WORDS[verb]
        assert placeholders(zh) | placeholders(en) <= found.facts, verb


def test_no_words_for_what_nobody_records() -> None:
    assert set(WORDS) - {verb for r in EVERY for verb in r.verbs} == set()


def test_followers_wait_only_for_verbs_that_somebody_records() -> None:
    wanted = {verb for f in followers.REGISTRY.values() for verb in f.verbs if not verb.startswith("test.")}
    assert wanted
    assert wanted - {verb for r in EVERY for verb in r.verbs} == set()


@pytest.mark.django_db(transaction=True)
def test_an_event_of_a_transaction_that_rolls_back_is_gone() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        events.record("test.gone", SUBJECT)
        raise ZeroDivisionError
    assert not Event.objects.filter(verb="test.gone").exists()
