"""The machine of a bargain."""

from huika.kit.machine import Machine

BARGAIN = Machine(
    "bargain",
    "asked",
    {
        "answer": (("asked",), "answered"),
        "ask": (("answered",), "asked"),
        "agree": (("asked", "answered"), "agreed"),
        "refuse": (("asked",), "refused"),
        "leave": (("asked", "answered"), "left"),
    },
)
