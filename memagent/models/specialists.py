"""The shipped chat model: small specialists that decide on tool calls and answer from what the tools return.

It reads the same request as any chat model and emits the same calls. *Understanding* decides what the message asks and
finds values, subjects and slots; *match* says which remembered fact a new one replaces; *read* finds the words that
answer. What is said back is composed from evidence (`replies`), so no value is invented. Nothing decides on keywords.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from memagent.conversation import TextDelta, ToolCall, ToolResult
from memagent.models import replies
from memagent.models.answers import Found, answer
from memagent.models.candidates import PAST
from memagent.models.chat_model import ChatRequest, Confidence, Output
from memagent.models.drafts import SURE_VALUE, Write, plan_ends, plan_writes, with_own_subjects
from memagent.models.encoder import tokenizer
from memagent.models.erasing import rank_for_erasure
from memagent.models.evidence import Evidence, names_subject, told_elsewhere
from memagent.models.follow_ups import FOLLOW_UP_WORDS, WHOLE, FollowUps
from memagent.models.kinds import load_kinds
from memagent.models.labels import OTHER_SLOT
from memagent.models.prompt import PER_MESSAGE, plain_count
from memagent.models.reader import Reader
from memagent.models.reckoning import elapsed, reckon
from memagent.models.sentences import FEWEST_WORDS, split_sentences
from memagent.models.understanding import SURE_SLOT, TELLING, Understanding, Understood

CONTEXT_TOKENS = 2048
ASK_LIMIT = 14
MAX_HOPS = 2
CLEAR = 0.85  # an act this likely without context is taken
SURELY_ASKED = 0.5
SURELY_FORGET = 0.6  # what is forgotten is gone for good
AT_PRESENT = re.compile(r"\b(?:now|nowadays|currently|these days|at the moment)\b", re.IGNORECASE)
CLAUSE = re.compile(r"[,;:]\s+|\s+(?:so|and|but|because|then)\s+", re.IGNORECASE)
SURE_OF_TALK = 0.5  # that memory answers what seems to be talk; of lists half as much is enough elsewhere
SURE_OF_REMARK = 0.8  # that it answers what is no question either
POSSIBLE = 0.2  # an act this likely is taken when the likeliest cannot be carried out
Part = tuple[int, str, Understood]


@dataclass(frozen=True)
class Turn:
    """This turn so far: what was said, the person's messages before it (newest first), what memory offered, and what
    the tools returned."""

    text: str
    before: tuple[str, ...]
    recalled: tuple[Evidence, ...]
    results: tuple[tuple[ToolCall, ToolResult], ...]
    previous_reply: str

    @property
    def context(self) -> str:
        """What the person said just before."""
        return self.before[0] if self.before else ""

    def result_of(self, prefix: str) -> list[tuple[ToolCall, ToolResult]]:
        """Calls of this turn whose id starts with `prefix`, with their results."""
        return [pair for pair in self.results if pair[0].id.startswith(prefix)]


class Specialists:
    """The default `ChatModel`. Thread-safe; keeps nothing between requests, so one serves many sessions."""

    name = "memagent"
    exact_counts = True
    live = False

    def __init__(self, *, threads: int = 1, context_tokens: int = CONTEXT_TOKENS) -> None:
        self.context_tokens = context_tokens
        self.understanding = Understanding(threads=threads)
        self.reader = Reader(threads=threads)
        self._counted = lru_cache(maxsize=512)(lambda text: self.count_tokens([text])[0])
        self._understood = lru_cache(maxsize=64)(self.understanding.read)
        self._follow_ups = FollowUps(self._understood)
        load_kinds()  # so that the first question does not wait for it

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, without special tokens."""
        return [len(encoding.ids) for encoding in tokenizer().encode_batch(list(texts), add_special_tokens=False)]

    def count_prompt(self, request: ChatRequest) -> int:
        """All texts of the request but instructions and tools, which the specialists do not read."""
        read = replace(request, system="", tools=())
        return plain_count(lambda texts: [self._counted(text) for text in texts], read) - PER_MESSAGE

    def respond(self, request: ChatRequest) -> Iterator[Output]:
        """Calls while something is left to look up or to write, then the reply."""
        turn = read_turn(request)
        parts = [(index, said, _looked_up(said, understood)) for index, said, understood in self.understand(turn)]
        if request.cancel.is_set():
            return
        calls = self.calls(turn, parts)
        if calls:
            yield from calls
            return
        yield from self._confidence(turn, parts)
        for piece in replies.stream(self.reply(turn, parts)):
            if request.cancel.is_set():
                return
            yield TextDelta(piece)

    def understand(self, turn: Turn) -> list[Part]:
        """The sentences of this turn, numbered, each with what it asks of memory."""
        sentences = split_sentences(turn.text)
        parts: list[Part] = []
        for index, said in enumerate(sentences):
            before = [*sentences[:index][::-1], *turn.before]
            sentence = self._follow_ups.named(said, before)
            understood = self._understand(sentence, before[0] if before else "")
            if understood.act == "talk" and WHOLE.search(sentence) and names_subject(sentence, turn.recalled):
                understood = replace(understood, act="ask")
            if parts and _asks_again(parts[-1][2], understood):
                continue
            if self._only_ends(sentence, understood, turn):
                understood = replace(understood, act="state", values=())
            parts.append((index, sentence, understood))
        return parts

    def _only_ends(self, sentence: str, understood: Understood, turn: Turn) -> bool:
        """Whether what seems to be talk, or nothing clearly, ends something remembered: "got the lentils".

        A request to forget is one: what is to be gone for good is not merely ended.
        """
        clear = SURELY_FORGET if understood.act == "forget" else CLEAR
        if understood.act in TELLING or (understood.act != "talk" and understood.act_probability >= clear):
            return False
        return bool(plan_ends(self.understanding, sentence, turn.recalled))

    def _understand(self, sentence: str, context: str) -> Understood:
        """The likeliest act that can be carried out: to tell needs a value, and what may be a question is looked up.

        A sentence that is clear on its own is taken at its word; the context is for those that are not.
        """
        understood = self._understood(sentence, context)
        if context:
            alone = self._understood(sentence, "")
            understood = self._at_its_word(understood, alone)
            if WHOLE.search(sentence) or AT_PRESENT.search(sentence):  # "and now?" after a question about the past
                understood = replace(understood, mode=alone.mode)
        sure = any(value.probability >= SURE_VALUE for value in understood.values)
        slotted = understood.slot_probability >= SURE_SLOT and not sure
        if understood.act == "talk" and (understood.acts["ask"] >= POSSIBLE or slotted):
            return replace(understood, act="ask", act_probability=understood.acts["ask"])
        unsure = understood.act_probability < SURELY_FORGET
        if understood.act == "forget" and unsure and len(self._requests(sentence)) == 1:
            other = max((act for act in understood.acts if act != "forget"), key=understood.acts.__getitem__)
            return replace(understood, act=other)
        if understood.act in TELLING and not sure:
            other = max(("forget", "ask", "calculate"), key=understood.acts.__getitem__)
            if understood.acts[other] >= POSSIBLE:
                return replace(understood, act=other)
        return understood

    @staticmethod
    def _at_its_word(understood: Understood, alone: Understood) -> Understood:
        if alone.act_probability >= CLEAR:
            kept = {name: getattr(alone, name) for name in ("act", "act_probability", "acts", "mode")}
            understood = replace(understood, **kept)
            if alone.subject is not None:
                understood = replace(understood, subject=alone.subject)
            if alone.slot_probability >= SURE_SLOT:
                understood = replace(understood, slot=alone.slot, slot_probability=alone.slot_probability)
        if any(value.subject is not None and value.subject.source == "context" for value in understood.values):
            understood = with_own_subjects(understood, alone)
        return understood

    # --- calls ------------------------------------------------------------------------------------------------------

    def calls(self, turn: Turn, parts: Sequence[Part]) -> list[ToolCall]:
        """What is still to be done, in the order of the sentences; empty when everything has been.

        What one sentence ends and another replaces is replaced: "traded in the Fabia. I drive a Niro now".
        """
        done = {call.id for call, _ in turn.results}
        calls: list[ToolCall] = []
        for index, sentence, understood in parts:
            for call in self._calls_for(turn, index, sentence, understood):
                erased_already = call.name == "memory_forget" and call.arguments in [other.arguments for other in calls]
                if call.id not in done and not erased_already:
                    calls.append(call)
        made = [*calls, *(call for call, _ in turn.results)]
        replaced = {call.arguments["id"] for call in made if call.name == "memory_update"}
        return [call for call in calls if call.name != "memory_end" or call.arguments["id"] not in replaced]

    def _calls_for(self, turn: Turn, index: int, sentence: str, understood: Understood) -> list[ToolCall]:
        if understood.act in TELLING:
            started = [call for call, _ in turn.result_of(f"write-{index}-")]
            if started:
                return []
            writes = plan_writes(self.understanding, understood, turn.recalled, turn.context)
            return [self._write_call(index, number, write, sentence) for number, write in enumerate(writes)]
        if understood.act == "ask":
            return self._search_calls(turn, index, sentence, understood)
        if understood.act == "forget":
            return self._forget_calls(turn, index, sentence, understood)
        if understood.act == "calculate":
            return [ToolCall(f"calculate-{index}-0", "calculate", {"expression": sentence})]
        return []

    @staticmethod
    def _write_call(index: int, number: int, write: Write, sentence: str) -> ToolCall:
        identity = f"write-{index}-{number}"
        if write.ends:
            return ToolCall(identity, "memory_end", {"id": write.replaces})
        if write.replaces is not None:
            return ToolCall(identity, "memory_update", {"id": write.replaces, "value": write.value})
        arguments = {
            "subject": write.subject,
            "attribute": write.attribute,
            "value": write.value,
            "kind": write.kind,
            "when": sentence,
            "several": write.several,
        }
        return ToolCall(identity, "memory_add", arguments)

    def _search_calls(self, turn: Turn, index: int, sentence: str, understood: Understood) -> list[ToolCall]:
        prefix = f"search-{index}-"
        made = turn.result_of(prefix)
        if not made:
            return [ToolCall(f"{prefix}0", "memory_search", self._query(turn, sentence, understood))]
        found = self.found(turn, (index, sentence, understood))
        reckoning = reckon(found, sentence) or elapsed(found, sentence)
        if reckoning is not None:
            return [ToolCall(f"calculate-{index}-0", "calculate", {"expression": reckoning[0]})]
        follow = found.follow
        if follow is None or len(made) >= MAX_HOPS:
            return []
        query = {"query": follow, "limit": ASK_LIMIT, "history": understood.mode in PAST}
        return [ToolCall(f"{prefix}{len(made)}", "memory_search", query)]

    def _query(self, turn: Turn, sentence: str, understood: Understood) -> dict[str, Any]:
        """The question, with what it leaves out when it leans on the turn before, and the slot it seems to be about."""
        leans = understood.subject is not None and understood.subject.source == "context"
        short = understood.subject is None and len(sentence.split()) <= FOLLOW_UP_WORDS
        leans = leans or short or self._follow_ups.leans(sentence, turn.context)
        words = f"{sentence} {turn.context}" if turn.context and leans else sentence
        if understood.mode == "why":
            words = f"{turn.context} {turn.previous_reply}"
        query: dict[str, Any] = {"query": words, "limit": ASK_LIMIT, "history": understood.mode in PAST}
        if understood.slot_probability > 0.3:
            query["attribute"] = understood.slot
            query["subject"] = understood.subject.words if understood.subject else "user"
        return query

    def _forget_calls(self, turn: Turn, index: int, sentence: str, understood: Understood) -> list[ToolCall]:
        looked = turn.result_of(f"search-{index}-")
        if not looked:
            query = self._query(turn, sentence, understood)
            return [ToolCall(f"search-{index}-0", "memory_search", query | {"history": True})]
        if turn.result_of(f"forget-{index}-"):
            return []
        requests = self._requests(sentence)
        clause, subject = requests[-1], understood.subject
        if subject is not None and subject.source == "text" and subject.words not in clause:
            # "forget who I fancy, my brother uses this laptop" is not about the brother
            understood = replace(understood, subject=self._understood(clause, turn.context).subject)
        # What was replaced goes with what took its place.
        left = [item for item in evidence_of(looked) if item.current or item.ended]
        targets = rank_for_erasure(self.reader, understood, requests, turn.context, left)
        if not targets and understood.values and understood.acts["state"] >= POSSIBLE:
            return self._calls_for(turn, index, sentence, replace(understood, act="state"))
        gone = {call.arguments["id"] for call, _ in turn.result_of("forget-")}
        return [
            ToolCall(f"forget-{index}-{number}", "memory_forget", {"id": target.number})
            for number, target in enumerate(target for target in targets if target.number not in gone)
        ]

    def _requests(self, sentence: str) -> list[str]:
        """A request to forget, and its clauses that are one by themselves: reasons around it blur what it means."""
        cuts = [(match.start(), match.end()) for match in CLAUSE.finditer(sentence)]
        pieces = [piece for start, end in cuts for piece in (sentence[:start], sentence[end:])]
        pieces = [piece for piece in pieces if len(piece.split()) >= FEWEST_WORDS]
        acts = self.understanding.acts(pieces) if pieces else []
        return [sentence, *(piece for piece, act in zip(pieces, acts, strict=True) if act["forget"] >= CLEAR)]

    def found(self, turn: Turn, part: Part) -> Found:
        """What the searches that were made for a question say to it."""
        index, sentence, understood = part
        searches = turn.result_of(f"search-{index}-")
        times = searches[0][1].content.get("times", ()) if searches else ()
        moved = self._follow_ups.at_another_time(sentence, turn.context, [str(time["text"]) for time in times])
        if moved is not None:
            sentence, understood = moved, self._understood(moved, "")
        question = self._follow_ups.whole(sentence, understood, turn.context)
        leans = self._follow_ups.leans(sentence, turn.context)
        before = turn.context if question == sentence and leans else ""
        replied = turn.previous_reply if leans or understood.mode == "previous" else ""
        evidence = told_elsewhere(evidence_of(searches), turn.text)
        return answer(self.reader, self.understanding, question, understood, evidence, before, replied, times)

    # --- replies ----------------------------------------------------------------------------------------------------

    def _answer(self, turn: Turn, part: Part, *, alone: bool) -> str:
        """What was found, or calculated from it; nothing where a remark among others was looked up in vain."""
        found = self.found(turn, part)
        sure = SURE_OF_TALK if WHOLE.search(part[1]) or part[1].rstrip().endswith("?") else SURE_OF_REMARK
        if _seemed_talk(part[2]) and (found.kind == "nothing" or found.chance < sure):
            return replies.talked(part[1]) if alone else ""
        if found.kind == "nothing" and not alone and part[2].acts["ask"] < SURELY_ASKED:
            return ""
        reckoning, counted = reckon(found, part[1]), elapsed(found, part[1])
        for _, result in turn.result_of(f"calculate-{part[0]}-"):
            if result.ok and reckoning is not None:
                return replies.reckoned(found, result, reckoning[1])
            if result.ok and counted is not None:
                return replies.counted(found, result, counted[1])
        return replies.answered(found, part[1])

    def _confidence(self, turn: Turn, parts: Sequence[Part]) -> Iterator[Confidence]:
        """How sure the least sure answer of the turn is."""
        chances = [found.chance for part in parts if part[2].act == "ask" and (found := self.found(turn, part)).judged]
        if chances:
            yield Confidence(min(chances))

    def reply(self, turn: Turn, parts: Sequence[Part]) -> str:
        """What is said when all calls were made, composed from what they returned."""
        said: list[str] = []
        for index, sentence, understood in parts:
            writes = [result for _, result in turn.result_of(f"write-{index}-")]
            refused = [result for call, result in turn.results if _part(call) == index and "refused" in result.content]
            if refused and not _seemed_talk(understood):
                said.append(replies.refused(refused[0]))
            elif understood.act in TELLING:
                if writes or not turn.result_of("write-"):
                    said.append(replies.stored(writes, sentence))
            elif understood.act == "ask":
                said.append(self._answer(turn, (index, sentence, understood), alone=len(parts) == 1))
            elif understood.act == "forget":
                erased = [result for _, result in turn.result_of(f"forget-{index}-")]
                again = not erased and turn.result_of("forget-")  # the sentence before has done it
                if not again:
                    said.append(replies.stored(writes, sentence) if writes else replies.erased(erased, sentence))
            elif understood.act == "calculate":
                said.append(replies.calculated(turn.result_of(f"calculate-{index}-")[0][1]))
            elif len(parts) == 1:
                said.append(replies.talked(sentence))
        return " ".join(dict.fromkeys(piece for piece in said if piece)) or replies.talked(turn.text)


def read_turn(request: ChatRequest) -> Turn:
    """Find this turn in a request: the newest message of the person, and what followed it."""
    messages = request.messages
    at = max(index for index, message in enumerate(messages) if message.role == "user")
    before = [message for message in messages[:at] if message.content]
    calls = {call.id: call for message in messages[at:] for call in message.tool_calls}
    results = tuple(
        (calls[message.tool_result.call_id], message.tool_result)
        for message in messages[at:]
        if message.tool_result is not None
    )
    said = [message.content for message in before if message.role == "user"]
    replied = [message.content for message in before if message.role == "assistant"]
    recalled = tuple(Evidence(hit) for hit in request.recalled)
    return Turn(messages[at].content, tuple(said[::-1]), recalled, results, replied[-1] if replied else "")


def evidence_of(made: Sequence[tuple[ToolCall, ToolResult]]) -> list[Evidence]:
    """The hits of this turn's searches, each once, best search last."""
    found: dict[int, Evidence] = {}
    for _, result in made:
        for hit in result.content.get("hits", ()) if result.ok else ():
            found.setdefault(hit["id"], Evidence(hit))
    return list(found.values())


def _asks_again(before: Understood, understood: Understood) -> bool:
    """Whether a request to forget only repeats the one before: "I shouldn't have told you of the baby. Forget that"."""
    slotted = understood.slot != OTHER_SLOT and understood.slot_probability >= SURE_SLOT
    bare = understood.subject is None and not understood.values and not slotted
    return bare and before.act == understood.act == "forget"


def _part(call: ToolCall) -> int:
    """The sentence that a call of ours was made for."""
    return int(call.id.split("-")[1])


def _looked_up(sentence: str, understood: Understood) -> Understood:
    """What seems to be talk but is a question in form is looked up: "who keeps bees?" is either."""
    asks = WHOLE.search(sentence) is not None and sentence.rstrip().endswith("?") and understood.mode != "why"
    if understood.act != "talk" or not asks:
        return understood
    return replace(understood, act="ask", act_probability=understood.acts["ask"])


def _seemed_talk(understood: Understood) -> bool:
    """Whether it is only looked up, so that nothing needs to be known of it."""
    return understood.act == "ask" and understood.act_probability < POSSIBLE
