"""The vocabularies of the shipped models; training and run time share them."""

from __future__ import annotations

ACTS = ("state", "ask", "correct", "forget", "calculate", "talk")
MODES = ("value", "previous", "when", "list", "count", "yesno", "why", "sum", "difference")
KINDS = ("fact", "preference", "event", "plan", "task", "note")
TAGS = ("outside", "begin", "inside")
PAIRS = ("unrelated", "replaces", "same", "ends")
ANSWERS = ("none", "span", "yes", "no")
OTHER_SLOT = "other"
LIST_SLOT = " list"  # how slots are called that hold lists: "shopping list"
