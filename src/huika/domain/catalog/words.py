"""What catalog events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS["catalog.loaded"] = ("目录已更新", "Catalogue loaded")
