"""What field events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "field.visit.promised": ("已约好上门", "Visit promised"),
        "field.visit.ready": ("备款已确认，可以出发", "Money secured, ready to set out"),
        "field.visit.held_back": ("等邻居约够再出发", "Waiting until enough neighbours have booked"),
        "field.visit.on_the_way": ("专员出发了", "Courier on the way"),
        "field.visit.at_the_door": ("专员到了，验证码正确", "Courier at the door, code checked"),
        "field.visit.done": ("上门结束", "Visit done"),
        "field.visit.no_show": ("到门口没人应", "Nobody at the door"),
        "field.visit.cancelled": ("上门取消", "Visit cancelled"),
    }
)
