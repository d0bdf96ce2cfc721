"""What sellers who wait are sent: once, in words that a carrier takes, and nothing personal."""

import re
from uuid import UUID, uuid4

import pytest
from tests.domain.market.test_pools import join, visits
from tests.domain.market.test_wishes import BOOK, alert, settle
from tests.domain.parties.phone import Outside as Phones
from tests.domain.parties.phone import outside
from tests.domain.trade import ground

from huika.adapters.sms import sandbox
from huika.domain.market import queries

pytestmark = pytest.mark.django_db
__all__ = ["outside", "visits"]


def test_who_waits_for_a_price_is_sent_one_message_without_anything_personal(outside: Phones) -> None:
    ground.operator()
    who, party = ground.seller(), ground.recycler(BOOK)
    alert(who.party)
    settle()
    outside.texts.clear()
    for ratio in ("0.91", "0.92"):
        ground.publish(party, BOOK.replace("0.9", ratio))
        settle()
    ((phone, template, words, reference),) = outside.texts
    assert re.fullmatch(r"[\w.:-]{1,64}", reference), "as carriers take it"
    assert (template, words["cards"], words["yuan"]) == ("alert", "1", "¥873.45") and phone.startswith("1")
    assert sandbox.TEMPLATES["alert"].format_map(words).startswith("【回卡】到价了：") and set(words) == {
        "kind", "cards", "yuan",
    }  # fmt: skip


def test_a_full_pool_sends_each_of_its_members_a_message(visits: UUID, outside: Phones) -> None:
    who = ground.seller()
    join(who.party, 2)
    while not queries.pools_of(who.party)[0].covered:
        join(uuid4(), 2)
    settle()
    sent = [(template, words) for _, template, words, _ in outside.texts if template == "pool"]
    assert len(sent) == 1 and sandbox.TEMPLATES["pool"].format_map(sent[0][1])  # strangers here have no telephone
