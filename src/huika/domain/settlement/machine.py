"""The machines of freeze, payout and reserve."""

from huika.kit.machine import Machine

FREEZE = Machine(
    "freeze",
    "requested",
    {
        "confirm": (("requested",), "frozen"),
        "refuse": (("requested", "abandoned"), "refused"),
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
        "prove_dead": (("sent", "unknown"), "failed"),  # refused, and absent when no request can be under way any more
        "wait": (("sent", "unknown", "waiting"), "waiting"),
        "pend": (("sent", "unknown", "waiting"), "sent"),
        "pay": (("sent", "unknown", "waiting"), "paid"),
        "fail": (("sent", "unknown", "waiting"), "failed"),
        "hand_over": (("created",), "paid"),  # cash
        "come_back": (("paid",), "returned"),  # a bank may send back what had arrived
    },
)

RESERVE = Machine(
    "reserve",
    "kept",
    {
        "contest": (("kept",), "contested"),  # evidence has arrived: its date no longer releases it
        "drop": (("contested",), "kept"),
        "release": (("kept",), "ended"),  # its date has come: all to the seller
        "decide": (("kept", "contested"), "ended"),
        "settle": (("ended",), "settled"),  # the custodian has moved it
    },
)
