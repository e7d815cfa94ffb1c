"""The seven tools, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from memagent.conversation import ToolCall, ToolResult
from memagent.errors import InputError
from memagent.tools.memory_tools import (
    core_memory_edit,
    memory_add,
    memory_end,
    memory_forget,
    memory_search,
    memory_update,
)
from memagent.tools.query_tools import calculate, sql_query
from memagent.tools.tool import Tool, ToolContext, failed

TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        tool.name: tool
        for tool in (
            memory_add,
            memory_search,
            memory_update,
            memory_end,
            memory_forget,
            core_memory_edit,
            sql_query,
            calculate,
        )
    }
)


def run_tool(context: ToolContext, call: ToolCall, tools: Mapping[str, Tool] = TOOLS) -> ToolResult:
    """Run a call by name; an unknown name is a mistake that the model can mend."""
    if call.fault:
        return failed(call, InputError(call.fault, "call it again with one JSON object"), 0.0)
    tool = tools.get(call.name)
    if tool is None:
        return failed(call, InputError(f"there is no tool {call.name!r}", f"tools are {', '.join(tools)}"), 0.0)
    return tool.run(context, call)
