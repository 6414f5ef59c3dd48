"""A tree as lines of text."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

T = TypeVar("T")


def drawn(
    root: T,
    *,
    key: Callable[[T], Hashable],
    head: Callable[[T], str],
    below: Callable[[T], Sequence[T]],
    again: Callable[[T], str],
) -> str:
    """A line a node, with what is below it; what was shown once is named, and not shown, again.

    Example:
        >>> print(drawn(8, key=str, head=str, below=lambda n: [n // 2] * (n > 2), again=str))
        8
        └─ 4
           └─ 2
    """
    shown: set[Hashable] = set()

    def lines(node: T) -> list[str]:
        children = below(node)
        if key(node) in shown and children:
            return [f"{again(node)}  (shown above)"]
        shown.add(key(node))
        found = [head(node).rstrip()]
        for position, child in enumerate(children, start=1):
            first, *rest = lines(child)
            corner, edge = ("└─ ", "   ") if position == len(children) else ("├─ ", "│  ")
            found += [corner + first, *(edge + line for line in rest)]
        return found

    return "\n".join(lines(root))
