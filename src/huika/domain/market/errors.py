"""Why `market` refuses."""

from huika.kit.refusals import NotFound, Refusal


class CityNotServed(Refusal):
    code, status, keeps = "city_not_served", 409, True  # the demand that was not served stays on record
    zh, en = "这个地方还没开通，已记下你的需求", "This place is not served yet; your request has been noted."


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
        "没有发布：已经有第 {version} 版了，请对着它再看一遍",
        "Not published: there is a version {version} by now; look at the changes once more.",
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


class StepNotSigned(Refusal):
    code, status = "step_not_signed", 409
    zh, en = (
        "签的不是这次议价现在的内容：先读 `terms`，再签它的 SHA-256",
        "What was signed is not this bargain as it stands: read `terms` and sign its SHA-256 as `about`.",
    )


class BargainOver(Refusal):
    code, status = "bargain_over", 409
    zh, en = "议价结束了，原来的报价照旧", "The bargain is over; the first price stands as it did."


class RecordUnreadable(Refusal):
    code, status = "record_unreadable", 422
    zh, en = "这份比价记录或回执读不通：{why}", "This record or receipt does not hold: {why}"


class NotTheAsker(Refusal):
    code, status = "not_the_asker", 403
    zh, en = "只有来比价的人能这样做", "Only whoever asked for this comparison may do that."


class TooManyAlerts(Refusal):
    code, status = "too_many_alerts", 409
    zh, en = "到价提醒最多 {most} 个，先删一个再设", "At most {most} price alerts: delete one first."


class AlertStands(Refusal):
    code, status = "alert_stands", 409
    zh, en = (
        "这几张卡已经有提醒；想换价，先删掉它",
        "These cards have an alert already; delete it first.",
    )


class PaidAlready(Refusal):
    """Data: yuan, what these cards bring now."""

    code, status = "paid_already", 409
    zh, en = (
        "没设提醒：这些卡现在就值 {yuan}",
        "No alert was set: these cards bring {yuan} now already.",
    )


class VisitPaysAlone(Refusal):
    code, status = "visit_pays_alone", 409
    zh, en = "这些卡自己就够上门，不用拼", "These cards are enough for a visit of their own."


class TooLittleToShare(Refusal):
    code, status = "too_little_to_share", 409
    zh, en = "这几张太少，拼也不够多停一次的路费：再加几张", "Too little even for a shared visit: add some cards."


class PooledAlready(Refusal):
    code, status = "pooled_already", 409
    zh, en = "这个区你已经在拼了；想换卡，先退出再拼", "You share a visit in this district already; leave it first."


class PoolUsed(Refusal):
    code, status = "pool_used", 409
    zh, en = "这次拼的已经约过了", "This shared visit has been booked already."


class PoolOver(Refusal):
    code, status = "pool_over", 409
    zh, en = "拼的这一趟不能再约了，重新拼一次吧", "This shared visit can no longer be booked; share another one."


class SharedWindow(Refusal):
    """Data: opens, the window's beginning; when, the same in words (Shanghai)."""

    code, status = "shared_window", 409
    zh, en = (
        "和邻居是同一趟：邻居约了 {when}，请约这个时间",
        "You share one visit with neighbours, who booked {when}; please book that time.",
    )


class TooSoonToShare(Refusal):
    code, status = "too_soon_to_share", 409
    zh, en = (
        "和邻居同一趟，要让邻居也赶得上：请约 24 小时以后的时间",
        "Your neighbours must be able to make it too: choose a time at least 24 hours from now.",
    )


class LessThanPooled(Refusal):
    code, status = "less_than_pooled", 409
    zh, en = (
        "比拼的时候少了：当时说好面值 ¥{yuan}，现在的价也要够得上",
        "Less than what you shared: a face value of ¥{yuan}, at a price that still covers your part.",
    )


class NoRepricing(NotFound):
    """Without its rules the tool has nothing to reckon with."""

    code = "no_repricing"
    zh, en = (
        "还没有自动调价的规则：先 POST /v1/recycler/repricing（on 可以是 false），再来看建议",
        "The pricing tool has no rules yet: POST /v1/recycler/repricing first (on may be false), then ask again.",
    )
