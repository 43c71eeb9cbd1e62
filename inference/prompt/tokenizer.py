"""CLIP's tokenizer, built from the merges that ship with the package: nothing to download.

Vocabulary and pattern are openai/CLIP's (`simple_tokenizer.py`): 256 bytes, the same closing a word, 48,894
merges, and the two marks.
"""

import gzip
from collections.abc import Sequence
from functools import cache
from importlib import resources

import ftfy
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

__all__ = ["BOS", "COMMA", "EOS", "tokenize", "vocabulary", "words"]

BOS = 49406
EOS = 49407
COMMA = 267
"""The token of ``,``, where a long prompt may be broken."""

_MERGES = 49152 - 256 - 2
_PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
_WORD_END = "</w>"
_PRINTABLE = (*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100))


def tokenize(texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text, without the marks of beginning and end.

    Text is mended by ftfy first, as CLIP's own tokenizer does: a full-width comma becomes a plain one.
    """
    encoded = _tokenizer().encode_batch([ftfy.fix_text(text) for text in texts], add_special_tokens=False)
    return [one.ids for one in encoded]


def words(ids: Sequence[int]) -> list[str]:
    """What each token stands for; one that is part of a character only is a replacement mark."""
    return [_word(_tokenizer().id_to_token(one) or "") for one in ids]


def vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Each token with its number, and what is joined in which order."""
    packed = resources.files("inference.configs").joinpath("clip_merges.txt.gz").read_bytes()
    lines = gzip.decompress(packed).decode().split("\n")[1 : _MERGES + 1]
    merges = [(left, right) for left, right in (line.split() for line in lines)]
    alphabet = _byte_alphabet()
    words = [*alphabet, *(letter + _WORD_END for letter in alphabet), *(left + right for left, right in merges)]
    return {word: index for index, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}, merges


def _word(token: str) -> str:
    bytes_of = _byte_values()
    return bytes(bytes_of[letter] for letter in token.removesuffix(_WORD_END)).decode(errors="replace")


@cache
def _byte_values() -> dict[str, int]:
    others = [byte for byte in range(256) if byte not in _PRINTABLE]
    return dict(zip(_byte_alphabet(), [*_PRINTABLE, *others], strict=True))


@cache
def _tokenizer() -> Tokenizer:
    words, merges = vocabulary()
    tokenizer = Tokenizer(models.BPE(words, merges, end_of_word_suffix=_WORD_END, unk_token="<|endoftext|>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PATTERN), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return tokenizer


def _byte_alphabet() -> list[str]:
    """GPT-2's printable stand-in for each byte, in the order of CLIP's vocabulary."""
    return [chr(byte) for byte in _PRINTABLE] + [chr(256 + index) for index in range(256 - len(_PRINTABLE))]
