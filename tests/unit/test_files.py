"""What is written while others read it."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.stores.objects import write_whole


def test_a_file_is_whole_or_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "drift" / "page.html"
    write_whole(page, "old €")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_whole(page, "new")
    assert page.read_bytes() == "old €".encode()
