"""The visit's machine."""

from huika.kit.machine import Machine

VISIT = Machine(
    "visit",
    "promised",
    {
        "secure": (("promised",), "ready"),
        "hold_back": (("ready",), "promised"),
        "depart": (("ready",), "on_the_way"),
        "arrive": (("on_the_way",), "at_the_door"),
        "finish": (("at_the_door",), "done"),
        "no_show": (("on_the_way",), "no_show"),
        "cancel": (("promised", "ready", "on_the_way"), "cancelled"),
    },
)
"""Nobody leaves before `secure`: the custodian has confirmed the freeze and no person still has to look."""
TAKES_TIME = ("promised", "ready", "on_the_way", "at_the_door", "done")
