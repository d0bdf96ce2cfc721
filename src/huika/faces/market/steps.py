"""The verifier's five steps: name, what holds, what does not, each in Chinese and English."""

from typing import Final

STEPS: Final = (
    ("读得懂", "It can be read", "收据格式 1 版，一字不多", "Receipt format 1, not a byte more",
     "不是日志写的样子，像是存坏了", "Not as the log writes it; perhaps damaged"),
    ("写的对得上", "Its words match", "每一项都和指纹一致", "Every part fits its fingerprint",
     "有一项和指纹不一致", "A part does not fit its fingerprint"),
    ("是这一条", "It is this leaf", "条号：", "Leaf number",
     "条号和内容不是一对", "Number and content do not belong together"),
    ("在日志里", "It is in the log", "合并算到根。日志当时的条数：", "Reckoned up to the root. Leaves at the time:",
     "算出的根不对", "It does not lead to the root"),
    ("根是这本日志签的", "The log signed the root", "签名和公钥对得上", "The signature fits the key",
     "签名和公钥对不上，或者还没能算", "The signature does not fit the key, or could not be reckoned"),
)  # fmt: skip
