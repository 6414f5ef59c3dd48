"""What `millrace new` proposes of a forecast and of a ranking; run as a module, it is written anew.

`python -m tests.golden_proposals`, and read the difference.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.data.reading.files import FileTable
from pipelines.scaffold import shown
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.infer import infer
from pipelines.scaffold.render import rendered
from tests import made_tables

FOLDER = Path(__file__).parent / "golden" / "proposals"
TODAY = date(2026, 11, 27)
_FORECAST: Mapping[str, Any] = {"task": "forecast", "event_time": "Hour", "label": "Load (MW)"}
ASKS: Mapping[str, Ask] = {
    "hourly": Ask(name="hourly", location="/data/load.csv", key=("Station", "Hour"), **_FORECAST),
    "daily": Ask(name="daily", location="/data/load.csv", key=(), horizon=7, **_FORECAST),
    "books": Ask(
        name="books",
        location="/data/ratings.csv",
        key=("Reader", "Book"),
        event_time="When",
        label="Stars",
        task="ranking",
    ),
}


def table(name: str) -> Iterable[dict[str, Any]]:
    """The source of one of them."""
    days = [TODAY - timedelta(days=back) for back in range(200, 0, -1)]
    if name == "daily":
        return made_tables.loads(days, ("one",), is_hourly=False)
    return made_tables.loads(days[-70:]) if name == "hourly" else made_tables.ratings(days[-90:])


def proposal(name: str, folder: Path) -> str:
    """What is said and written of it, one text after the other."""
    path = made_tables.write(iter(table(name)), folder / "table.csv")
    found = infer(ASKS[name], FileTable(str(path), (folder,)), datetime(2026, 11, 27, tzinfo=UTC))
    texts = {"said": f"{shown.summary(found)}\n", **rendered(found, TODAY)}
    return "\n".join(f"=== {path}\n{text.rstrip()}\n" for path, text in texts.items())


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name in ASKS:
        with TemporaryDirectory() as folder:
            (FOLDER / f"{name}.txt").write_text(proposal(name, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
