"""The turns that a generative model learns are ones that our tools and our grammar take; its runs resume."""

from __future__ import annotations

import itertools
import random
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
pytest.importorskip("llguidance", reason="the extra [local] is not installed")

from llguidance import LLMatcher  # noqa: E402

from memagent.models.local.constraint import Grammars  # noqa: E402
from memagent.models.local.grammar import ReplyGrammar  # noqa: E402
from memagent.models.local.quotes import quotes_of  # noqa: E402
from memagent.tools.registry import TOOLS  # noqa: E402
from memagent.training import generate  # noqa: E402
from memagent.training.chat_tokenizer import STOP, train_tokenizer  # noqa: E402
from memagent.training.dialogues import Dialogues, Turn  # noqa: E402
from memagent.training.generate import SCHEMAS, Encoder, Sample, copies, lessons, rendered, request_of  # noqa: E402
from memagent.training.packs import load_packs  # noqa: E402
from memagent.training.written import load_messages, load_pairs, load_readings  # noqa: E402

TURNS = 100


@pytest.fixture(scope="module")
def turns() -> list[Turn]:
    dialogues = Dialogues(load_packs(), 5, load_messages(), load_readings(), load_pairs())
    return [dialogues.draw() for _ in range(TURNS)]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(train_tokenizer(["the boiler is serviced by Hartnell"] * 5, 400))


def test_the_same_seed_gives_the_same_turns(turns: list[Turn]) -> None:
    again = Dialogues(load_packs(), 5, load_messages(), load_readings(), load_pairs())
    assert [again.draw() for _ in range(TURNS)] == turns
    assert {call.name for turn in turns for message in turn.messages for call in message.tool_calls} >= {
        "memory_add",
        "memory_search",
        "memory_update",
        "memory_end",
        "calculate",
    }


def test_every_call_is_one_that_the_tools_and_the_grammar_take(turns: list[Turn], encoder: Encoder) -> None:
    tokenizer = encoder.template._tokenizer
    grammars = Grammars(tokenizer, len(tokenizer), [tokenizer.eos_token_id])
    called = 0
    for turn in turns:
        for at, message in enumerate(turn.messages):
            if not message.tool_calls:
                continue
            for call in message.tool_calls:
                TOOLS[call.name].arguments(call.arguments)  # raises for what it does not take
            grammar = ReplyGrammar("hermes", grammars.marks, quotes_of(request_of(turn, at))).text(SCHEMAS)
            shorter = Turn(turn.messages[: at + 1], turn.recalled)
            text = rendered(encoder.template, shorter).rpartition("<|im_start|>assistant\n")[2].removesuffix("\n")
            ids = tokenizer.encode(text.removesuffix(STOP), add_special_tokens=False)
            matcher = LLMatcher(grammars._tokenizer, grammar)
            taken = matcher.try_consume_tokens(ids)
            assert taken == len(ids) and matcher.is_accepting(), (text, tokenizer.decode(ids[:taken]))
            called += 1
    assert called > TURNS / 3


def test_what_is_learnt_is_what_the_assistant_writes_in_this_turn(turns: list[Turn], encoder: Encoder) -> None:
    tokenizer = encoder.template._tokenizer
    for turn in turns:
        sample = encoder.sample(turn)
        learnt = tokenizer.decode([token for token, weight in zip(sample.ids, sample.weights, strict=True) if weight])
        steps = 1 + any(message.tool_calls for message in turn.messages)
        assert learnt.count(STOP) == steps
        assert learnt.endswith(turn.messages[-1].content + STOP)


def test_a_value_has_the_same_tokens_in_a_sentence_and_in_a_call() -> None:
    value = "Hartnell & Søn 0171-5550"
    tokenizer = train_tokenizer([f"the boiler is serviced by {value}, they said"] * 20, 500)
    ids = tokenizer.encode(value, add_special_tokens=False)
    for around in ('{"value": "%s"}', "it is %s.", "(%s)", "%s"):
        found = tokenizer.encode(around % value, add_special_tokens=False)
        assert any(found[at : at + len(ids)] == ids for at in range(len(found)))


def test_what_all_turns_begin_with_is_computed_once_and_changes_no_loss(
    turns: list[Turn], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = train_tokenizer(["the boiler is serviced by Hartnell"] * 5, 400)
    batch = [Encoder(tokenizer).sample(turn) for turn in turns[:4]]
    shared = generate.shared_start(batch)
    assert shared > 50 and {sample.ids[:shared] for sample in batch} == {batch[0].ids[:shared]}
    model = generate.new_model("tiny", tokenizer)
    together = generate.loss_of(model, batch, "cpu")
    monkeypatch.setattr(generate, "shared_start", lambda batch: 0)
    assert torch.allclose(together, generate.loss_of(model, batch, "cpu"), atol=1e-5)


@pytest.mark.slow
def test_a_run_is_resumed_and_ends_with_a_checkpoint_and_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "TOKENIZER_TURNS", 40)
    monkeypatch.setattr(generate, "VOCABULARY", 600)
    monkeypatch.setattr(generate, "LONGEST", 4000)
    monkeypatch.setattr(generate, "POOL", 2)
    monkeypatch.setattr(generate.score, "__defaults__", (2,))
    for steps in ("2", "3"):
        arguments = ["generate", "--out", str(tmp_path), "--size", "tiny", "--steps", steps, "--batch", "2"]
        monkeypatch.setattr(sys, "argv", arguments)
        generate.main()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 3
    assert (tmp_path / "model" / "model.safetensors").is_file()
    assert "calls or not" in (tmp_path / "scores.json").read_text(encoding="utf-8")


def test_copies_repeat_what_stood_before_and_only_the_repetition_is_to_be_written() -> None:
    for sample in copies(500, 40, 20, random.Random(3)):
        written = [at for at, weight in enumerate(sample.weights) if weight]
        assert written == list(range(written[0], len(sample.ids))) and len(sample.weights) == len(sample.ids)
        again = sample.ids[written[0] - 1 :]
        earlier = sample.ids[: written[0] - 1]
        assert any(earlier[at : at + len(again)] == again for at in range(len(earlier))), sample


def test_copying_comes_first_and_now_and_then_again() -> None:
    copy, turn = [Sample((1, 1), (0.0, 1.0))], [Sample((2, 3), (0.0, 1.0))]

    gaps: list[int] = []

    def order(first: int, count: int) -> str:
        stream = lessons(itertools.repeat(turn), lambda gap: gaps.append(gap) or copy, first, copying=4)
        return "".join("c" if batch is copy else "t" for batch in itertools.islice(stream, count))

    whole = order(0, 40)
    assert whole.startswith("cccc" + "t") and 0 < whole[5:].count("c") < whole[5:].count("t")
    assert gaps[:2] == [10, 10] and gaps[:4] == sorted(gaps[:4]) and set(gaps[4:]) == {100}
    assert order(15, 25) == whole[15:], "a run that was stopped goes on where it was"
