"""Phone numbers, identity numbers (GB 11643), masks."""

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huika.domain.parties import rules
from huika.domain.parties.errors import MalformedIdNumber, MalformedPhone

WEIGHTS = [2 ** (17 - i) % 11 for i in range(17)]  # ISO 7064 MOD 11-2, as GB 11643 states it
PLACES = st.sampled_from(["310101", "110105", "440304", "650102"])
BIRTHS = st.dates(min_value=date(1920, 1, 1), max_value=date(2008, 1, 1))


def numbered(body: str) -> str:
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


NUMBERS = st.builds(lambda p, b, s: numbered(f"{p}{b:%Y%m%d}{s:03d}"), PLACES, BIRTHS, st.integers(0, 999))


def test_the_standard_s_own_examples() -> None:
    assert rules.id_number("11010519491231002X") == "11010519491231002X"
    assert rules.id_number(" 440524188001010014 ") == "440524188001010014"
    assert rules.id_number("11010519491231002x") == "11010519491231002X"


@given(NUMBERS)
def test_a_right_number_is_taken(number: str) -> None:
    assert rules.id_number(number) == number


@given(NUMBERS, st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_is_always_seen(number: str, at: int, by: int) -> None:
    if number[at] == "X":
        other = str(by)
    else:
        other = str((int(number[at]) + by) % 10)
    with pytest.raises(MalformedIdNumber):
        rules.id_number(number[:at] + other + number[at + 1 :])


@given(NUMBERS, st.integers(0, 15))
def test_two_neighbours_changed_over_are_always_seen(number: str, at: int) -> None:
    turned = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if turned != number:
        with pytest.raises(MalformedIdNumber):
            rules.id_number(turned)


@pytest.mark.parametrize(
    "text",
    [
        "", "1", "110105194912310021", "011010519491231002", "11010519491231002", "11010519491231002XX",
        "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002١", "1101051949123100 2X", "A10105194912310023",
        numbered("31010119901301001"), numbered("31010119900230001"), numbered("31010100000000001"),
    ],
)  # fmt: skip
def test_what_is_no_identity_number(text: str) -> None:
    with pytest.raises(MalformedIdNumber):
        rules.id_number(text)


@pytest.mark.parametrize(
    "text", ["13800138000", " 138 0013 8000 ", "138-0013-8000", "+8613800138000", "+86 138-0013-8000"]
)
def test_a_mobile_number_however_it_is_written(text: str) -> None:
    assert rules.phone(text) == "13800138000"


@pytest.mark.parametrize(
    "text",
    [
        "", "12800138000", "1380013800", "138001380000", "23800138000", "02112345678", "+8513800138000", "1380013800a",
        "138٠٠138000", "１３８００１３８０００", "138001380０0", "13800138000;", "+86+8613800138000",
    ],
)  # fmt: skip
def test_what_is_no_mobile_number(text: str) -> None:
    with pytest.raises(MalformedPhone):
        rules.phone(text)


@given(st.text(max_size=30))
def test_no_text_breaks_either_rule(text: str) -> None:
    for rule, refusal in ((rules.phone, MalformedPhone), (rules.id_number, MalformedIdNumber)):
        try:
            assert rule(text).isascii()
        except refusal:
            continue


@given(st.text(alphabet="0123456789abc", max_size=40))
def test_a_mask_shows_the_last_four(account: str) -> None:
    masked = rules.masked(account)
    assert len(masked) == len(account) and masked[-4:] == account[-4:]
    assert set(masked[:-4]) <= {"•"}


def test_a_token_is_of_its_session_and_of_its_secret() -> None:
    session, other = uuid4(), uuid4()
    first = rules.token(b"k" * 32, session)
    assert first == rules.token(b"k" * 32, session) and first.startswith(session.hex)
    assert first != rules.token(b"j" * 32, session)
    assert first.partition(".")[2] != rules.token(b"k" * 32, other).partition(".")[2]


def test_a_binding_and_a_digest_are_of_everything_they_name() -> None:
    session = uuid4()
    bindings = {
        rules.binding(session, ["payee", "wallet", "a"]),
        rules.binding(None, ["payee", "wallet", "a"]),
        rules.binding(session, ["payee", "wallet", "b"]),
        rules.binding(uuid4(), ["payee", "wallet", "a"]),
    }
    assert len(bindings) == 4 and all(len(x) == 32 for x in bindings)
    digests = {rules.code_digest(k, i, c) for k in (b"a", b"b") for i in (1, 2) for c in ("123456", "123457")}
    assert len(digests) == 8
