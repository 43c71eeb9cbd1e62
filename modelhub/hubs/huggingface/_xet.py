"""HuggingFace's own transfer, for those who ask for it. It proves chunks, not files: the result is hashed as any is."""

import tempfile
from functools import cache
from pathlib import Path

from huggingface_hub import HfApi

__all__ = ["brought"]


def brought(api: HfApi, repo: str, commit: str, path: str) -> Path:
    """Where Xet has put the file: in a scratch folder, which this process takes away when it ends."""
    folder = Path(_scratch().name, commit)
    return Path(api.hf_hub_download(repo, path, revision=commit, local_dir=folder))


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="modelhub-xet-")
