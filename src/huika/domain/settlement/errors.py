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
