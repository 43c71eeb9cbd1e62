"""What a command works with: where it runs, how it may speak, and the catalog."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cli.options import Options
from cli.progress import follow
from cli.render import Output
from modelhub.jobs import Job
from modelhub.settings import Settings, read_settings, user_file
from modelhub.workspace import Workspace

if TYPE_CHECKING:
    from modelhub.catalog import Catalog
    from modelhub.hubs import Access
    from modelhub.tokens import TokenStore

__all__ = ["Session"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """One run of one command."""

    options: Options
    environ: Mapping[str, str]
    cwd: Path
    output: Output
    user_file: Path = field(default_factory=user_file)
    given: frozenset[str] = frozenset()
    """Names of the parameters that were given on the command line, not left at their defaults."""

    def settings(self, *, device: str | None = None) -> Settings:
        """Decided from flags, environment and files; `device` is the command's own flag."""
        home = str(self.options.home) if self.options.home else None
        flags = {"home": home, "device": device}
        return read_settings(flags=flags, environ=self.environ, start=self.cwd, user=self.user_file)

    @property
    def workspace(self) -> Workspace:
        return self.settings().workspace

    def open_catalog(self) -> "Catalog":
        """The workspace's catalog, to use in a `with`; raises `NoWorkspace` naming `modelhub init`."""
        from modelhub.catalog import Catalog

        return Catalog.open(self.workspace)

    def create_catalog(self) -> "Catalog":
        """The same, made when it is missing: for the commands that may."""
        from modelhub.catalog import Catalog

        return Catalog.create(self.workspace)

    @property
    def tokens(self) -> "TokenStore":
        """Whom hubs know us as."""
        from modelhub.tokens import TokenStore

        return TokenStore(self.environ, self.user_file.parent)

    @contextmanager
    def access(self) -> "Iterator[Access]":
        """What hubs are reached with, as the user's settings say: to use in a `with`."""
        from modelhub.hubs import Access
        from modelhub.network import Network

        hubs = self.settings().hubs
        with Network(allow=hubs.allowed) as network:
            yield Access(network, self.tokens, hubs)

    def run(self, job: Job[T]) -> T:
        """Run a job to its end, showing how far it is as the options ask; Ctrl-C closes the job."""
        return follow(job, self.output)
