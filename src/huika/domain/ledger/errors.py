"""Why the ledger refuses."""

from huika.kit.refusals import Refusal


class InsufficientFunds(Refusal):
    code, status = "insufficient_funds", 409
    zh, en = "可用余额不够", "Not enough money is available."


class LimitExceeded(Refusal):
    code, status = "balance_limit", 409
    zh, en = "超过账户上限", "The account's upper limit would be exceeded."


class PostingKeyReused(Refusal):
    code, status = "posting_key_reused", 409
    zh, en = "这笔记账号已用于另一笔", "This posting key was used for different legs."


class Unbalanced(Refusal):
    code, status = "unbalanced", 409
    zh, en = "借贷不平", "The legs do not sum to zero."


class UnknownAccount(Refusal):
    code, status = "unknown_account", 409
    zh, en = "没有这个账户", "There is no such account."


class HoldExceeded(Refusal):
    code, status = "hold_exceeded", 409
    zh, en = "超过备款余额", "More than what is left of the hold."


class HoldExpired(Refusal):
    code, status = "hold_expired", 409
    zh, en = "备款已到期", "The hold has expired."


class NotReversible(Refusal):
    code, status = "not_reversible", 409
    zh, en = "这一笔已经冲回，或本身就是冲回", "This posting is already reversed, or is a reversal itself."
