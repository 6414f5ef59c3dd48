"""The column to predict, and how the words of its source are spelled."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.data.reading.typed import as_texts, decoded

_WHOLE = re.compile(r"(-?[0-9]+)\.0+", re.ASCII)


def folded(text: str) -> str:
    """What a text is, however it is spelled: case, spaces around it, and `1.0` for 1 say nothing.

    Example:
        >>> folded(" Yes "), folded("1.0"), folded("007")
        ('yes', '1', '007')
    """
    plain = text.strip().casefold()
    whole = _WHOLE.fullmatch(plain)
    return whole[1] if whole else plain


@dataclass(frozen=True)
class Label:
    """The column to predict; of a yes or no also the source's words for true and for false.

    Without words its values go on as they are, in the type of the feed's column.

    Args:
        column: the source's.
        positive, negative: a word or several; other spellings of one are found by `folded`.
        spellings: of classes, the one spelling that counts by each other one of the source.

    Raises:
        ValueError: words for one side alone, or one word on both.

    Example:
        >>> label = Label("Paid?", positive=("yes", "ja"), negative="no")
        >>> label.read("JA "), label.read("no"), label.read("l"), label.read(None)
        ('true', 'false', 'l', None)
    """

    column: str
    positive: str | tuple[str, ...] | None = None
    negative: str | tuple[str, ...] | None = None
    spellings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.positive is None) != (self.negative is None):
            raise ValueError(
                f"Label {self.column!r}: positive is {self.positive!r}, negative "
                f"{self.negative!r}; say both words of a yes or no, of other labels neither"
            )
        if both := set(_words(self.positive)) & set(_words(self.negative)):
            raise ValueError(f"Label {self.column!r}: {sorted(both)} can't be true and false")

    @cached_property
    def _exact(self) -> Mapping[str, str]:
        sides = (("true", self.positive), ("false", self.negative))
        return {**self.spellings, **{word: side for side, said in sides for word in _words(said)}}

    @cached_property
    def _folded(self) -> Mapping[str, str]:
        """Without what would be two of them: `A` and `a` can be two classes."""
        found: dict[str, set[str]] = {}
        for word, side in self._exact.items():
            found.setdefault(folded(word), set()).add(side)
        return {word: side for word, (side, *more) in found.items() if not more}

    def read(self, text: str | None) -> str | None:
        """What the feed says for a text of the source; one that nobody knows stays as it is."""
        if text is None:
            return None
        return self._exact.get(text) or self._folded.get(folded(text), text)

    def mapped(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """A column of the source's words, or numbers, in the feed's; each different one once."""
        if not self._exact:
            return column
        chunks = [_mapped(decoded(chunk), self.read) for chunk in column.chunks]
        return pa.chunked_array(chunks, pa.string())


def _mapped(chunk: pa.Array, read: Callable[[str | None], str | None]) -> pa.Array:
    found = as_texts(chunk).dictionary_encode()
    return pa.array(map(read, found.dictionary.to_pylist()), pa.string()).take(found.indices)


def _words(said: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if said is None else (said,) if isinstance(said, str) else said
