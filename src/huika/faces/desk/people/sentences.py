"""What is read out to a caller, in the order people talk; the caller is 您."""

from dataclasses import dataclass
from datetime import datetime

from huika.domain.market.types import Offer
from huika.faces.pages import words
from huika.faces.pages.templatetags import hk
from huika.kit import clock


@dataclass(frozen=True)
class Said:
    """A sentence to read out, and what it is about in a word or two."""

    code: str
    zh: str
    en: str
    zh_short: str = ""
    en_short: str = ""

    @property
    def short(self) -> str:
        """What is missing while this has not been asked, in a word or two."""
        return words.pick(self.zh_short, self.en_short)


STEPS = (
    Said("phone", "「您好，回卡。这是您自己的手机吗？」",
         '"Hello, this is huika. Is this your own mobile?"', "手机号", "phone"),
    Said("cards", "「什么卡？面值多少，几张？电子还是塑料的？」",
         '"Which card? What value, how many? Electronic or plastic?"', "卡", "cards"),
    Said("place", "「住哪个区？门牌到几号几室？」",
         '"Which district? Street, number and door?"', "地址", "address"),
    Said("when", "「这几个时段都赶得到，您哪个方便？」",
         '"We can keep any of these times. Which suits you?"', "时间", "time"),
    Said("rail", "「收现金，还是打到银行卡？微信、支付宝、数字人民币也行。」",
         '"Cash at the door, or to your bank card? WeChat, Alipay and e-CNY work too."', "怎么收钱", "how to be paid"),
    Said("person", "「您贵姓大名？身份证号念给我，只核一次。」",
         '"Your full name and identity number, please; it is checked once."', "实名", "identity"),
    Said("screen", "「再问四句，谁打来都问。」",
         '"Four more questions; we ask everybody."', "四句要问的", "the four questions"),
    Said("end", "「都齐了，我这就给您约。」",
         '"That is everything; I am booking it now."'),
)  # fmt: skip

LATER = Said(
    "later",
    "「还有一种能多拿一点：一部分当面付，一部分晚几天打到您账户。要哪种？」",
    '"There is another way that brings more: part at the door, part some days later. Which one?"',
    "当面付还是晚点",
    "now or later",
)
"""Asked only where such an offer stands; call.js puts its figures in the place of this."""

CONSENTS = (
    Said("service", "「按公布的标准办：先报价后上门，不卖不花钱。同意吗？」",
         '"We follow the published standard: price first, then the visit; saying no is free. Agreed?"',
         "上门标准", "the standard"),
    Said("identity", "「姓名和号码只核这一次，号码核完就删，不核不能上门。同意吗？」",
         '"Name and number are checked once, the number is then deleted; without it nobody can come. Agreed?"',
         "核对本人", "checking your name"),
    Said("address", "「门牌只给上门的专员看，不给没法上门。同意吗？」",
         '"Only the courier sees your address; without it nobody can come. Agreed?"',
         "地址给专员", "your address"),
    Said("payee", "「收款账户只给付款的那一家用，不同意可以收现金。同意吗？」",
         '"Your account goes only to whoever pays; otherwise there is cash. Agreed?"',
         "收款账户", "your account"),
)  # fmt: skip

SCREEN = (
    Said("refund", "是不是有人让您买卡退款？", "Has somebody told you to buy cards to get a refund?"),
    Said("task", "是不是做任务、投资要用卡？", "Are the cards for a task or an investment?"),
    Said("coached", "现在有没有人在旁边教您怎么说？", "Is somebody beside you telling you what to say?"),
    Said("bought_today", "卡是不是今天才买的？", "Were the cards bought only today?"),
)

STOP = Said(
    "stop",
    "「这单我们先停下，不是您的错，卡和钱都没动。请您挂断后自己打 96110 问一问，反诈专线，不收钱。"
    "谁催您都先别把密码给人。」",
    '"We stop here. It is not your fault; neither card nor money has moved. Please hang up and call 96110 yourself, '
    'the anti-fraud line; it is free. Whoever hurries you: give nobody the PIN."',
)


def price(cards: list[tuple[str, int, int]], net_fen: int, until: datetime | None, later: Offer | None = None) -> str:
    """The price in one sentence: (kind, face value in fen, how many) of each line; firm when it has an `until`."""
    listed_zh = "，".join(f"{kind} {hk.yuan(face)} 元的 {count} 张" for kind, face, count in cards)
    listed_en = ", ".join(f"{count} × {kind} of {hk.yuan(face)} yuan" for kind, face, count in cards)
    net = hk.yuan(net_fen)
    zh, en = f"到您手里 {net} 元，上门不另收钱", f"{net} yuan in your hand, nothing more for the visit"
    if later is not None:
        zh = f"一共 {net} 元，{parts(later, 'zh')}，上门不另收钱"
        en = f"{net} yuan in all, {parts(later, 'en')}, nothing more for the visit"
    at = until.astimezone(clock.SHANGHAI).strftime("%H:%M") if until else ""
    stands_zh, stands_en = (f"，{at} 前都算数", f". It stands until {at}") if at else ("", "")
    return words.pick(f"「{listed_zh}，{zh}{stands_zh}。」", f'"{listed_en}: {en}{stands_en}."')


def parts(offer: Offer, language: str = "") -> str:
    """What is paid now, what later and when, in a line; in the page's language where none is named."""
    now, kept, days = hk.yuan(offer.now_fen), hk.yuan(offer.reserve_fen), offer.reserve_days
    if (language or words.language()) == "zh":
        return f"当面 {now} 元，上门 {days} 天后 {kept} 元到账户"
    return f"{now} yuan at the door, {kept} yuan {days} days later"


def later(offer: Offer) -> str:
    """The offer with a reserve, read out after the one that is paid in full: more, and what stands against it."""
    more, net, now, kept = (hk.yuan(fen) for fen in (offer.more_fen, offer.net_fen, offer.now_fen, offer.reserve_fen))
    days = offer.reserve_days
    return words.pick(
        f"「还有一种多拿 {more} 元，一共 {net} 元：当面付 {now} 元，另外 {kept} 元由托管方留着，"
        f"上门 {days} 天后自动打到您账户；有人拿出凭据说卡有问题，才等结论。这种不能收现金。您要哪种？」",
        f'"There is another way that brings {more} yuan more, {net} in all: {now} yuan at the door; the other '
        f"{kept} yuan stay at the custodian and come to your account by themselves {days} days after the visit. Only "
        "if somebody shows evidence against the card do they wait for a decision. It cannot be paid in cash. "
        'Which do you want?"',
    )


def done(
    day: str,
    opens: datetime,
    closes: datetime,
    badge: str,
    net_fen: int,
    *,
    by_sms: bool,
    later: tuple[int, int] = (0, 0),
) -> str:
    """What is repeated at the end: when, who, how much, which code; `later`: fen of it that come after so many days."""
    between = tuple(at.astimezone(clock.SHANGHAI).strftime("%H:%M") for at in (opens, closes))
    net_zh, net_en = f"到手 {hk.yuan(net_fen)} 元", f"{hk.yuan(net_fen)} yuan in your hand"
    if later[0]:
        now, kept, days = hk.yuan(net_fen - later[0]), hk.yuan(later[0]), later[1]
        net_zh = f"当面 {now} 元，{days} 天后 {kept} 元打到账户"
        net_en = f"{now} yuan at the door and {kept} yuan to your account {days} days later"
    code_zh = "开门口令发短信给您" if by_sms else "开门口令在您手机的订单里"
    code_en = "the six digits for the door come by text message" if by_sms else "the six digits stand in your order"
    return words.pick(
        f"「约好了：{day} {between[0]} 到 {between[1]}，专员 {badge}，{net_zh}。{code_zh}，卡的密码谁问都别说。」",
        f'"Booked: {day}, {between[0]} to {between[1]}, courier {badge}, {net_en}; {code_en}. '
        'Tell nobody the PIN; uncover it only when the courier is there."',
    )
