"""The machines of freeze and payout."""

from huika.kit.machine import Machine

FREEZE = Machine(
    "freeze",
    "requested",
    {
        "confirm": (("requested",), "frozen"),
        "refuse": (("requested",), "refused"),
        "release": (("frozen",), "releasing"),
        "released": (("releasing",), "released"),
        "abandon": (("requested",), "abandoned"),
        "late": (("abandoned",), "releasing"),
    },
)

PAYOUT = Machine(
    "payout",
    "created",
    {
        "send": (("created",), "sent"),
        "lose_answer": (("sent", "unknown"), "unknown"),
        "find_absent": (("sent", "unknown"), "created"),  # the rail has certainly never seen our number
        "wait": (("sent", "unknown", "waiting"), "waiting"),
        "pend": (("sent", "unknown", "waiting"), "sent"),
        "pay": (("sent", "unknown", "waiting"), "paid"),
        "fail": (("sent", "unknown", "waiting"), "failed"),
        "hand_over": (("created",), "paid"),  # cash
    },
)
