"""Why `field` refuses."""

from huika.kit.refusals import Refusal


class WindowGone(Refusal):
    code, status = "window_gone", 409
    zh, en = "这个时段刚被约满，请换一个", "This window has just been taken; please choose another."


class NotSecured(Refusal):
    code, status = "not_secured", 409
    zh, en = "备款还没确认，先别出发", "The money is not secured yet; do not set out."
