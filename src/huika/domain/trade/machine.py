"""The machines of order, lot and card."""

from huika.kit.machine import Machine

ORDER = Machine(
    "order",
    "quoted",
    {
        "accept": (("quoted",), "accepted"),
        "start": (("accepted",), "in_progress"),
        "settle": (("in_progress",), "settled"),
        "close": (("settled",), "closed"),
        "expire": (("quoted",), "expired"),
        "cancel": (("quoted", "accepted"), "cancelled"),
        "decline": (("in_progress",), "declined_free"),
    },
)

LOT = Machine(
    "lot",
    "quoted",
    {
        "hold": (("quoted",), "held"),
        "secure": (("held",), "secured"),
        "settle": (("secured",), "settled"),
        "release": (("quoted", "held", "secured"), "released"),
    },
)

CARD = Machine(
    "card",
    "declared",
    {
        "capture": (("declared", "captured", "doubtful"), "captured"),
        "find_clear": (("captured", "doubtful"), "clear"),
        "find_doubt": (("captured", "clear"), "doubtful"),
        "refuse": (("captured", "doubtful", "clear"), "returned"),
        "requote": (("clear",), "requoted"),  # doubt is for a person first
        "consent": (("requoted",), "clear"),
        "decline": (("declared", "captured", "doubtful", "clear", "requoted"), "returned"),
        "lock": (("clear",), "locking"),
        "bag": (("clear",), "bagged"),
        "find_short": (("locking",), "clear"),
        "issuer_refuses": (("locking",), "returned"),
        "suspect": (("locking", "bagged"), "suspected"),
        "exonerate": (("suspected",), "clear"),
        "give_back": (("suspected",), "returned"),
        "credit": (("locking", "bagged"), "credited"),
        "pay": (("credited",), "paid"),
    },
)
