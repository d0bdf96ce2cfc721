"""Publishing a book; comparing; what a recycler still takes."""

from huika.domain.market.actions.alerts import alert_reached, end_alert, set_alert
from huika.domain.market.actions.bargains import (
    answer_bargain,
    ask_again,
    ask_for_more,
    leave_bargain,
    rivals_quotes,
    take_bargain,
)
from huika.domain.market.actions.books import publish_book, set_endpoint, set_platform_fee, set_terms
from huika.domain.market.actions.comparing import STANDS_SECONDS, compare, request_quotes
from huika.domain.market.actions.outcomes import append_outcome
from huika.domain.market.actions.pools import (
    call_off,
    end_pools,
    join_pool,
    join_visit,
    leave_pool,
    send_anyway,
    use_pool,
)
from huika.domain.market.actions.pricing import report_stock, reprice, set_repricing
from huika.domain.market.actions.room import give_room_back, take_room
from huika.domain.market.actions.visits import allow_visit, set_visit_cost, take_offer

__all__ = [
    "STANDS_SECONDS",
    "alert_reached",
    "allow_visit",
    "answer_bargain",
    "append_outcome",
    "ask_again",
    "ask_for_more",
    "call_off",
    "compare",
    "end_alert",
    "end_pools",
    "give_room_back",
    "join_pool",
    "join_visit",
    "leave_bargain",
    "leave_pool",
    "publish_book",
    "report_stock",
    "reprice",
    "request_quotes",
    "rivals_quotes",
    "send_anyway",
    "set_alert",
    "set_endpoint",
    "set_platform_fee",
    "set_repricing",
    "set_terms",
    "set_visit_cost",
    "take_bargain",
    "take_offer",
    "take_room",
    "use_pool",
]
