"""The one way in which a file comes from elsewhere: resumed where it stopped, hashed as it comes, published whole.

The rules are those that tools for downloading models keep breaking. A partial file is kept, with a journal beside it,
and is gone on with only when the server proves that the rest belongs to it. Nothing gets its final name before its
bytes are proved. Two processes never write one file.
"""

from modelhub.transfer._fetching import fetch
from modelhub.transfer._many import fetch_all
from modelhub.transfer._nouns import Clock, Failed, Located, Pace, Received, Wanted

__all__ = ["Clock", "Failed", "Located", "Pace", "Received", "Wanted", "fetch", "fetch_all"]
