"""What every part of a request is: frozen, and without a field that we do not know."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Said"]


class Said(BaseModel):
    """Words of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid")
