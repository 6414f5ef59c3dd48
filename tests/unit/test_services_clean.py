"""What `millrace clean` removes, and what it leaves alone."""

from pathlib import Path

import pytest

from pipelines import services
from pipelines.core.errors import UsageError
from pipelines.core.settings import Settings
from pipelines.services import first_start, homes, secrets


@pytest.fixture
def started(tmp_path):
    """A home as a start leaves it, with a folder that a later version may make."""
    settings = Settings(home=tmp_path / "home")
    secrets.make(settings)
    first_start.remember(settings)
    (settings.home / "a later version's").mkdir()
    return settings


def test_a_home_goes_with_all_that_is_in_it(started):
    services.clean(started)
    assert not started.home.exists()


def test_a_home_that_is_a_link_goes_with_the_folder_it_leads_to(started, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(started.home)
    services.clean(Settings(home=link))
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_leads_nowhere_goes(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    services.clean(Settings(home=tmp_path / "link"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("made", [(), (".starting",), (".starting", "secrets", "logs")])
def test_what_a_start_that_failed_half_way_left_behind_goes(tmp_path, made):
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    for name in made:
        (settings.home / name).mkdir()
    services.clean(settings)
    assert not settings.home.exists()


def test_a_home_that_is_not_there_is_clean(tmp_path):
    services.clean(Settings(home=tmp_path / "nowhere"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ours", [(), ("secrets",), ("first_started", "logs")])
def test_a_folder_of_somebody_elses_is_refused_and_stays(tmp_path, ours):
    for name in ("thesis.tex", *ours):
        (tmp_path / name).write_text("three years")
    with pytest.raises(UsageError) as told:
        services.clean(Settings(home=tmp_path))
    assert str(told.value) == (
        f"{tmp_path} is not removed: no platform was started there, and it holds 'thesis.tex'; "
        "set MILLRACE_HOME to the home of a platform, or remove what you do not need there yourself"
    )
    assert (tmp_path / "thesis.tex").read_text() == "three years"


def test_a_file_is_refused_and_stays(tmp_path):
    (tmp_path / "home").write_text("abc")
    with pytest.raises(UsageError, match="it is a file"):
        services.clean(Settings(home=tmp_path / "home"))
    assert (tmp_path / "home").read_text() == "abc"


@pytest.mark.parametrize(
    ("holds", "words"), [("ROOT", "it holds the code"), ("~", "it holds your own files")]
)
@pytest.mark.parametrize("below", [".", "one/below"])
def test_not_even_a_start_makes_the_code_or_ones_own_files_state(
    started, monkeypatch, holds, words, below
):
    if holds == "~":
        monkeypatch.setenv("HOME", str(started.home / below))
    else:
        monkeypatch.setattr(homes, "ROOT", started.home / below)
    with pytest.raises(UsageError, match=words):
        services.clean(started)
    assert Path(started.secrets / "airflow_fernet").exists()
