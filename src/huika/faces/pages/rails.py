"""How a seller is paid: the one place with its words, its times and its icons; and asking a rail what it takes.

wallet is 微信零钱, alipay 支付宝, bank a bank card, ecny 数字人民币, cash is what a courier hands over.
"""

from dataclasses import dataclass

from huika.domain.parties import queries as people
from huika.domain.settlement.types import RailQuote
from huika.faces.pages import words
from huika.kit.ports import provider
from huika.kit.refusals import Refusal
from huika.kit.safe_http import NoAnswer, NotSent

CASH = "cash"


class NotOffered(Refusal):
    """A rail does not take this amount for this account, or cannot be asked now."""

    code, status = "rail_not_offered", 409
    zh, en = "这种收款方式现在不行：{why_zh}", "This way to be paid is not possible now: {why}"


SILENT = RailQuote((), "现在问不到，换一种收款方式", "It cannot be asked now; choose another way.")


@dataclass(frozen=True)
class Rail:
    """A way of being paid. `when` says how long it usually takes; `field` what the account is called there."""

    code: str
    zh: str
    en: str
    icon: str
    when_zh: str
    when_en: str
    field_zh: str = ""
    field_en: str = ""
    hint_zh: str = ""
    hint_en: str = ""
    kind: str = ""  # what is typed: digits, or text
    accept_zh: str = ""
    accept_en: str = ""

    @property
    def when(self) -> str:
        """How long it takes, in the page's language."""
        return words.pick(self.when_zh, self.when_en)

    @property
    def label(self) -> str:
        """What is typed, in the page's language."""
        return words.pick(self.field_zh, self.field_en)

    @property
    def hint(self) -> str:
        """What an account looks like there, in the page's language."""
        return words.pick(self.hint_zh, self.hint_en)

    @property
    def accept(self) -> str:
        """Where a payout that waits is accepted, in the page's language."""
        zh = self.accept_zh or f"打开{self.zh}，点开这笔转账，确认收下"
        return words.pick(zh, self.accept_en or f"Open {self.en}, find this transfer and accept it")

    @property
    def online(self) -> bool:
        """Whether another company sends the money."""
        return self.code != CASH


RAILS: tuple[Rail, ...] = (
    Rail("wallet", "微信零钱", "WeChat wallet", "chat", "锁好卡，几秒到账", "seconds after the lock",
         "微信收款号，本人的", "Your own WeChat wallet account",
         accept_zh="打开微信的「服务通知」，点开这笔转账，点「确认收款」",
         accept_en="Open WeChat, “Service notifications”, tap this transfer and accept it"),
    Rail("alipay", "支付宝", "Alipay", "swap", "锁好卡，几秒到账", "seconds after the lock",
         "支付宝账号，本人的", "Your own Alipay account",
         "手机号、邮箱，或 2088 开头的号", "mobile number, e-mail, or 2088…"),
    Rail("bank", "银行卡", "Bank card", "card", "通常半小时内到账", "usually within half an hour",
         "银行卡号，本人的", "Your own bank card number", "16 到 19 位数字", "16 to 19 digits", "digits"),
    Rail("ecny", "数字人民币", "e-CNY", "shield", "锁好卡，几秒到账", "seconds after the lock",
         "数字人民币钱包编号，本人的", "Your own e-CNY wallet number", "16 位数字", "16 digits", "digits"),
    Rail(CASH, "现金", "Cash", "coin", "当面点给你，整元，零头我们补", "counted at the door, rounded up at our cost"),
)  # fmt: skip
BY_CODE = {rail.code: rail for rail in RAILS}
ONLINE = frozenset(rail.code for rail in RAILS if rail.online)


STATES: dict[str, tuple[str, str]] = {
    "created": ("准备付", "about to be sent"),
    "sent": ("付款中", "on its way"),
    "unknown": ("还没回音，这笔钱归你", "not answered yet; the money is yours"),
    "waiting": ("等你接受", "waiting for you to accept"),
    "paid": ("已到账", "arrived"),
    "failed": ("没付成，钱还归你", "failed; the money is still yours"),
    "returned": ("银行退回了，钱还归你", "came back; the money is still yours"),
}
"""What a payout's state is called to its seller."""


def state_named(state: str) -> str:
    """A payout's state in the page's language."""
    return words.pick(*STATES[state])


def named(code: str) -> str:
    """A rail in the page's language; a dash for none."""
    rail = BY_CODE.get(code)
    return words.said(rail) if rail else "—"


def asked(code: str, account: str, amount_fen: int) -> RailQuote:
    """Whether a rail takes an amount for an account. Some ask another company: never inside an action."""
    if code == CASH:
        return RailQuote((amount_fen,))
    try:
        quote: RailQuote = provider(f"rail.{code}").quote(account, amount_fen)
    except (NoAnswer, NotSent):
        return SILENT
    return quote


def checked(code: str, account: str, amount_fen: int) -> str:
    """An account that was typed, as its rail writes it, where the rail takes the amount for it.

    Raises MalformedAccount, NotOffered. Some rails ask another company: never inside an action.
    """
    written = people.written_account(code, account)
    quote = asked(code, written, amount_fen)
    if not quote.offered:
        raise NotOffered(why_zh=quote.refusal_zh, why=quote.refusal_en)
    return written
