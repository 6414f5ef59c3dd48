"""Revisions of the journal are one line of numbered files, which this code lists by itself."""

import subprocess
import sys

from alembic.config import Config
from alembic.script import ScriptDirectory

from pipelines.core import migrations


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(migrations._HERE))
    return ScriptDirectory.from_config(config)


def test_the_files_are_alembics_revisions_one_after_the_other() -> None:
    found = list(reversed(list(scripts().walk_revisions())))
    assert tuple(each.revision for each in found) == migrations.revisions()
    before = [each.down_revision for each in found]
    assert before == [None, *migrations.revisions()[:-1]]
    assert scripts().get_heads() == [migrations.revisions()[-1]]


def test_a_journal_that_is_at_head_needs_no_alembic() -> None:
    asked = "import sys; from pipelines.core import journal, migrations; migrations.revisions(); "
    asked += "print('alembic' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
