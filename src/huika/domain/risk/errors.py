"""Why `risk` refuses."""

from huika.kit.refusals import Refusal


class RiskRefused(Refusal):
    code, status = "risk_refused", 409
    zh, en = "这单不能继续：{why_zh}", "This order cannot go on: {why}"
