"""Why `settlement` refuses."""

from huika.kit.refusals import Refusal


class NetDiffers(Refusal):
    code, status = "net_differs", 409
    zh, en = "付款和约定的到手不一致", "The payment is not the accepted net."


class WrongCash(Refusal):
    code, status = "wrong_cash", 409
    zh, en = "应付现金 {due}，你填的是 {counted}", "Cash due is {due}, you counted {counted}."


class CallbackRefused(Refusal):
    code, status = "callback_refused", 401
    zh, en = "回调没有通过核对：{why}", "The callback does not verify: {why}"


class FloatTooSmall(Refusal):
    code, status = "float_too_small", 409
    zh, en = "备用金不够，请改用转账或联系值班", "The float is too small; use a transfer or call the desk."


class DecisionDiffers(Refusal):
    code, status = "reserve_ended", 409
    zh, en = "这笔留存款已经按别的结论处理", "This reserve has already ended otherwise."


class NotTheReserve(Refusal):
    code, status = "beyond_reserve", 409
    zh, en = "只能在 0 和留存款之间分", "A decision divides the reserve: between nothing and all of it."


class CallbackReplayed(Refusal):
    code, status = "callback_replayed", 409
    zh, en = "这条回调已经收过", "This callback was taken before."


class PayoutsStopped(Refusal):
    code, status = "payouts_stopped", 409
    zh, en = (
        "付款暂停中，这笔钱归卖家，恢复后自动付出",
        "Payouts are stopped. The money is the seller's and is sent when they resume.",
    )


class AlreadyStopped(Refusal):
    code, status = "already_stopped", 409
    zh, en = "这一路付款已经停了", "These payouts are stopped already."


class StopAsked(Refusal):
    code, status = "stop_asked", 409
    zh, en = (
        "这个请求已经在等第二个人批，没有再提一次",
        "This request already waits for a second person; it was not made again.",
    )


class NotDead(Refusal):
    code, status = "payout_not_dead", 409
    zh, en = (
        "前一笔还没有证明不会付出，不能换一种方式再付",
        "The first payout is not proved dead: nothing else may be sent.",
    )


class PurseFull(Refusal):
    code, status = "purse_full", 409
    zh, en = "备用金最多 {limit}", "A purse holds at most {limit}."


class TooMuch(Refusal):
    code, status = "too_much", 409
    zh, en = "一次最多 {limit}", "At most {limit} at once."


class CountMissing(Refusal):
    code, status, keeps = "count_missing", 409, True
    zh, en = (
        "清点 {counted} 和账上不一样。再数一遍，并写明原因；第一次的数已经记下",
        "{counted} is not what the books say. Count again and say why; the first count is on record.",
    )


class OwnMoney(Refusal):
    code, status = "own_money", 409
    zh, en = "这笔钱关系到你自己，要由别人来办", "This money concerns yourself; somebody else must do it."


class ReasonNeeded(Refusal):
    code, status = "reason_needed", 409
    zh, en = "请写明理由", "A reason is needed."


class DayNotReady(Refusal):
    code, status = "day_not_ready", 409
    zh, en = "这一天还不能结：{what}", "This day cannot be closed yet: {what_en}"


class ShiftClosed(Refusal):
    code, status = "shift_closed", 409
    zh, en = "今天已经交班，备用金明天再发", "Today's shift is closed; cash is handed over tomorrow."


class PremiumNotOwed(Refusal):
    code, status = "premium_not_owed", 409
    zh, en = "代收的保费还有 {owed}", "Premiums collected and not passed on: {owed}."


class AlreadyClosed(Refusal):
    code, status = "already_closed", 409
    zh, en = "已经结过了，并且数字不同", "This is closed already, with other figures."


class NotOurs(Refusal):
    code, status = "not_ours", 409
    zh, en = "托管账户里属于平台自己的只有 {ours}", "Only {ours} at the custodian is the operator's own."


class TooLate(Refusal):
    code, status = "too_late", 409
    zh, en = "留存期已过，这笔钱归卖家", "The date has passed: this money is the seller's."
