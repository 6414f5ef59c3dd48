"""A packed case in today's code: what who pulls does to the files of their own case.

CHANGELOG.md tells the same to people.
"""

from pathlib import Path

from tests.golden.homes.place import CASE

# In this order: what was renamed by an earlier line is left alone by the later ones.
FOLDERS = {
    "pipelines/extract/": "pipelines/data/extract/",
    "pipelines/transform/": "pipelines/data/transform/",
}
MODULES = {
    "from pipelines.extract.landing ": "from pipelines.core.source ",
    "from pipelines.extract.": "from pipelines.data.extract.",
    "from pipelines.settings ": "from pipelines.core.settings ",
    "from pipelines.use_cases.interval ": "from pipelines.use_cases.spec.interval ",
    "from pipelines.use_cases.spec import": "from pipelines.use_cases.spec.use_case import",
    "from pipelines.use_cases.training ": "from pipelines.use_cases.spec.model ",
    'return located("loans", LOCATION, settings.data_roots': (
        'return located(settings, "loans", LOCATION'
    ),
}

# One `training` of a use case, and one MODEL, became any number of models with a task each; what
# the one left in the journal belongs to the model of this name.
OF_MODELS = {
    "import Gate, Training, Watch": "import Gate, Model, Watch",
    "    training=Training(\n": (
        "    models=(\n        Model(name='model', task='binary', family='tabular_net',\n"
    ),
    "        watch=Watch(num_rows_min=30),\n    ),\n": (
        "        watch=Watch(num_rows_min=30),\n    ),\n    ),\n"
    ),
    "            num_class_rows_min=88,\n": "",
    "roc_auc_min=": "floor=",
    "roc_auc_loss_max=": "loss_max=",
    "from models.optimisation ": "from models.tabular_net.optimisation ",
    "from models.spec import ModelSpec\n": (
        "from models.spec import ModelSpec\nfrom models.tabular_net.settings import TabularNet\n"
        "from models.tasks import Binary\n"
    ),
    'MODEL = ModelSpec(\n    name="loans",\n': (
        "MODELS = {'model': ModelSpec(\n    task=Binary(num_class_rows_min=88),\n"
    ),
    '        label="late",\n    ),\n    #': "    ),\n    #",
    "    optimisation=Optimisation(": "    settings=TabularNet(optimisation=Optimisation(",
    "        warmup_steps=8,\n    ),\n)\n": "        warmup_steps=8,\n    )),\n)}\n",
}

# What is written anew: features are named by the dbt YAML and the use case, this file has services.
WRITTEN = {
    "features/loans.py": """
from feast import FeatureService


def services(views):
    return [FeatureService(name="loans_v1", features=list(views))]
"""
}


def add(project: Path) -> None:
    """Put the unpacked case into a copy of the project."""
    for path in sorted(path for path in CASE.rglob("*") if path.is_file()):
        name = _renamed(str(path.relative_to(CASE)), FOLDERS)
        target = project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = _renamed(path.read_text(), MODULES | OF_MODELS)
        target.write_text(WRITTEN.get(name) or text)


def _renamed(text: str, names: dict[str, str]) -> str:
    for before, now in names.items():
        text = text.replace(before, now)
    return text
