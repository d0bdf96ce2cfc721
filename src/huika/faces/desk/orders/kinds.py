"""What each kind of work item is called, and the decisions that somebody acts upon.

The decisions are those of the followers of `kit.work_item.decided` (trade.desk, kit.repairs). Where nobody follows, a
person can only say that it was seen.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One decision: the word that is stored, its button, and what follows from it. `tone` is go, plain or bad."""

    word: str
    zh: str
    en: str
    then_zh: str
    then_en: str
    tone: str = "plain"


@dataclass(frozen=True)
class Kind:
    """A kind of work item: its name, its name in a narrow strip, the question a person answers, and the answers."""

    slug: str
    zh: str
    en: str
    short_zh: str
    short_en: str
    ask_zh: str
    ask_en: str
    choices: tuple[Choice, ...]


SEEN = Choice(
    "noted",
    "看过了",
    "Seen",
    "只记下你看过，钱和卡都不动",
    "Recorded as seen; neither money nor card moves",
    "go",
)
_AGAIN = "go"


def _repair(slug: str, zh: str, en: str, short: tuple[str, str], choice: Choice) -> Kind:
    ask = ("原因排除了吗", "Is the cause mended?")
    return Kind(slug, zh, en, *short, *ask, (choice,))


def _watch(slug: str, zh: str, en: str, short: tuple[str, str], ask: tuple[str, str]) -> Kind:
    return Kind(slug, zh, en, *short, *ask, (SEEN,))


def _difference(slug: str, zh: str, en: str) -> Kind:
    choice = Choice(
        "found",
        "查清了",
        "Found out",
        "理由就是这条差异的说明，日结用得到",
        "The reason becomes the difference's explanation, which the day's close wants",
        "go",
    )
    ask = ("和托管方差的这一笔是什么", "What is this difference to the custodian?")
    return Kind(f"settlement.recon_{slug}", zh, en, "对账", "Recon", *ask, (choice,))


_ALL = (
    Kind(
        "inspection.doubt",
        "卡片存疑",
        "Card in doubt",
        "存疑",
        "Card",
        "这张卡能不能收",
        "Can this card be taken?",
        (
            Choice(
                "clear",
                "没问题，接着办",
                "Fine, go on",
                "价不变，专员接着锁卡",
                "The price stands; the courier goes on",
                "go",
            ),
            Choice(
                "refuse", "不收这张", "Not this card", "卡还给卖家，不花钱", "The card goes back, free of charge", "bad"
            ),
        ),
    ),
    Kind(
        "trade.suspected",
        "这张卡要核实",
        "Card to be checked",
        "核实",
        "Check",
        "还能不能锁",
        "May it be locked after all?",
        (
            Choice(
                "clear",
                "没问题，可以再锁",
                "Fine, lock again",
                "专员可以再锁一次",
                "The courier may lock it once more",
                "go",
            ),
            Choice(
                "refuse", "还给卖家", "Give it back", "卡还给卖家，不花钱", "The card goes back, free of charge", "bad"
            ),
        ),
    ),
    Kind(
        "trade.locked_short",
        "锁卡金额不符",
        "Another sum",
        "金额",
        "Sum",
        "照原价付给卖家吗",
        "Pay the seller as agreed?",
        (
            Choice(
                "clear",
                "照原价归卖家",
                "Pay as agreed",
                "到手金额马上归卖家",
                "The seller is owed the net at once",
                "go",
            ),
        ),
    ),
    Kind(
        "trade.risk_review",
        "出发前审核",
        "Review",
        "审核",
        "Review",
        "专员可以出发吗",
        "May the courier set out?",
        (
            Choice("clear", "可以出发", "May set out", "备款到位就出发", "Leaves once the money is secured", "go"),
            Choice(
                "refuse",
                "取消，不收费",
                "Cancel, free",
                "备款退回，卖家不花钱",
                "The money goes back; free for the seller",
                "bad",
            ),
        ),
    ),
    Kind(
        "trade.call_stopped",
        "电话里停下了",
        "Call stopped",
        "电话",
        "Call",
        "还收不收这个人的卡",
        "May this caller sell after all?",
        (
            Choice("clear", "没事，可以约", "Fine, may book", "下次来电可以下单", "The next call may be booked", "go"),
            Choice(
                "refuse", "还是不收", "Still no", "来电先不下单，劝打 96110", "No booking; suggest calling 96110", "bad"
            ),
        ),
    ),
    Kind(
        "settlement.payout_failed",
        "付款没成功",
        "Payout failed",
        "付款",
        "Payout",
        "要不要再付一次",
        "Pay once more?",
        (
            Choice(
                "clear",
                "再付一次",
                "Pay once more",
                "付到卖家现在的同类账户；要换一种付款方式，在「钱、付款」里选账户",
                "To the seller's account of the same kind; another kind is chosen under Money, Payouts",
                "go",
            ),
            Choice(
                "refuse",
                "先不付，还欠着",
                "Not yet, still owed",
                "钱还归卖家，会再提醒",
                "The money stays owed; you are asked again",
            ),
        ),
    ),
    Kind(
        "settlement.payout_returned",
        "到账后退回",
        "Payout came back",
        "退回",
        "Back",
        "银行户里真的收到退回的钱了吗",
        "Is the money really back with us?",
        (
            Choice(
                "clear",
                "收到了，又欠着卖家",
                "It is back, owed again",
                "记成退回，接着问要不要再付一次",
                "Booked as returned; then you are asked whether to pay once more",
                "go",
            ),
            Choice("refuse", "没有退回", "It is not back", "这笔付款照旧算到账", "The payout still counts as arrived"),
        ),
    ),
    _difference("missing", "对账单少一笔", "Statement lacks a line"),
    _difference("extra", "对账单多一笔", "Statement has one more"),
    _difference("different", "对账单金额不同", "Statement differs"),
    Kind(
        "settlement.reserve_unpaid",
        "留存款没处付",
        "Reserve without an account",
        "留存",
        "Reserve",
        "卖家补了收款账户吗",
        "Has the seller an account now?",
        (
            Choice("clear", "再付", "Pay it", "付到卖家现在的账户", "To the account that stands now", "go"),
            Choice("refuse", "再等等", "Wait", "钱还归卖家", "The money stays owed", "stop"),
        ),
    ),
    _watch(
        "trade.no_funds",
        "备款不够，取消了",
        "Cancelled for lack of money",
        ("备款", "Money"),
        ("订单已经免费取消，告诉卖家了吗", "The order is off, free of charge; has the seller been told?"),
    ),
    _watch(
        "settlement.held_long",
        "备款冻结太久",
        "Money held for long",
        ("久冻", "Held long"),
        ("这一单三周还没结束，商家的钱还冻着", "This order has not ended for three weeks; its money is still frozen"),
    ),
    _watch(
        "settlement.payout_open",
        "付款结果不明",
        "Payout unknown",
        ("付款", "Payout"),
        ("钱包还没回音，系统一直在问", "The wallet is silent; it is being asked"),
    ),
    _watch(
        "settlement.wallet_mismatch",
        "钱包说法不一致",
        "Wallet disagrees",
        ("不符", "Differs"),
        ("钱包说的和我们的不一样", "The wallet names something else"),
    ),
    _watch(
        "settlement.callback_mismatch",
        "回调说法不一致",
        "Callback disagrees",
        ("不符", "Differs"),
        ("回调说的和我们的不一样", "The callback names something else"),
    ),
    _watch(
        "settlement.freeze_refused",
        "备款没冻结",
        "Money not frozen",
        ("备款", "Frozen"),
        ("订单已经取消，要不要联系回收商", "The order is off; call the recycler?"),
    ),
    Kind(
        "trade.pool_short",
        "拼的上门没约满",
        "Shared visit short",
        "拼单",
        "Shared",
        "约的人不够付这一趟，去不去",
        "Those who booked do not cover the visit: does it go?",
        (
            Choice(
                "clear", "照样去", "Go all the same", "亏的归平台，专员可以出发", "At our loss; they may leave", "go"
            ),
            Choice(
                "refuse",
                "不去，免费取消",
                "Cancel, free",
                "约了的几单都取消，发短信告诉卖家",
                "Every booking of it is off; the sellers are told",
                "bad",
            ),
        ),
    ),
    _repair(
        "kit.parked",
        "这一单停住了",
        "Order stalled",
        ("停住", "Stalled"),
        Choice("clear", "接着跑", "Run again", "停下的几步从头再跑", "What waited runs again, in order", _AGAIN),
    ),
    _repair(
        "kit.job_failed",
        "后台任务没做成",
        "Job failed",
        ("任务", "Job"),
        Choice("clear", "再做一次", "Do it again", "任务重新排队", "The job is queued anew", _AGAIN),
    ),
    _repair(
        "kit.stopped",
        "后台整条停了",
        "Follower stopped",
        ("停机", "Stopped"),
        Choice("clear", "接着读", "Read on", "从停下的地方接着读", "It reads on from where it stopped", _AGAIN),
    ),
)
KINDS: dict[str, Kind] = {kind.slug: kind for kind in _ALL}


def kind_of(slug: str, title_zh: str = "", title_en: str = "") -> Kind:
    """The kind of an item; one that is not known here is called by its title, and can only be seen."""
    known = KINDS.get(slug)
    ask = ("看过了吗", "Have you looked?")
    return known or Kind(slug, title_zh or slug, title_en or slug, "其他", "Other", *ask, (SEEN,))
