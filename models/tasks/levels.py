"""How answers add up, where they do."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Levels:
    """How the numbers of parts make that of a whole, such as airlines their airport's.

    Args:
        answer: the field of the answer that adds up.
        column: says which part a row is of.
        whole: its value in the rows of the whole.
        by: the columns, of the row key, whose equal values are of one whole; one that is no input
            of the model is an instant.
        weight: the input that a part weighs in the mean that the whole is; None: it is their sum.
    """

    column: str
    whole: str
    by: tuple[str, ...]
    weight: str | None = None
    answer: str = "prediction"
