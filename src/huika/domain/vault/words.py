"""What vault events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS["vault.release.allowed"] = ("卡号和密码交给买卡商家", "Number and PIN released to the recycler")
