"""What the columns of a sample are: their types and how they are written, told or asked for.

Guessed is what the values leave no doubt of, over the whole file: what one column settles holds for
the others. Where there is a doubt, the option that decides it is named. Nothing is lost by a guess
that is too narrow: what does not fit later goes to quarantine with its text.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.data.reading.guess_numbers import style_of
from pipelines.data.reading.guess_texts import File, Text, of_text
from pipelines.data.reading.guess_typed import has_zone, of_typed
from pipelines.data.reading.notation import Notation
from pipelines.data.reading.said import Guess, Said
from pipelines.data.reading.tally import Tally
from pipelines.data.reading.typed import is_text


def guessed(
    columns: Mapping[str, pa.ChunkedArray],
    said: Said,
    *,
    times: Collection[str] = (),
    texts: Collection[str] = (),
) -> Mapping[str, Guess]:
    """Of each column of a sample what it is, by its name.

    Args:
        times: columns that must be instants.
        texts: columns that stay texts whatever they look like, such as keys.

    Example:
        >>> found = guessed({"price": pa.chunked_array([["1.536,00 €", "7,50 €"]])}, Said())
        >>> found["price"].kind, found["price"].told
        ('double', ('price: decimal comma, thousands point, sign €',))
    """
    read = {
        name: Text(name, Tally.of(column), name in times, said)
        for name, column in columns.items()
        if is_text(_plain(column.type)) and name not in texts
    }
    file = _file(read.values(), said)
    found = {}
    for name, column in columns.items():
        if name in texts:
            found[name] = Guess(kind="string", notation=Notation(missing=frozenset(said.missing)))
        elif name in read:
            found[name] = of_text(read[name], file)
        else:
            found[name] = of_typed(name, column, name in times, said)
    naive = [name for name in found if _lacks_zone(found[name], read.get(name), columns[name])]
    return found if said.zone or not naive else {**found, naive[0]: _zone_told(found, naive)}


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _file(read: Collection[Text], said: Said) -> File:
    numbers = [column.numbers for column in read if not column.is_time]
    orders = frozenset(order for column in read if (order := column.instants.order))
    return File(said, style_of(numbers, said.style), orders)


def _lacks_zone(guess: Guess, text: Text | None, column: pa.ChunkedArray) -> bool:
    if guess.kind != "timestamp" or guess.notation.epoch:
        return False
    if text is None:
        return not has_zone(column.type)
    return text.instants.num_without_zone(guess.notation.format) > 0


def _zone_told(found: Mapping[str, Guess], naive: list[str]) -> Guess:
    """The first guess without a zone, that names all that have none."""
    line = (
        f"{', '.join(naive)}: no zone, taken as UTC; say --zone Europe/Berlin, or whichever it is, "
        "if it is another"
    )
    first = found[naive[0]]
    return replace(first, told=(*first.told, line))
