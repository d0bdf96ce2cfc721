from datetime import date
from uuid import uuid4

from huika.adapters.custodian.own import OwnAccount


def test_the_shops_own_account_asks_nobody() -> None:
    own, request = OwnAccount(), str(uuid4())
    own.open_account("a", "本店")
    own.deposit("r", "a", 100)
    frozen = own.freeze(request, "a", 100)
    assert frozen.frozen
    assert frozen == own.freeze(request, "a", 100)
    assert frozen.freeze_no != own.freeze(str(uuid4()), "a", 100).freeze_no
    assert len(frozen.freeze_no) <= 40
    own.capture("c", frozen.freeze_no, 60)
    own.release("l", frozen.freeze_no, 40)
    assert own.statement(date(2026, 1, 5)) is None
