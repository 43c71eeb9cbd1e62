"""HuggingFace: its own client lists, resolves and signs in; the bytes come through `modelhub.transfer`.

``hf:OWNER/REPO[/PATH][@REVISION]``. What is listed is pinned to a commit. A path is a weight file's, a folder's, or
that of the configuration which heads a folder that is one model; of such a folder ``#fp16`` names the set of weights
(``#full`` the one that has no name).
"""

from modelhub.hubs._hub import Access, Hub
from modelhub.hubs.huggingface._addresses import NAME, address, written

__all__ = ["NAME", "address", "connect", "written"]


def connect(access: Access) -> Hub:
    """A mirror gets the token only if `access.settings` trusts mirrors."""
    from modelhub.hubs.huggingface._client import HuggingFace

    return HuggingFace(access)
