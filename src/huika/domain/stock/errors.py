"""Why `stock` refuses."""

from huika.kit.refusals import Refusal


class BagUsed(Refusal):
    code, status = "bag_used", 409
    zh, en = "这个袋号用过了，请核对", "This bag number was used before; please check it."
