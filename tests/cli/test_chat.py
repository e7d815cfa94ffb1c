"""`memagent chat` and `ask`, with a model that follows a script and a store that is real."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from memagent.agent import assemble
from memagent.agent.assemble import Agent
from memagent.config import Settings
from memagent.conversation import ToolCall
from memagent.errors import ModelError
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatModel, ChatRequest
from memagent.models.hash_embedder import HashEmbedder
from memagent.models.scripted import ScriptedModel, Step
from tests.cli.conftest import Run
from tests.cli.terminal import Terminal

Script = Callable[..., ChatModel]
REMEMBER = ToolCall("1", "memory_add", {"subject": "boiler", "attribute": "serviced by", "value": "Hartnell"})


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Have the next agents play these steps."""

    def play(*steps: Step, model: ChatModel | None = None) -> ChatModel:
        played: ChatModel = model or ScriptedModel(steps)

        def open_agent(settings: Settings, load: str = "background") -> Agent:
            store = MemoryStore.open(settings.store_url, space=settings.space, data_dir=settings.home)
            agent = Agent(store, "scripted")
            agent.give(played, HashEmbedder())
            return agent

        monkeypatch.setattr(assemble, "open_agent", open_agent)
        return played

    return play


def test_ask_prints_only_the_reply_on_stdout(run: Run, script: Script) -> None:
    script(REMEMBER, "Hartnell does the boiler.")
    result = run("ask", "Hartnell does the boiler")
    assert result.stdout == "Hartnell does the boiler.\n"
    assert "remembered boiler" in result.stderr


def test_ask_goes_on_with_the_latest_conversation_unless_told_otherwise(run: Run, script: Script) -> None:
    script("one", "two", "three", "four")
    for arguments in (["a"], ["b"], ["--new", "c"], ["--session", "1", "d"]):
        run("ask", *arguments)
    listed = json.loads(run("sessions", "list", "--json").stdout)
    assert {session["id"]: session["messages"] for session in listed} == {1: 6, 2: 2}
    run("ask", "--session", "9", "e", code=4)


def test_ask_reads_standard_input_and_joins_its_arguments(run: Run, script: Script) -> None:
    model = script("one", "two")
    run("ask", "-", input="from a pipe\nin two lines")
    run("ask", "in", "several", "words")
    assert isinstance(model, ScriptedModel)
    assert [request.messages[-1].content for request in model.requests] == [
        "from a pipe\nin two lines",
        "in several words",
    ]


def test_ask_as_json_gives_the_reply_and_the_events(run: Run, script: Script) -> None:
    script(REMEMBER, "Noted: Hartnell.")
    data = json.loads(run("ask", "--json", "Hartnell does the boiler").stdout)
    assert data["reply"] == "Noted: Hartnell."
    assert data["session"] == 1
    assert [event["event"] for event in data["events"]] == [
        "recalled",
        "context",
        "tool_called",
        "tool_returned",
        "finished",
    ]


class Broken(ScriptedModel):
    """A model that fails in mid-reply."""

    def respond(self, request: ChatRequest):  # type: ignore[no-untyped-def]
        raise ModelError("the model stopped", "try again")


def test_a_model_that_fails_has_its_exit_code_and_loses_nothing(run: Run, script: Script) -> None:
    script(model=Broken())
    assert "the model stopped" in run("ask", "remember this", code=6).stderr
    assert run("ask", "--json", "and this", code=6).stdout.startswith("{")
    assert "> remember this" in run("sessions", "show", "1").stdout


def test_a_chat_from_a_pipe_answers_each_line(run: Run, script: Script) -> None:
    script(REMEMBER, "Noted: Hartnell.", "Hartnell.")
    result = run("chat", input="Hartnell does the boiler\n\nwho does the boiler?\n")
    assert result.stdout.splitlines() == ["Noted: Hartnell.", "Hartnell."]
    assert "Welcome" in result.stderr
    assert "context" in result.stderr


def test_the_first_screen_is_shown_once_and_fits(run: Run, script: Script) -> None:
    script("ok", "ok")
    first = run("chat", input="hello\n").stderr
    assert "Welcome" in first
    assert len(first.splitlines()) <= 24
    assert "Welcome" not in run("chat", input="hello\n").stderr


def test_commands_inside_a_chat(run: Run, script: Script) -> None:
    script(REMEMBER, "Noted: Hartnell.", "ok")
    lines = [
        "Hartnell does the boiler",
        "/help",
        "/memories boiler",
        "/why 1",
        "/sql select count(*) as n from current_facts",
        "/undo",
        "/memories",
        "/new",
        "hello",
        "/quit",
        "never said",
    ]
    result = run("chat", input="\n".join(lines))
    assert "/forget ID" in result.stderr
    assert "serviced by" in result.stdout
    assert "“Hartnell does the boiler”" in result.stdout
    assert "nothing is known" in result.stderr
    assert len(json.loads(run("sessions", "list", "--json").stdout)) == 2


def test_a_mistake_inside_a_chat_does_not_end_it(run: Run, script: Script) -> None:
    script("still here")
    lines = ["/bogus", "/why x", "/why 99", "/sql drop table facts", "/undo", "x" * 100_001, "/usr/bin is a folder"]
    result = run("chat", input="\n".join(lines), code=2)
    assert result.stderr.count("error: ") == 6
    assert result.stdout == "still here\n"


def test_forgetting_inside_a_piped_chat_is_refused_for_want_of_an_answer(run: Run, script: Script, boiler: int) -> None:
    script()
    assert "nobody to ask" in run("chat", input=f"/forget {boiler}\n", code=2).stderr
    assert "Hartnell" in run("memories", "list").stdout


def test_a_conversation_is_resumed_where_it_ended(run: Run, script: Script) -> None:
    script(REMEMBER, "Noted: Hartnell.", "more")
    run("chat", input="Hartnell does the boiler\n")
    resumed = run("sessions", "resume", "1", input="go on\n")
    assert resumed.stdout.splitlines() == ["> Hartnell does the boiler", "Noted: Hartnell.", "more"]
    assert "remembered boiler" in resumed.stderr
    assert "Welcome" not in run("chat", "--continue", input="").stderr
    assert [s["messages"] for s in json.loads(run("sessions", "list", "--json").stdout)] == [4]


SLOW = [
    sys.executable,
    "-c",
    "import sys, threading, time\n"
    "from memagent.agent import assemble\n"
    "from memagent.cli import main\n"
    "from memagent.conversation import TextDelta\n"
    "from memagent.models.hash_embedder import HashEmbedder\n"
    "from memagent.models.scripted import ScriptedModel\n"
    "class Endless(ScriptedModel):\n"
    "    def respond(self, request):\n"
    "        while not request.cancel.is_set():\n"
    "            time.sleep(0.01)\n"
    "            yield TextDelta('word ')\n"
    "def load_models(settings):\n"
    "    time.sleep(1.5)\n"
    "    return Endless() if 'endless' in sys.argv else ScriptedModel(['hello back']), HashEmbedder()\n"
    "assemble.load_models = load_models\n"
    "main(['chat'])\n",
]


@pytest.fixture
def chatting(store_url: str) -> Terminal:
    return Terminal(SLOW)


def test_the_prompt_is_there_while_the_model_loads(chatting: Terminal) -> None:
    with chatting:
        chatting.wait_for("> ")
        chatting.type("hello\r")
        chatting.wait_for("still loading")
        chatting.wait_for("hello back")
        chatting.wait_for("context")
        chatting.wait_for("> ")
        chatting.type("\x04")
        assert chatting.end() == 0


def test_control_c_at_the_prompt_asks_and_then_leaves(chatting: Terminal) -> None:
    with chatting:
        chatting.wait_for("leaves.")
        chatting.wait_for("> ")
        chatting.press_until("\x03", lambda: "Ctrl+C again" in chatting.shown)
        chatting.press_until("\x03", lambda: chatting.process.poll() is not None, every=15.0)  # it waits for the model
        assert chatting.end() == 130


def test_control_c_stops_a_reply_and_the_conversation_goes_on(run: Run, store_url: str) -> None:
    with Terminal([*SLOW, "endless"]) as chatting:
        chatting.wait_for("leaves.")
        chatting.wait_for("> ")
        chatting.type("tell me everything\r")
        chatting.wait_for("still loading")
        time.sleep(3)
        chatting.type("\x03")
        chatting.wait_for("stopped")
        chatting.wait_for("> ")
        chatting.type("/quit\r")
        assert chatting.end() == 0
    assert "> tell me everything" in run("sessions", "show", "1").stdout


@pytest.mark.parametrize(
    ("mode", "kept", "word"),
    [
        ("on", 1, "remembered"),
        ("ask", 0, "nobody can be asked"),
        ("read-only", 0, "memory is read-only"),
        ("off", 0, "memory is off"),
    ],
)
def test_the_memory_mode_of_the_settings_holds(run: Run, script: Script, mode: str, kept: int, word: str) -> None:
    run("config", "set", "memory", mode)
    script(REMEMBER, "ok", REMEMBER, "ok")
    assert word in run("ask", "Hartnell does the boiler").stderr
    run("chat", input="Hartnell does the boiler\n/quit\n")
    assert len(json.loads(run("memories", "list", "--json").stdout)) == kept


@pytest.mark.parametrize(("answer", "kept"), [("y", 1), ("n", 0)])
def test_in_mode_ask_a_write_waits_for_the_person(store_url: str, home: Path, answer: str, kept: int) -> None:
    code = SLOW[2].replace("ScriptedModel(['hello back'])", f"ScriptedModel([{REMEMBER!r}, 'hello back'])")
    code = code.replace("TextDelta\n", "TextDelta, ToolCall\n")
    (home / "config.toml").write_text('memory = "ask"\n', encoding="utf-8")
    with Terminal([*SLOW[:2], code]) as chatting:
        chatting.wait_for("> ")
        chatting.type("Hartnell does the boiler\r")
        chatting.wait_for("remember boiler: serviced by = Hartnell? [y/N]")
        chatting.type(f"{answer}\r")
        chatting.wait_for("hello back")
        chatting.wait_for("> ")
        chatting.type("\x04")
        assert chatting.end() == 0
    with MemoryStore.open(store_url) as store:
        assert len(store.facts()) == kept
