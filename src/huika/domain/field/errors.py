"""Why `field` refuses."""

from huika.kit.refusals import Refusal


class WindowGone(Refusal):
    code, status = "window_gone", 409
    zh, en = "这个时段刚被约满，请换一个", "This window has just been taken; please choose another."


class NotSecured(Refusal):
    code, status = "not_secured", 409
    zh, en = (
        "还不能出发：备款没确认，或者拼的这一趟人不够",
        "Do not set out yet: the money is not secured, or too few have booked a shared visit.",
    )
