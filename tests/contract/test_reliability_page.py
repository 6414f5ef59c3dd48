"""`docs/reliability.md` claims exactly what the tests show."""

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([RBS]\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"def test_((?:[rbs]\d\d_)+)")


def test_every_row_names_the_files_that_show_it_and_no_other():
    shown: defaultdict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for rows in TEST.findall(path.read_text()):
            for row in rows.strip("_").split("_"):
                name = f"{row[0].upper()}{int(row[1:])}"
                shown[name].add(path.relative_to(ROOT / "tests").as_posix())
    page = (ROOT / "docs" / "reliability.md").read_text()
    claimed = {row: set(re.findall(r"`([^`]+\.py)`", where)) for row, where in ROW.findall(page)}
    assert claimed == {row: shown.get(row, set()) for row in claimed}
    assert set(shown) <= set(claimed)
