"""Our own two themes; Textual brings more."""

from __future__ import annotations

from textual.theme import Theme

NIGHT = Theme(
    name="memagent-night",
    primary="#7cb7ff",
    secondary="#8b93a7",
    accent="#c3a6ff",
    foreground="#d7dce5",
    background="#0f1217",
    surface="#151a21",
    panel="#1d242e",
    success="#7fd6a4",
    warning="#e8bd6d",
    error="#f08080",
    dark=True,
    variables={"border": "#33404f", "border-blurred": "#252e39", "footer-key-foreground": "#7cb7ff"},
)
DAY = Theme(
    name="memagent-day",
    primary="#1f5fbf",
    secondary="#5d6678",
    accent="#6a3fc0",
    foreground="#1c2430",
    background="#f7f5f0",
    surface="#efece4",
    panel="#e4e0d5",
    success="#1f7a4d",
    warning="#8a5a00",
    error="#b3261e",
    dark=False,
    variables={"border": "#b9b2a3", "border-blurred": "#d3cdbf", "footer-key-foreground": "#1f5fbf"},
)
DEFAULT = NIGHT.name
