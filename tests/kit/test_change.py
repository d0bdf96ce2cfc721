"""`@action`: one transaction, one effect a key, the same answer again."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from tests.kit.concurrently import together

from huika.kit import events
from huika.kit.change import Claim, KeyReused, action, claimed
from huika.kit.models import Event, IdempotencyKey
from huika.kit.refusals import Refusal


@dataclass(frozen=True)
class Money:
    amount_fen: int
    payout: UUID | None


@dataclass(frozen=True)
class Answer:
    order: UUID
    code: str
    paid: bool
    money: Money


class No(Refusal):
    code, status = "test_no", 409
    zh, en = "不行", "No."


class WrongCode(Refusal):
    code, status = "test_wrong_code", 403
    zh, en = "码不对", "Wrong code."
    keeps = True


def claim(key: str = "key-0001", asked: bytes = b"a" * 32, scope: str = "seller:1") -> Claim:
    return Claim(scope, key, asked)


def effects(verb: str = "test.done") -> int:
    return Event.objects.filter(verb=verb).count()


def keys() -> list[str]:
    return list(IdempotencyKey.objects.order_by("key").values_list("key", flat=True))


@action
def make() -> UUID:
    made = uuid4()
    events.record("test.done", made)
    return made


@action
def answer() -> Answer:
    events.record("test.done", uuid4())
    return Answer(uuid4(), "AB34", True, Money(12_345, None))


@action
def maybe(found: UUID | None) -> UUID | None:
    events.record("test.done", uuid4())
    return found


@action
def count(result: int) -> int:
    events.record("test.done", uuid4())
    return result


@action
def say(result: str) -> str:
    events.record("test.done", uuid4())
    return result


@action
def agree(result: bool) -> bool:
    events.record("test.done", uuid4())
    return result


@action
def quiet() -> None:
    events.record("test.done", uuid4())


@action
def refuse() -> UUID:
    events.record("test.done", uuid4())
    raise No


@action
def count_and_refuse() -> None:
    events.record("test.counted", uuid4())
    raise WrongCode


@action
def outer() -> UUID:
    """An action that calls others."""
    events.record("test.outer", uuid4())
    make()
    return make()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "call",
    [
        make,
        answer,
        lambda: maybe(None),
        lambda: maybe(UUID(int=9)),
        lambda: count(0),
        lambda: count(2**63),
        lambda: say("卡"),
        lambda: say(str(UUID(int=1))),
        lambda: agree(False),
        quiet,
    ],
)
def test_a_repeat_answers_the_same_and_does_nothing(call: object) -> None:
    answers = []
    for _ in range(3):
        with claimed(claim()):
            answers.append(call())
    assert answers[0] == answers[1] == answers[2]
    assert type(answers[0]) is type(answers[2])
    assert effects() == 1


@pytest.mark.django_db
def test_a_repeated_dataclass_is_equal_down_to_its_types() -> None:
    with claimed(claim()):
        first = answer()
    with claimed(claim()):
        again = answer()
    assert again == first and isinstance(again, Answer) and isinstance(again.money, Money)
    assert isinstance(again.order, UUID) and again.money.payout is None


@pytest.mark.django_db
def test_without_a_claim_every_call_takes_effect() -> None:
    with claimed(None):
        assert make() != make()
    assert effects() == 2 and keys() == []


@pytest.mark.django_db
def test_another_body_under_the_key_is_refused_and_does_nothing() -> None:
    with claimed(claim()):
        make()
    with claimed(claim(asked=b"b" * 32)), pytest.raises(KeyReused) as caught:
        make()
    assert caught.value.data == {"key": "key-0001"}
    assert effects() == 1


@pytest.mark.django_db
def test_the_same_key_of_another_caller_or_another_key_is_another_request() -> None:
    for one in (claim(), claim(scope="seller:2"), claim(key="key-0002")):
        with claimed(one):
            make()
    assert effects() == 3


@pytest.mark.django_db
def test_a_refusal_undoes_everything_and_leaves_no_key() -> None:
    with claimed(claim()), pytest.raises(No):
        refuse()
    assert effects() == 0 and keys() == []
    with claimed(claim()):
        make()
    assert effects() == 1


@pytest.mark.django_db
def test_an_accident_undoes_everything_and_leaves_no_key() -> None:
    @action
    def break_down() -> None:
        events.record("test.done", uuid4())
        raise ZeroDivisionError

    with claimed(claim()), pytest.raises(ZeroDivisionError):
        break_down()
    assert effects() == 0 and keys() == []


@pytest.mark.django_db
def test_a_refusal_that_keeps_keeps_what_was_written_but_no_key() -> None:
    for n in (1, 2):
        with claimed(claim()), pytest.raises(WrongCode):
            count_and_refuse()
        assert effects("test.counted") == n and keys() == []


@pytest.mark.django_db(transaction=True)
def test_what_a_keeping_refusal_wrote_is_committed_through_an_outer_action_too() -> None:
    @action
    def calls_it() -> None:
        events.record("test.done", uuid4())
        count_and_refuse()

    with claimed(claim()), pytest.raises(WrongCode):
        calls_it()
    together(lambda: None)  # nothing of it hangs on this connection's transaction
    assert not connection.in_atomic_block
    assert (effects(), effects("test.counted"), keys()) == (1, 1, [])


@pytest.mark.django_db
def test_an_inner_action_joins_the_outer_transaction_and_takes_no_key_of_its_own() -> None:
    with claimed(claim()):
        first = outer()
    with claimed(claim()):
        assert outer() == first
    assert (effects("test.outer"), effects(), keys()) == (1, 2, ["key-0001"])


@pytest.mark.django_db
def test_an_outer_refusal_undoes_the_inner_action() -> None:
    @action
    def fails_late() -> None:
        make()
        raise No

    with pytest.raises(No):
        fails_late()
    assert effects() == 0


@pytest.mark.django_db
def test_an_inner_refusal_caught_around_a_savepoint_undoes_only_itself() -> None:
    @action
    def goes_on() -> UUID:
        with pytest.raises(No), transaction.atomic():
            refuse()
        return make()

    with claimed(claim()):
        first = goes_on()
    with claimed(claim()):
        assert goes_on() == first
    assert effects() == 1


@pytest.mark.django_db(transaction=True)
def test_one_key_from_many_threads_takes_effect_once_and_answers_all_the_same() -> None:
    def call() -> UUID:
        with claimed(claim()):
            return make()

    answers = together(*[call] * 8)
    assert len(set(answers)) == 1 and isinstance(answers[0], UUID)
    assert effects() == 1


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_still_undecided_the_second_waits_and_takes_over_when_it_fails() -> None:
    """Eight threads, the first seven of which refuse in whatever order: exactly one effect, by one that does not."""
    turn = iter(range(100))

    @action
    def first_ones_refuse() -> int:
        mine = next(turn)
        events.record("test.done", uuid4())
        if mine < 7:
            raise No
        return mine

    def call() -> int:
        with claimed(claim()):
            return first_ones_refuse()

    answers = together(*[call] * 8)
    assert sorted(map(str, answers)) == sorted([*["test_no: No."] * 7, "7"])
    assert effects() == 1 and keys() == ["key-0001"]


@pytest.mark.django_db(transaction=True)
def test_a_keeping_refusal_lets_the_waiting_ones_try_for_themselves() -> None:
    def call() -> None:
        with claimed(claim()):
            count_and_refuse()

    answers = together(*[call] * 5)
    assert all(isinstance(a, WrongCode) for a in answers)
    assert effects("test.counted") == 5 and keys() == []


@pytest.mark.django_db(transaction=True)
def test_the_key_is_written_in_the_action_s_own_transaction() -> None:
    with pytest.raises(RuntimeError), transaction.atomic(), claimed(claim()):
        make()
        raise RuntimeError
    assert effects() == 0 and keys() == []


@pytest.mark.django_db
def test_a_result_without_a_canonical_form_is_refused_before_anything_is_kept() -> None:
    @action
    def floats() -> object:
        events.record("test.done", uuid4())
        return 0.5

    with claimed(claim()), pytest.raises(TypeError):
        floats()
    assert effects() == 0 and keys() == []
