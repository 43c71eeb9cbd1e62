"""HTTP as this product speaks it: https unless the user allows a host, redirects followed by hand, tokens kept at home.

Every answer that comes from here has passed the rules: the scheme, the address that was really connected to, the hosts
that may see a token. What is asked of a hub and what is downloaded go the same way.
"""

from modelhub.network._answer import Answer, Reply
from modelhub.network._asking import asked_wait
from modelhub.network._network import Network
from modelhub.network._steps import USER_AGENT

__all__ = ["USER_AGENT", "Answer", "Network", "Reply", "asked_wait"]
