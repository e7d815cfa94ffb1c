"""The embedder's training: what it minimises, that it learns, goes on, and ships what it learned."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from memagent.embedding import Passage
from memagent.training.searches import Mixture, Spoken, load_mixture, spoken_of
from tests.training.small_sets import READINGS, conversation, write_public_sets

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
transformers = pytest.importorskip("transformers")

if TYPE_CHECKING:
    from memagent.training.network import Embedding


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of MiniLM's shape with random weights."""
    folder = tmp_path_factory.mktemp("minilm")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture
def network(minilm: Path) -> Embedding:
    from memagent.training.network import Embedding as Network

    torch.manual_seed(0)
    return Network(minilm)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("public")
    write_public_sets(folder)
    return folder


# --- what is minimised ------------------------------------------------------------------------------------------------


def test_late_interaction_is_that_of_the_store(network: Embedding) -> None:
    from memagent.training.embed import max_similarities, scores
    from memagent.training.lower_states import LowerStates

    lower = LowerStates(network)
    passages = [Passage("my canoe sank", "hello"), Passage("in the lake"), Passage("yes", "which lake is it?")]
    with torch.no_grad():
        made = network(*vars(lower.batch(passages)).values())
        asked = network(*vars(lower.batch(["which boat sank?", "lake"])).values())
        late = max_similarities(asked, made).numpy()
    for question in range(2):
        own = asked.own[question] == 1
        assert (
            float(asked.weights[question].sum()) == pytest.approx(1)
            and float(asked.weights[question][~own].sum()) < 1e-6
        )
        for passage in range(3):
            cosines = asked.tokens[question][own] @ made.tokens[passage][made.own[passage] == 1].T
            expected = float((asked.weights[question][own] * cosines.amax(1)).sum())
            assert late[question, passage] == pytest.approx(expected, abs=1e-5)
    again, vectors = scores(network, lower, passages, ["which boat sank?", "lake"])
    assert np.abs(again - late).max() < 1e-4 and vectors.shape == (2, 3)
    assert scores(network, lower, [], ["x"])[0].shape == (1, 0) and scores(network, lower, passages, [])[0].shape == (
        0,
        3,
    )


def test_only_the_upper_layers_and_the_heads_learn(network: Embedding) -> None:
    learned = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    layers = {name.split(".")[3] for name in learned if name.startswith("bert.")}
    assert layers == {"4", "5"} and {"token.weight", "weight.weight"} <= learned


def test_another_right_passage_of_the_same_question_is_not_refused(network: Embedding) -> None:
    from memagent.training.embed import loss
    from memagent.training.lower_states import LowerStates
    from memagent.training.searches import Search

    one, other = Passage("my canoe sank"), Passage("I bought a kayak")
    lower = LowerStates(network)
    together, _ = loss(network, lower, [Search("which boats?", one, ()), Search("which boats?", other, ())])
    assert float(together.detach()) == pytest.approx(0.0, abs=1e-6)
    apart, parts = loss(network, lower, [Search("which boats?", one, ()), Search("what sank?", other, ())])
    assert float(apart.detach()) > 0.1 and set(parts) == {"late", "vectors", "first"}


# --- a run ------------------------------------------------------------------------------------------------------------


def trained(network: Embedding, folder: Path, steps: int, mixture: Mixture, held: Sequence[Spoken] = ()) -> None:
    from memagent.training.embed import Stage, train
    from memagent.training.runs import Run, prepare

    prepare(folder, 0, 1)
    train(network, Run(folder, steps, 1e-4, 3e-4), Stage(6, 6, 4, 1e-4), mixture, held, seed=0)


def test_a_run_learns_and_is_logged(network: Embedding, data: Path, tmp_path: Path) -> None:
    spoken = spoken_of(conversation())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trained(network, tmp_path / "run", 4, load_mixture(data, READINGS, [spoken]), [spoken])
    moved = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert {"token.weight", "weight.weight"} <= moved
    assert {name.split(".")[3] for name in moved if name.startswith("bert.encoder")} == {"4", "5"}
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {"late", "vectors", "first"} <= set(lines[0]) and lines[0]["step"] == 4
    assert 0 <= lines[1]["late R@1"] <= lines[1]["late R@5"] <= lines[1]["late R@10"] <= 100


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    minilm: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memagent.training import runs
    from memagent.training.network import Embedding as Network

    def network() -> Embedding:
        torch.manual_seed(0)
        return Network(minilm)

    mixture = load_mixture(data, READINGS, [])
    whole, first, second = network(), network(), network()
    trained(whole, tmp_path / "whole", 4, mixture)
    monkeypatch.setattr(runs, "CHECKPOINT_SECONDS", 0.0)
    trained(first, tmp_path / "cut", 2, mixture)
    trained(second, tmp_path / "cut", 4, mixture)
    for name, tensor in whole.state_dict().items():
        assert torch.allclose(tensor, second.state_dict()[name], atol=1e-6), name
    assert not torch.equal(first.state_dict()["token.weight"], second.state_dict()["token.weight"])


def test_the_first_projection_keeps_what_differs(network: Embedding) -> None:
    from memagent.training.embed import fit_projection
    from memagent.training.lower_states import LowerStates

    passages = [Passage(f"sentence {number} about the boat and the lake {number * 7}") for number in range(60)]
    fit_projection(network, LowerStates(network), passages)
    weight = network.token.weight.detach()
    assert torch.allclose(weight @ weight.T, torch.eye(len(weight)), atol=1e-3)


def test_weights_of_the_runs_that_made_the_shipped_ones_can_be_read(network: Embedding, tmp_path: Path) -> None:
    from memagent.training.embed import load_start

    names = {"token.weight": "proj.weight", "weight.weight": "w.weight", "weight.bias": "w.bias"}
    state = {names.get(name, name): tensor + 1.0 for name, tensor in network.state_dict().items()}
    torch.save({"net": state, "step": 399}, tmp_path / "old.pt")
    before = network.token.weight.detach().clone()
    load_start(network, tmp_path / "old.pt")
    assert torch.equal(network.token.weight.detach(), before + 1.0)
    torch.save(network.state_dict(), tmp_path / "new.pt")
    load_start(network, tmp_path / "new.pt")
    assert torch.equal(network.token.weight.detach(), before + 1.0)


def test_what_was_learned_is_what_is_shipped(
    network: Embedding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memagent.models import embedder as shipped
    from memagent.training import export, minilm
    from memagent.training.lower_states import LowerStates

    monkeypatch.setattr(export, "BUNDLED", tmp_path)
    monkeypatch.setattr(minilm, "BUNDLED", tmp_path)
    export.export_embedder(network.state_dict())
    monkeypatch.setattr(shipped, "WEIGHTS", tmp_path / "embedder.safetensors")
    arrays = {name: tensor.float().numpy() for name, tensor in network.bert.state_dict().items()}
    lower = {name: array for name, array in minilm.convert(arrays).items()}
    from memagent.models import encoder

    monkeypatch.setattr(encoder, "base_weights", lambda: lower)  # the layers below are those of this network
    monkeypatch.setattr(encoder, "word_embeddings", lambda: _Words(network))
    made = shipped.MiniLMEmbedder()
    passage = Passage("my canoe sank", "hello there")
    with torch.no_grad():
        batch = LowerStates(network).batch([passage])
        expected = network(batch.states, batch.mask, batch.own)
    (found,) = made.encode([passage])
    assert float(found.vector @ expected.vector[0].numpy()) > 0.999
    own = expected.tokens[0][batch.own[0] == 1].numpy()
    states = found.tokens.astype(np.float32)  # type: ignore[union-attr]
    assert float(((states / np.linalg.norm(states, axis=1, keepdims=True)) * own).sum(axis=1).min()) > 0.995


class _Words:
    """The word embeddings of a network, as those that are shipped."""

    def __init__(self, network: Embedding) -> None:
        self._embeddings = network.bert.embeddings

    def __call__(self, ids: object, segments: object, marks: object = None) -> object:
        with torch.no_grad():
            return self._embeddings(input_ids=torch.as_tensor(ids), token_type_ids=torch.as_tensor(segments)).numpy()
