"""Every refusal that the code names exists, and every one that exists is used."""

import re
from pathlib import Path

import pytest

import huika_vault
from huika_vault.problems import REFUSALS, Refusal

SOURCE = Path(huika_vault.__file__).parent
# Refusal(f"card.{state}") and f"card.{standing}": the values their columns may hold.
BY_STATE = {"card.used", "card.changed", "card.wiped", "card.returned", "card.sold"}


def test_codes_in_the_code_are_those_of_the_table():
    text = "\n".join(path.read_text() for path in SOURCE.glob("*.py") if path.name != "problems.py")
    named = set(re.findall(r'"((?:request|capability|seal|card|issuer|release|vault)\.[a-z_]+)"', text))
    assert named | BY_STATE == set(REFUSALS)


def test_words_are_in_both_languages_and_statuses_are_refusals():
    for code, (status, english, chinese) in REFUSALS.items():
        assert 400 <= status < 600, code
        assert english.endswith(".") and english.isascii(), code
        assert chinese.endswith("。") and any("\u4e00" <= c <= "\u9fff" for c in chinese), code


def test_an_unknown_code_cannot_be_raised():
    with pytest.raises(KeyError):
        Refusal("card.lost")
