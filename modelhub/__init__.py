"""ModelHub's catalog: what models are, what they have, and where they come from.

This package imports neither torch nor any model library, so it answers at once and runs on a NAS.
"""

from modelhub.errors import ModelHubError
from modelhub.jobs import Cancel, Done, Job, Notice, Preview, Progress, Step, drain
from modelhub.kinds import Artifact, Evidence, Facts, Kind, Location, Source
from modelhub.refs import ModelRef, WeightedRef

__version__ = "0.1.0"

__all__ = [
    "Artifact",
    "Cancel",
    "Done",
    "Evidence",
    "Facts",
    "Job",
    "Kind",
    "Location",
    "ModelHubError",
    "ModelRef",
    "Notice",
    "Preview",
    "Progress",
    "Source",
    "Step",
    "WeightedRef",
    "__version__",
    "drain",
]
