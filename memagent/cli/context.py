"""`memagent context`: what the model would see for the next turn, part by part, with its tokens."""

from __future__ import annotations

import click

from memagent.cli.app import App, make_home, message_text, pass_app
from memagent.cli.group import Command
from memagent.cli.memories import json_option
from memagent.cli.screen import json_out, note, out, table, visible
from memagent.conversation import ContextUsage


@click.command(cls=Command)
@click.argument("message", nargs=-1)
@click.option("--session", "session_id", type=int, help="Of this conversation; without it, the latest one.")
@click.option("--new", is_flag=True, help="Of a new conversation.")
@click.option("--full", is_flag=True, help="The whole text of every part.")
@json_option
@pass_app
def context(app: App, message: tuple[str, ...], session_id: int | None, new: bool, full: bool, as_json: bool) -> None:
    """Show what the model would see if MESSAGE were said now.

    Nothing is stored. Without MESSAGE nothing is recalled for it.
    """
    from memagent.agent.assemble import open_agent
    from memagent.agent.policy import MemoryPolicy
    from memagent.agent.preview import preview

    text = message_text(message) if message else ""
    make_home(app.settings)
    agent = open_agent(app.settings, load="now")
    try:
        if session_id is not None:
            session_id = agent.store.session(session_id).id
        elif not new and (latest := agent.store.latest_session()) is not None:
            session_id = latest.id
        seen = preview(agent, session_id, text, MemoryPolicy(app.settings.memory))
    finally:
        agent.close()
    if as_json:
        return json_out({"model": app.settings.model, "parts": seen.parts, "usage": seen.usage})
    if full:
        for part in seen.parts:
            out(click.style(f"--- {visible(part.name)}, {part.tokens} tokens", bold=True))
            out(visible(part.text))
    else:
        table(["part", "tokens", "text"], [(part.name, part.tokens, part.text[:400]) for part in seen.parts])
    note(usage_line(seen.usage), dim=False)


def usage_line(usage: ContextUsage) -> str:
    """The sums of a window in words; they include what the template puts around each part."""
    about = "" if usage.exact else "about "
    sums = (
        f"{about}{usage.used} of {usage.window} tokens: {usage.system} instructions and tools, {usage.core} pinned, "
        f"{usage.recalled} recalled, {usage.recent} conversation; {usage.reserved} kept free for the reply"
    )
    dropped = [
        (usage.dropped_messages, "earlier messages are outside it, searchable"),
        (usage.dropped_hits, "recalled memories had no room"),
        (usage.cut_messages, "texts were cut"),
    ]
    return "; ".join([sums, *(f"{number} {words}" for number, words in dropped if number)])
