"""Row rules by Spark and by plain Python on the same random rows."""

import random
import re
from collections.abc import Callable
from typing import Any

from expectations.rules import Between, InSet, Matches, NotNull, Ordered, Rule

WHY = "the test says so"
Row = dict[str, Any]
SCHEMA = "`text` string, `num``ber` int, `first` double, `second` double"
# Quotes, escapes, substitutions and line ends that a literal must carry unchanged.
NASTY = ("a'b", 'a"b', "a\\b", "a\nb", "${x}", "$x", "{{ x }}", "%_", "é", "", " ", "\\u0041", "`")


def _either_null(row: Row, *names: str) -> bool:
    return any(row[name] is None for name in names)


CASES: tuple[tuple[Rule, Callable[[Row], bool]], ...] = (
    (NotNull("text", because=WHY), lambda row: row["text"] is not None),
    (
        NotNull("num`ber", when=("text", NASTY[:6]), because=WHY),
        lambda row: row["text"] not in NASTY[:6] or row["num`ber"] is not None,
    ),
    (
        Between("num`ber", -3, 3, because=WHY),
        lambda row: _either_null(row, "num`ber") or -3 <= row["num`ber"] <= 3,
    ),
    (
        Between("first", -0.5, 1e-5, because=WHY),
        lambda row: _either_null(row, "first") or -0.5 <= row["first"] <= 1e-5,
    ),
    (
        InSet("text", NASTY, because=WHY),
        lambda row: _either_null(row, "text") or row["text"] in NASTY,
    ),
    *(
        (
            Matches("text", pattern, because=WHY),
            lambda row, pattern=pattern: (
                _either_null(row, "text") or re.fullmatch(pattern, row["text"]) is not None
            ),
        )
        for pattern in (r"[a-z]{1,3}", r"a|ab", r"a'b", r"a\\b", r"\$\{x\}", r"[^'\\]*", r"\s*")
    ),
    (
        Ordered("first", "second", because=WHY),
        lambda row: _either_null(row, "first", "second") or row["first"] <= row["second"],
    ),
)


def _rows(rng: random.Random) -> list[Row]:
    def text() -> str | None:
        made = rng.choice(NASTY) + rng.choice(["", "a", "b", "\n", "'", "\\"])
        return rng.choice([None, made, rng.choice(NASTY), "abc", "abc\n"])

    def number() -> float | None:
        return rng.choice([None, rng.uniform(-2, 2), 0.0, -0.5, 1e-5, 1.0])

    return [
        {
            "text": text(),
            "num`ber": rng.choice([None, *range(-5, 6)]),
            "first": number(),
            "second": number(),
        }
        for _ in range(500)
    ]


def test_spark_and_python_agree_on_every_row_and_rule(spark: Any) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rows = _rows(random.Random(seed))  # noqa: S311
    frame = spark.createDataFrame([tuple(row.values()) for row in rows], SCHEMA)
    verdicts = frame.selectExpr(*(f"{rule.predicate} as v{n}" for n, (rule, _) in enumerate(CASES)))
    for row, found in zip(rows, verdicts.collect(), strict=True):
        for (rule, holds), verdict in zip(CASES, found, strict=True):
            assert verdict is holds(row), (seed, rule, row)
