"""A window over a long JSON text: a value is decoded when it is whole in it, then forgotten.

The text is read once, from start to end, in memory that depends on its longest record alone.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, TextIO

# No longer record is taken: it would fill a worker's memory.
RECORD_CHARACTERS_MAX = 2**24
_CHUNK_CHARACTERS = 2**16
# What is wrong so near to the end of the window, such as -Infi or \u00e, may only be cut off.
_LITERAL_CHARACTERS_MAX = 16
# Brackets are counted so far: each broken record that leaves one open costs as much.
_BRACKETED_CHARACTERS_MAX = 2**20
# With the byte order marks of files that were put together.
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_BRACKET_OR_TEXT = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"?|[{}\[\]]')
_OPENED_BY = {"}": "{", "]": "["}


class Number(str):
    """A JSON number, as it stands in the file."""

    __slots__ = ()


class Broken(ValueError):
    """A text that is no record; the message says why."""


@dataclass(frozen=True)
class Element:
    """A value of the text: its first line, its text, and what it says or why it can't be read."""

    line: int
    raw: str
    value: Any = None
    problem: str | None = None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise Broken(f"field {', '.join(twice)} is there twice")
    return found


# Numbers stay the texts that stand there, to the last digit.
_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=Number, parse_float=Number, parse_constant=Number
)


def line_element(line: int, text: str) -> Element:
    """The value that a line is.

    Example:
        >>> line_element(3, '{"a": 1.10}').value, line_element(4, '{"a": }').problem
        ({'a': '1.10'}, 'no JSON: Expecting value at character 7')
    """
    try:
        return Element(line, text, _decoder.decode(text))
    except json.JSONDecodeError as error:
        return Element(line, text, None, f"{_said(error)} at character {error.pos + 1}")
    except Broken as error:
        return Element(line, text, None, str(error))
    except RecursionError:
        return Element(line, text, None, "JSON nested too deep")


def _said(error: json.JSONDecodeError) -> str:
    there = error.doc[error.pos : error.pos + 4]
    if there.startswith("\\x"):
        return f"no JSON: {there} is a byte of another encoding, or no escape"
    return f"no JSON: {error.msg.removesuffix(' starting at').removesuffix(' at')}"


class Window:
    """What is ahead of a place in the text, which only moves forward."""

    def __init__(self, stream: TextIO) -> None:
        self.line = 1
        self._text = ""
        self._at = 0
        self._stream = stream
        self._is_whole = False

    def next(self) -> str:
        """The next character that is no space, where the window then stands; "" at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._move(space.end() if space else self._at)
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def skip(self, mark: str) -> bool:
        """Go past a mark, if it comes next."""
        is_next = self.next() == mark
        self._at += is_next
        return is_next

    def value(self) -> Element | str:
        """The value that comes next, behind which the window then stands; or why there is none."""
        self.next()
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not (self._may_be_cut(error) and self._more()):
                    return _said(error)
            except Broken as error:
                return str(error)
            except RecursionError:
                return "JSON nested too deep"
            else:
                if end < len(self._text) or not self._more():
                    return self._taken(end, value)

    def until(self, pattern: re.Pattern[str], problem: str) -> Element | None:
        """What is ahead up to a place, as one problem; None: there is no such place."""
        start = 1
        while (found := pattern.search(self._text, self._at + start)) is None:
            ahead = len(self._text) - self._at
            if not self._more():
                return None
            # The pattern may begin in what was there.
            start = max(1, ahead - _CHUNK_CHARACTERS)
        return self._taken(found.start(), None, problem)

    def bracketed(self, problem: str) -> Element | None:
        """What is ahead up to where its brackets are closed, as one problem; None: they aren't."""
        while (end := self._closed()) is None:
            if len(self._text) - self._at > _BRACKETED_CHARACTERS_MAX or not self._more():
                return None
        return self._taken(end, None, problem) if end else None

    def rest(self, problem: str) -> Element:
        """All that is left, as one problem."""
        while self._more():
            pass
        element = self._taken(len(self._text), None, problem)
        while self._more():
            self._move(len(self._text))
        return element

    def indent(self) -> str | None:
        """The spaces before what comes next, if it starts its line."""
        start = self._text.rfind("\n", 0, self._at) + 1
        before = self._text[start : self._at]
        return before if not before.strip() and (start or self.line == 1) else None

    def ahead(self, num_characters: int) -> str:
        """A little of what comes next."""
        return self._text[self._at : self._at + num_characters]

    def _closed(self) -> int | None:
        """Where the brackets that open here are closed; None: not yet; 0: never."""
        opened: list[str] = []
        last = self._at + _BRACKETED_CHARACTERS_MAX
        for found in _BRACKET_OR_TEXT.finditer(self._text, self._at, last):
            mark = found[0]
            if mark[0] == '"':
                is_open = len(mark) == 1 or not mark.endswith('"')
                if is_open:
                    return None if found.end() == len(self._text) else 0
            elif mark in "{[":
                opened.append(mark)
            elif not opened or opened.pop() != _OPENED_BY[mark]:
                return 0
            elif not opened:
                return found.end()
        return None

    def _more(self) -> bool:
        """Double what is ahead; whether there was more, and may be."""
        ahead = len(self._text) - self._at
        if self._is_whole or ahead >= RECORD_CHARACTERS_MAX:
            return False
        chunk = self._stream.read(max(_CHUNK_CHARACTERS, ahead))
        self._is_whole = not chunk
        # The line so far is kept, which tells how far its first value is indented.
        start = self._text.rfind("\n", 0, self._at) + 1
        start = max(start, self._at - _CHUNK_CHARACTERS)
        self._text, self._at = self._text[max(start - 1, 0) :] + chunk, self._at - max(start - 1, 0)
        return bool(chunk)

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        is_near = error.pos >= len(self._text) - _LITERAL_CHARACTERS_MAX
        return is_near or error.msg.startswith("Unterminated string")

    def _taken(self, end: int, value: Any, problem: str | None = None) -> Element:
        element = Element(self.line, self._text[self._at : end], value, problem)
        self._move(end)
        return element

    def _move(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end
