"""Where the records of a JSON file stand: an object a line, a list, or a list in an envelope."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TextIO

from pipelines.data.reading.batches import FileRefused
from pipelines.data.reading.json_window import (
    RECORD_CHARACTERS_MAX,
    Element,
    Window,
    line_element,
)

# Records that are cut at their start say nothing of the file's form; so many in a row are no luck.
_PROBED_LINES = 100
_ENVELOPES_MAX = 3
_FIRST_KEY = re.compile(r'\{\s*("[^"\\]*")\s*:')
_FIRST_KEY_CHARACTERS = 1_000
_NO_VALUE = re.compile(r"[,\[\]{\n]")


def elements(
    open_text: Callable[[], TextIO], records: str, file: str, *, is_lines: bool = False
) -> Iterator[Element]:
    """The elements of a file in their order, of which those without a problem may be records.

    Args:
        open_text: a fresh stream of the text, all line ends as newlines.
        records: the list's name in an envelope; "": there is none.
        is_lines: each line is an element, whatever it begins with.

    Raises:
        FileRefused: there is no such list.
    """
    if is_lines or (not records and _is_by_line(open_text)):
        with open_text() as stream:
            yield from _by_line(stream)
        return
    with open_text() as stream:
        window = Window(stream)
        if records:
            yield from _in_envelope(window, records, file)
        else:
            yield from _listed(window, "]" if window.skip("[") else "")
            if window.next():
                yield window.rest("behind the end of the list")


def guess_records(open_text: Callable[[], TextIO], file: str) -> str:
    """The name of the list of objects in an envelope; "": the file is none.

    Raises:
        FileRefused: there are several lists, or none in what is no record itself.
    """
    with open_text() as stream:
        window = Window(stream)
        if window.next() != "{":
            return ""
        try:
            found = list(_lists(window, file))
        except FileRefused:
            return ""
        if window.next():
            return ""
    full = [name for name, first in found if first == "{"] or [name for name, _ in found]
    depth = min((name.count(".") for name in full), default=0)
    likely = [name for name in full if name.count(".") == depth]
    if len(likely) > 1:
        raise FileRefused(
            f"{file} has the lists {', '.join(likely)}; say which has the records by --records"
        )
    return likely[0] if likely else ""


def _is_by_line(open_text: Callable[[], TextIO]) -> bool:
    """Whether a line is an object; in what begins as a list a few may be, but never most."""
    with open_text() as stream:
        lines = [line for _, line in islice(_lines(stream), _PROBED_LINES)]
    starts = (line for line in lines if line.startswith("{"))
    num_whole = sum(line_element(1, line).problem is None for line in starts)
    is_list = bool(lines) and lines[0].startswith("[")
    return num_whole > (len(lines) / 2 if is_list else 0)


def _lines(stream: TextIO) -> Iterator[tuple[int, str]]:
    """The lines that are not blank; of a giant one, so much that it is seen to be one."""
    number = 0
    while line := stream.readline(RECORD_CHARACTERS_MAX + 1):
        number += 1
        if not line.isspace():
            # Files that were put together have their byte order marks inside.
            yield number, line.rstrip("\n").lstrip("\ufeff")
        while line and not line.endswith("\n"):
            line = stream.readline(RECORD_CHARACTERS_MAX)


def _by_line(stream: TextIO) -> Iterator[Element]:
    for number, line in _lines(stream):
        yield (
            line_element(number, line)
            if len(line) <= RECORD_CHARACTERS_MAX
            else Element(number, line, None, f"more than {RECORD_CHARACTERS_MAX} characters")
        )


def _listed(window: Window, closing: str) -> Iterator[Element]:
    """The elements up to the end of their list; of what is broken, as little as can be told."""
    while True:
        while window.skip(","):
            pass
        mark = window.next()
        if not mark and closing:
            yield Element(window.line, "", None, f"the file ends before the list does ({closing})")
        if not mark or (closing and window.skip(closing)):
            return
        indent, start = window.indent(), window.ahead(_FIRST_KEY_CHARACTERS)
        found = window.value()
        if not isinstance(found, str):
            yield found
            continue
        yield _broken(window, found, indent, start)
        if not window.next():
            return


def _broken(window: Window, problem: str, indent: str | None, start: str) -> Element:
    """A broken element, up to the next one: at the same margin, or with the same first field."""
    found = None
    if not start.startswith(("{", "[")):
        found = window.until(_NO_VALUE, problem)
    elif indent is not None:
        found = window.until(re.compile(rf"\n{indent}(?=\{{)"), problem)
    found = found or window.bracketed(problem)
    if found is None and (key := _FIRST_KEY.match(start)):
        found = window.until(re.compile(rf"(?<=[,}}])\s*\{{\s*{re.escape(key[1])}\s*:"), problem)
    return found or window.rest(problem)


def _in_envelope(window: Window, records: str, file: str) -> Iterator[Element]:
    names = []
    if window.next() == "{":
        for name, _ in _lists(window, file):
            if name == records:
                yield from _listed(window, "]")
                return
            names.append(name)
    raise FileRefused(f"{file} has no list {records}; it has {', '.join(names) or 'none'}")


def _lists(window: Window, file: str, path: str = "") -> Iterator[tuple[str, str]]:
    """The lists of an object and of those in it, and how each begins; the window is in it then."""
    window.skip("{")
    while not window.skip("}"):
        name = f"{path}{_key(window, file)}"
        if window.skip("["):
            yield name, window.next()
            for _ in _listed(window, "]"):
                pass
        elif window.next() == "{" and name.count(".") < _ENVELOPES_MAX:
            yield from _lists(window, file, f"{name}.")
        elif isinstance(said := window.value(), str) and window.bracketed(said) is None:
            raise FileRefused(f"{file}, line {window.line}: {said}")
        window.skip(",")


def _key(window: Window, file: str) -> str:
    found = window.value() if window.next() == '"' else "no JSON: a field's name is due"
    if isinstance(found, str) or not window.skip(":"):
        said = found if isinstance(found, str) else "no JSON: a colon is due"
        raise FileRefused(f"{file}, line {window.line}: {said}")
    return str(found.value)
