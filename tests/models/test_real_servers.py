"""What the replayed streams claim holds for real servers: `transformers serve` and llama-cpp-python."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from memagent.conversation import TextDelta, ToolCall
from memagent.errors import ModelError
from memagent.models.chat_model import Output, Usage
from memagent.models.openai_server import OpenAIServer, connect

LACKING = [
    name for name in ("openai", "torch", "transformers", "fastapi", "uvicorn", "accelerate") if not find_spec(name)
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=f"not installed: {', '.join(LACKING)}"),
]
STARTS = 100.0  # seconds that a server may take to start


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.models import memorised

    return memorised.train(tmp_path_factory.mktemp("checkpoint") / "memorised")


@contextmanager
def running(command: list[str], port: int, ready: str, folder: Path) -> Iterator[str]:
    """A server process, from its first answer at the path `ready` on; the address of its /v1."""
    (folder / "hub").mkdir(exist_ok=True)
    environment = {**os.environ, "HF_HOME": str(folder), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            ends = time.monotonic() + STARTS
            while True:
                assert process.poll() is None and time.monotonic() < ends, (folder / "log").read_text()[-3000:]
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.3)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def transformers_serve(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("transformers", path=str(Path(sys.executable).parent))
    assert program is not None
    port = free_port()
    command = [program, "serve", str(checkpoint), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    with running(command, port, "/health", tmp_path_factory.mktemp("transformers")) as url:
        yield url


@pytest.fixture(scope="module")
def llama_cpp(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("gguf", reason="gguf is not installed")
    from tests.models import gguf_file

    port, folder = free_port(), tmp_path_factory.mktemp("llama")
    path = gguf_file.write(checkpoint, folder / "memorised.gguf")
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(path), "--host", "127.0.0.1"]
    with running([*command, "--port", str(port), "--n_ctx", "2048"], port, "/v1/models", folder) as url:
        yield url


@pytest.fixture
def model(request: pytest.FixtureRequest, checkpoint: Path) -> OpenAIServer:
    if request.param == "transformers serve":
        return connect(request.getfixturevalue("transformers_serve"), str(checkpoint), context_tokens=None)
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    return connect(request.getfixturevalue("llama_cpp"), "", context_tokens=None)


both = pytest.mark.parametrize("model", ["transformers serve", "llama-cpp-python"], indirect=True)


def text(outputs: list[Output]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, TextDelta))


@both
@pytest.mark.timeout(240)
def test_a_turn_with_a_call_and_its_result(model: OpenAIServer) -> None:
    from tests.models.memorised import ANSWERED, ASKED, CALL, REPLY

    asked = list(model.respond(ASKED))
    assert [(o.name, o.arguments, o.fault) for o in asked if isinstance(o, ToolCall)] == [
        (CALL.name, CALL.arguments, "")
    ]
    assert text(asked) == ""
    answered = list(model.respond(ANSWERED))
    assert text(answered) == REPLY
    assert not [output for output in answered if isinstance(output, ToolCall)]
    usage = [output for output in answered if isinstance(output, Usage)]
    assert not usage or usage[0].prompt > 100


@both
@pytest.mark.timeout(240)
def test_a_cancel_ends_the_reply(model: OpenAIServer) -> None:
    from tests.models.memorised import ANSWERED

    stopped = threading.Event()
    outputs: list[Output] = []
    for output in model.respond(replace(ANSWERED, cancel=stopped)):
        outputs.append(output)
        stopped.set()
    assert len(outputs) <= 1


@pytest.mark.timeout(240)
def test_a_model_that_the_server_does_not_have_is_an_error_with_a_hint(transformers_serve: str) -> None:
    from tests.models.memorised import ASKED

    with pytest.raises(ModelError) as error:
        list(connect(transformers_serve, "nobody/nothing", context_tokens=None).respond(ASKED))
    assert error.value.hint and "Traceback" not in error.value.message
