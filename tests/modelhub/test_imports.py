"""The catalog opens without torch, and the package without the database."""

import subprocess
import sys

import pytest

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace

HEAVY = ("torch", "diffusers", "transformers", "numpy", "PIL", "pydantic")


def loaded(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("module", ["modelhub", "modelhub.catalog", "modelhub.identify", "modelhub.settings"])
def test_nothing_of_the_catalog_loads_a_model_library(module: str) -> None:
    assert not loaded(f"import {module}") & set(HEAVY)


def test_the_package_alone_loads_no_database_and_no_terminal() -> None:
    assert not loaded("import modelhub, modelhub.settings") & {"sqlalchemy", "alembic", "rich", "typer"}


def test_an_up_to_date_catalog_is_opened_without_alembic(workspace: Workspace) -> None:
    Catalog.create(workspace).close()
    names = "from modelhub.catalog import Catalog; from modelhub.workspace import Workspace; from pathlib import Path"
    assert "alembic" not in loaded(f"{names}; Catalog.open(Workspace(Path({str(workspace.root)!r}))).list()")
