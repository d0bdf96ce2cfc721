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
SCOPES: dict[str, tuple[str, str]] = {"all": ("全部付款", "All payouts")} | {r.code: (r.zh, r.en) for r in RAILS}
"""What payouts are stopped for: all, or one way of paying."""

# What a rail's codes mean to whoever reads them: one sentence for codes that ask for the same thing.
_MEANT: tuple[tuple[str, str, str], ...] = (
    ("账户名和实名对不上", "the account is in another name",
     "NAME_DIFFERS NAME_NOT_CORRECT REAL_NAME_CHECK_FAIL PAYEE_USER_INFO_ERROR"),
    ("账户已经销户", "the account is closed", "ACCOUNT_CLOSED WALLET_CLOSED"),
    ("账户不能收款", "the account cannot receive money",
     "ACCOUNT_FROZEN NOT_RECEIVING PAYEE_ACCOUNT_STATUS_ERROR PAYEE_USERINFO_STATUS_ERROR PAYEE_ACCOUNT_ABNORMAL "
     "BLOCK_USER_FORBBIDEN_RECIEVE NO_ACCOUNT_RECEIVE_PERMISSION RECEIVE_ACCOUNT_NOT_CONFIGURE"),
    ("没有这个账户", "there is no such account",
     "UNKNOWN_WALLET PAYEE_NOT_EXIST PAYEE_ACCOUNT_NOT_EXSIT PAYEE_ACC_OCUPIED OPENID_INVALID"),
    ("账户还没有实名", "the account's owner is not verified there",
     "PERM_AML_NOT_REALNAME_REV"),
    ("超过这个账户能收的限额", "more than this account may receive",
     "LIMIT_SINGLE LIMIT_DAY LIMIT_BALANCE PERMIT_NON_BANK_LIMIT_PAYEE TRUSTEESHIP_RECIEVE_QUOTA_LIMIT "
     "EXCEED_LIMIT_UNRN_DM_AMOUNT EXCEED_LIMIT_DC_RECEIVED "
     "REALNAME_ACCOUNT_RECEIVED_QUOTA_EXCEED"),
    ("渠道的风控拦下了", "the rail's risk control stopped it", "TRANSFER_RISK"),
    ("渠道没有收这笔付款", "the rail did not take this payout", "refused"),
    ("银行把钱退回来了", "the bank sent the money back", "RETURNED"),
    ("过了时间没有点收款", "it was not accepted in time", "OVERDUE_CLOSE"),
    ("已经撤回", "it was withdrawn", "CANCELLED CANCELLED_BY_PAYER MCH_CANCEL"),
    ("付款方余额不够，不是你的账户有问题", "whoever pays was short of money; nothing is wrong with your account",
     "INSUFFICIENT PAYER_BALANCE_NOT_ENOUGH BALANCE_IS_NOT_ENOUGH NOT_ENOUGH"),
    ("超过付款方的限额，不是你的账户有问题", "beyond what the payer may send; nothing is wrong with your account",
     "EXCEED_LIMIT_SM_MIN_AMOUNT EXCEED_LIMIT_SM_AMOUNT EXCEED_LIMIT_PERSONAL_SM_AMOUNT EXCEED_LIMIT_ENT_SM_AMOUNT "
     "EXCEED_LIMIT_DM_AMOUNT EXCEED_LIMIT_DM_MAX_AMOUNT EXCEED_LIMIT_MM_AMOUNT EXCEED_LIMIT_MM_MAX_AMOUNT "
     "TRANSFER_QUOTA_EXCEED"),
    ("付款这边没有办成，不是你的账户有问题", "the payer's side could not do it; nothing is wrong with your account",
     "PARAM_ERROR INVALID_PARAMETER INVALID_REQUEST FILE_ERROR NUMBER_REUSED BODY_TOO_LARGE NO_AUTH "
     "MERCHANT_REJECT PRODUCT_AUTH_CHECK_FAIL PAYER_ACCOUNT_ABNORMAL "
     "PAYER_STATUS_ERROR PAYER_USER_INFO_ERROR PAYER_DATA_INCOMPLETE PAYER_CERT_EXPIRED PAYER_PAYEE_CANNOT_SAME "
     "PAYCARD_UNABLE_PAYMENT BLOCK_USER_FORBBIDEN_SEND PERMIT_CHECK_PERM_LIMITED PERMIT_CHECK_PERM_IDENTITY_THEFT "
     "PERMIT_PAYER_FORBIDDEN PERMIT_PAYER_LOWEST_FORBIDDEN CERT_MISS_TRANS_LIMIT CERT_MISS_ACC_LIMIT "
     "MEMO_REQUIRED_IN_TRANSFER_ERROR REMARK_HAS_SENSITIVE_WORD SYNC_SECURITY_CHECK_FAILED"),
)  # fmt: skip
REASONS: dict[str, tuple[str, str]] = {code: (zh, en) for zh, en, codes in _MEANT for code in codes.split()}
"""Rail's code → why a payout failed, as its seller reads it."""


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


def reason_named(code: str) -> str:
    """Why a payout failed, in the page's language; empty where the rail's code is not known."""
    return words.pick(*REASONS[code]) if code in REASONS else ""


def reason_for_desk(code: str) -> str:
    """The same for the desk, which sees a code that is not known; empty where the rail gave none."""
    if not code:
        return ""
    # Whoever reads it at the desk is not whose account it is.
    known = reason_named(code).replace("你的", "卖家的").replace("with your account", "with the seller's account")
    return known or words.pick(f"渠道代码 {code}", f"rail's code {code}")


def scope_named(scope: str) -> str:
    """For what payouts are stopped, in the page's language."""
    return words.pick(*SCOPES.get(scope, (scope, scope)))


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
