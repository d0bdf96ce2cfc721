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


class RecordUnreadable(Refusal):
    code, status = "record_unreadable", 422
    zh, en = "这份比价记录或回执读不通：{why}", "This record or receipt does not hold: {why}"
