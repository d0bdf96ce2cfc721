"""Why `market` refuses."""

from huika.kit.refusals import Refusal


class CityNotServed(Refusal):
    code, status, keeps = "city_not_served", 409, True  # the demand that was not served stays on record
    zh, en = "这个城市还没开通，已记下你的需求", "This city is not served yet; your request has been noted."


class QuoteExpired(Refusal):
    code, status = "quote_expired", 409
    zh, en = "报价已过期，请重新比价", "This quote has expired; please compare again."


class BadBook(Refusal):
    code, status = "bad_book", 422
    zh, en = "价目表有 {count} 行有误，整份没有入库", "{count} rows of the price book are wrong; nothing was loaded."


class EmptyBasket(Refusal):
    code, status = "empty_basket", 422
    zh, en = "至少填一张卡，最多 60 张", "Name at least one card, at most 60."


class BookChanged(Refusal):
    code, status = "book_changed", 409
    zh, en = (
        "没有发布：第 {version} 版刚刚生效，请对着它再看一遍",
        "Not published: version {version} has just taken effect; look at the changes once more.",
    )


class OverCap(Refusal):
    code, status = "over_cap", 409
    zh, en = (
        "这家今天的额度刚刚收满，请重新比价",
        "This recycler has just bought all it takes today; please compare again.",
    )


class VisitNotCovered(Refusal):
    code, status = "visit_not_covered", 409
    zh, en = (
        "这些卡太少，上门不够路费：再凑几张，或和邻居拼一次",
        "Too little for a visit of its own: add cards, or share a visit with neighbours.",
    )


class NoBargain(Refusal):
    code, status = "no_bargain", 409
    zh, en = "这家不议价，或者已经问过一次", "This recycler does not bargain, or was asked already."


class StepNotOpen(Refusal):
    code, status = "step_not_open", 409
    zh, en = (
        "这一步现在不能出：每轮要比上次少要、比对方出的多，最多三轮",
        "Not open now: ask less than last time and more than was offered, three rounds at most.",
    )


class BargainOver(Refusal):
    code, status = "bargain_over", 409
    zh, en = "议价结束了，原来的报价照旧", "The bargain is over; the first price stands as it did."


class RecordUnreadable(Refusal):
    code, status = "record_unreadable", 422
    zh, en = "这份比价记录或回执读不通：{why}", "This record or receipt does not hold: {why}"
