"""The tokenizer and chat template of the generative model: byte-level BPE whose tokens are the same everywhere.

A space is a token of its own, except before some fifty function words. A value has the same ids in a sentence and
between the quotes of a call, which is what makes copying it learnable for a small model. Marks of calls are added
tokens that are not special, so that they survive in text. The template names the tools and their arguments only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

VOCABULARY = 4096
END, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
TAGS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
FUNCTION_WORDS = (
    "the a an and or of to in on at for with from by as is are was were be been am has have had do does did not it its "
    "that this my your his her our their i you he she we they what which who when where"
)
SPLIT = rf" (?:{'|'.join(FUNCTION_WORDS.split())})(?!\p{{L}})|\p{{L}}+|\p{{N}}|[^\s\p{{L}}\p{{N}}]|\s"

TEMPLATE = """{%- for message in messages %}
{%- if message.role == 'system' %}
{{- '<|im_start|>system\n' + message.content }}
{%- if tools %}
{{- '\n\nTools:' }}
{%- for tool in tools %}
{{- '\n' + tool.function.name + '(' + (tool.function.parameters.properties | list | join(', ')) + ')' }}
{%- endfor %}
{%- endif %}
{{- '<|im_end|>\n' }}
{%- elif message.role == 'user' %}
{{- '<|im_start|>user\n' + message.content + '<|im_end|>\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant\n' + (message.content or '') }}
{%- for call in message.tool_calls or [] %}
{{- ('\n' if not loop.first else '') + '<tool_call>\n{"name": "' + call.function.name + '", "arguments": '
    + (call.function.arguments | tojson) + '}\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\n' }}
{%- elif message.role == 'tool' %}
{{- '<|im_start|>tool\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"""


def train_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Any:
    """A `PreTrainedTokenizerFast` from rendered prompts, with the template."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(TAGS),
        special_tokens=[END, START, STOP],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    backend.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in TAGS])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=STOP, pad_token=END)
    tokenizer.chat_template = TEMPLATE
    return tokenizer
