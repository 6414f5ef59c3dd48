"""Words for *missing*: what people and programs write where there is no value."""

import re
from collections.abc import Collection

# In any case, in columns that are otherwise numbers, times or yes and no.
_LIST = """
na n/a n.a. n.a n/d nd n.d. #n/a #na <na> null (null) <null> [null] #null! \\n nil none (none)
nan -nan #nan #div/0! #value! #ref! #num! #name? - -- --- _ . .. ... ? ?? missing (missing) (blank)
(empty) undefined unknown unknown? unbekannt fehlt leer k.a. k.a n.v. s/o inconnu desconocido
"""
_PHRASES = ("not available", "not applicable", "no data", "keine angabe", "k. a.")
_WORDS = frozenset((*_LIST.split(), *_PHRASES))
# Those that a program writes: of a text they can be nothing else. `NA` may be Namibia, `None` an
# answer and `Null` a name.
_SURE = frozenset(("\\n", "(null)", "<null>", "[null]", "#n/a", "<na>", "#null!"))
# Dates that databases write for none: 0000-00-00, 00.00.0000 00:00.
_ZEROS = re.compile(r"0{2,4}([-./])00\1(?:00|0{4})(?:[ T][0:.]+Z?)?")
_ZEROS_OF_TIMES = re.compile("0{8}(?:T?0{6})?")


def missing_words(texts: Collection[str], *, are_times: bool = False) -> frozenset[str]:
    """Those of the texts that say *missing* in a column of numbers, times or yes and no.

    Example:
        >>> sorted(missing_words(["N/A", "5", "keine Angabe", "0000-00-00"], are_times=True))
        ['0000-00-00', 'N/A', 'keine Angabe']
    """
    trimmed = {text: text.strip() for text in texts}
    return frozenset(
        short
        for short in trimmed.values()
        if short.lower() in _WORDS
        or _ZEROS.fullmatch(short)
        or (are_times and _ZEROS_OF_TIMES.fullmatch(short))
    )


def sure_words(texts: Collection[str]) -> frozenset[str]:
    r"""Those of the texts that say *missing* in any column, such as PostgreSQL's `\N`."""
    return frozenset(text for text in texts if text.lower() in _SURE)
