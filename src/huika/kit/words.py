"""What the house's own events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "kit.work_item.opened": ("请人看一眼", "A person was asked to look"),
        "kit.work_item.decided": ("有人看过了：{decision}", "A person decided: {decision}"),
        "kit.work_item.settled": ("这件事已经过去，不用看了", "This has ended; nobody needs to look"),
        "kit.approval.asked": ("等第二个人批准", "Waiting for a second person"),
        "kit.approval.decided": ("第二个人有了决定", "A second person decided"),
    }
)
