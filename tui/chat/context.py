"""What the model would see if the message in the input were sent now, part by part."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.dialogs import TextDialog
from tui.views import gauge_of

if TYPE_CHECKING:
    from memagent.agent.preview import Preview
    from tui.app import MemagentApp


async def show_context(app: MemagentApp, session_id: int | None, text: str) -> None:
    """Open a window with the prompt of the next turn; nothing is stored. Raises MemagentError."""
    from memagent.agent.policy import MemoryPolicy
    from memagent.agent.preview import preview

    seen = await asyncio.to_thread(preview, app.agent, session_id, text, MemoryPolicy(app.memory_mode))
    note = f"{gauge_of(seen.usage, 1).headline} · y copy · Esc close"
    app.push_screen(TextDialog("What the model would see now", parts_text(seen), note))


def parts_text(seen: Preview) -> str:
    """The parts one below the other, each under its name and what it costs."""
    return "\n\n".join(f"── {part.name}, {part.tokens:,} tokens\n{part.text}" for part in seen.parts)
