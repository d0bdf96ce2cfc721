"""Why `risk` refuses."""

from huika.kit.refusals import Refusal


class RiskRefused(Refusal):
    code, status, keeps = "risk_refused", 409, True  # the decision stays on record
    zh, en = "这单不能继续：{why_zh}", "This order cannot go on: {why}"
