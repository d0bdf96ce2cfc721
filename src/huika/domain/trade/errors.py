"""Why `trade` refuses."""

from huika.kit.refusals import Refusal


class CannotLock(Refusal):
    code, status = "cannot_lock", 409
    zh, en = "这种卡锁不住，暂时不收：{name_zh}", "This kind cannot be locked, so it is not bought: {name_en}"


class TransferRefused(Refusal):
    code, status = "transfer_refused", 409
    zh, en = "{name_zh}要到发卡方过户，我们暂不收", "{name_en} needs a transfer at the issuer; we do not buy it yet."


class PayeeNeeded(Refusal):
    code, status = "payee_needed", 409
    zh, en = "先填收款账户", "Name where you want to be paid first."


class NotThisVisit(Refusal):
    code, status = "not_this_visit", 409
    zh, en = "上门还没开始", "The visit has not started."


class PicturesMissing(Refusal):
    code, status = "pictures_missing", 409
    zh, en = "正反面都要先拍", "Photograph both sides first."


class ReasonNotPublished(Refusal):
    code, status = "reason_not_published", 409
    zh, en = "改价要用公布过的理由", "A re-quote needs a published reason."


class DeductionTooLarge(Refusal):
    code, status = "deduction_too_large", 409
    zh, en = "这个理由最多减 {most}", "This reason takes off at most {most}."


class NotByBag(Refusal):
    code, status = "not_by_bag", 409
    zh, en = "这种卡要锁卡，不是装袋", "This kind is locked at the issuer, not bagged."


class NotByLock(Refusal):
    code, status = "not_by_lock", 409
    zh, en = "这种卡要装袋，不能锁卡", "This kind is bagged; it cannot be locked at the issuer."


class SamePicture(Refusal):
    code, status = "same_picture", 422
    zh, en = "两张是同一张照片，正反面各拍一张", "Both are one picture; photograph front and back."


class BalanceFirst(Refusal):
    code, status = "balance_first", 409
    zh, en = "先查余额再装袋", "Check the balance before bagging."


class BalanceShort(Refusal):
    code, status = "balance_short", 409
    zh, en = (
        "余额少于面值，请按理由改价或退回",
        "The balance is below face value: re-quote with the reason, or return it.",
    )


class CallbackSamePerson(Refusal):
    code, status = "callback_not_by_courier", 409
    zh, en = "回电要由值班的人打", "The call-back is made by the desk, not the courier."


class NothingToPay(Refusal):
    code, status = "nothing_to_pay", 409
    zh, en = "没有要付的现金", "There is no cash to pay."


class AlreadyBooked(Refusal):
    code, status = "already_booked", 409
    zh, en = "这一单已经约好了：{order}", "This is booked already: {order}"


class StoppedBefore(Refusal):
    code, status = "stopped_before", 409
    zh, en = (
        "没有约：上一通电话里停下过，等同事看过再约。有人催你，先打 96110",
        "Not booked: an earlier call was stopped; a colleague looks first. If somebody presses you, call 96110.",
    )


class BagDiffers(Refusal):
    code, status = "bag_differs", 409
    zh, en = "这不是装这张卡的袋子，别接", "This is not the bag this card was sealed in; do not take it."


class NotPaidYet(Refusal):
    code, status = "not_paid_yet", 409
    zh, en = "钱还没到，袋子留在卖家手里", "The money has not arrived; the bag stays with the seller."
