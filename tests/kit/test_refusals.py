"""Refusals: codes, words in both languages, problem+json."""

import importlib
import json
import pkgutil
import string
from collections import Counter

import pytest

import huika
from huika.kit import problems
from huika.kit.refusals import Malformed, Refusal, WrongState


def every_refusal() -> list[type[Refusal]]:
    for module in pkgutil.walk_packages(huika.__path__, "huika."):
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
    found, todo = [], [Refusal]
    while todo:
        todo += (kind := todo.pop()).__subclasses__()
        if kind.__module__.startswith("huika.") and "code" in vars(kind):
            found.append(kind)
    return found


def test_every_refusal_has_a_code_of_its_own_a_status_and_words_in_both_languages() -> None:
    kinds = every_refusal()
    assert len(kinds) > 30
    assert [code for code, n in Counter(k.code for k in kinds).items() if n > 1] == []
    for kind in kinds:
        assert kind.code == kind.code.lower() and " " not in kind.code, kind
        assert 400 <= kind.status < 600, kind
        assert kind.zh and kind.en and kind.zh != kind.en, kind
        assert any("一" <= c <= "鿿" for c in kind.zh), kind
        assert not any("一" <= c <= "鿿" for c in kind.en), kind


def test_every_sentence_can_be_filled_in_and_shows_a_dash_for_what_is_missing() -> None:
    for kind in every_refusal():
        for template, filled in ((kind.zh, kind().message_zh), (kind.en, kind().message_en)):
            names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
            assert filled.count("—") >= len(names), kind
            assert "{" not in filled


def test_data_fills_the_sentence_and_stays_available() -> None:
    refusal = WrongState(state="quoted", step="settle")
    assert refusal.message_en == "Not possible while in state quoted."
    assert refusal.message_zh == "现在是「quoted」，不能做这一步"
    assert str(refusal) == "wrong_state: Not possible while in state quoted."
    assert refusal.data == {"state": "quoted", "step": "settle"}


def test_a_problem_is_rfc_9457() -> None:
    refusal = Malformed(field="amount", why="negative", why_zh="不能是负数")
    problem = json.loads(problems.body(refusal))
    assert problem == problems.problem(refusal)
    assert problem == {
        "type": "urn:huika:problem:malformed",
        "title": "填写有误：amount，不能是负数",
        "detail": "Malformed input: amount, negative",
        "status": 422,
        "code": "malformed",
        "data": {"field": "amount", "why": "negative", "why_zh": "不能是负数"},
    }
    assert problems.MEDIA_TYPE == "application/problem+json"


@pytest.mark.parametrize("braces", ["{0}", "{x.__class__}", "{"])
def test_data_is_never_read_as_a_template(braces: str) -> None:
    assert WrongState(state=braces).message_en == f"Not possible while in state {braces}."
