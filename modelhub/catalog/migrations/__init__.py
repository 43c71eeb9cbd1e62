"""Brings an older catalog.db up to date. Imports Alembic, so it is imported only when there is something to do."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

__all__ = ["head", "is_older", "upgrade"]


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run every revision up to `to` that `connection`'s database lacks, inside its transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def head() -> str | None:
    """The newest revision that stands in `versions/`."""
    return _scripts().get_current_head()


def is_older(revision: str) -> bool:
    """Whether we know the way from `revision` to ours."""
    return any(script.revision == revision for script in _scripts().walk_revisions())


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
