"""What is read out to a caller, in the order people talk; the caller is 您."""

from dataclasses import dataclass
from datetime import datetime

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
    Said("phone", "「您好，回卡。您现在打来的就是您自己的手机吗？」",
         '"Hello, this is huika. Are you calling from your own mobile?"', "手机号", "phone"),
    Said("cards", "「是什么卡？面值多少，一共几张？电子的还是塑料的？」",
         '"Which card is it? What value, how many? Electronic or plastic?"', "卡", "cards"),
    Said("place", "「您住哪个区？门牌到几号几室？」",
         '"Which district are you in? Street, number and door?"', "地址", "address"),
    Said("when", "「这几个时段我们都赶得到，您哪个方便？」",
         '"We can keep any of these times. Which suits you?"', "时间", "time"),
    Said("rail", "「当场收现金，还是打到您的微信零钱？」",
         '"Would you like cash at the door, or your wallet?"', "怎么收钱", "how to be paid"),
    Said("person", "「收卡要对一下您本人。您贵姓大名，身份证号念给我，我只核一次。」",
         '"We check that it is you. Your full name and identity number, please; it is checked once."',
         "实名", "identity"),
    Said("screen", "「再问四句，每个打电话来的人我们都问。」",
         '"Four more questions, which we ask everybody who calls."', "四句要问的", "the four questions"),
    Said("end", "「约好了我给您重复一遍：时间、地址、到手的钱。卡的密码谁问都别说，等专员到了再刮。」",
         '"Let me repeat time, address and amount. Tell nobody the PIN; uncover it only when the courier is there."'),
)  # fmt: skip

CONSENTS = (
    Said("service", "「我们按公布的上门标准办：先报价后上门，您随时可以不卖，不花钱。同意吗？」",
         '"We follow the published standard: price first, then the visit; you may say no at any time, free. Agreed?"',
         "上门标准", "the standard"),
    Said("identity", "「姓名和身份证号只拿去核对一次，号码核完就删。同意吗？不核就不能上门。」",
         '"Name and number are checked once and the number is then deleted. Agreed? Without it nobody can come."',
         "核对本人", "checking your name"),
    Said("address", "「门牌只给上门的那位专员看，办完就看不到了。同意吗？不给就没法上门。」",
         '"Only the courier sees your address, only around the visit. Agreed? Without it nobody can come."',
         "地址给专员", "your address"),
    Said("payee", "「收款账户只给付款的银行打钱用。同意吗？不同意可以收现金。」",
         '"Your account goes only to the bank that pays. Agreed? Otherwise there is cash."',
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


def price(cards: list[tuple[str, int, int]], net_fen: int, until: datetime | None) -> str:
    """The price in one sentence: (kind, face value in fen, how many) of each line; firm when it has an `until`."""
    listed_zh = "，".join(f"{kind} {hk.yuan(face)} 元的 {count} 张" for kind, face, count in cards)
    listed_en = ", ".join(f"{count} × {kind} of {hk.yuan(face)} yuan" for kind, face, count in cards)
    net = hk.yuan(net_fen)
    if until is None:
        return words.pick(
            f"「{listed_zh}，到您手里 {net} 元，上门不另收钱。」",
            f'"{listed_en}: {net} yuan in your hand, nothing more for the visit."',
        )
    at = until.astimezone(clock.SHANGHAI).strftime("%H:%M")
    return words.pick(
        f"「{listed_zh}，到您手里 {net} 元，上门不另收钱。{at} 前约好都是这个价。」",
        f'"{listed_en}: {net} yuan in your hand, nothing more for the visit. It stands until {at}."',
    )


def done(day: str, opens: datetime, closes: datetime, badge: str, net_fen: int, *, by_sms: bool) -> str:
    """What is repeated at the end: when, who, how much, which code."""
    between = tuple(at.astimezone(clock.SHANGHAI).strftime("%H:%M") for at in (opens, closes))
    net = hk.yuan(net_fen)
    code_zh = "开门要念的六个数字发短信到您手机" if by_sms else "开门要念的六个数字在您手机的订单里"
    code_en = "the six digits for the door come by text message" if by_sms else "the six digits stand in your order"
    return words.pick(
        f"「约好了：{day} {between[0]} 到 {between[1]}，专员工号 {badge}，到手 {net} 元。{code_zh}。"
        "卡的密码谁问都别说，等他到了再刮。」",
        f'"Booked: {day}, {between[0]} to {between[1]}, courier {badge}, {net} yuan in your hand; {code_en}. '
        'Tell nobody the PIN; uncover it only when the courier is there."',
    )
