"""HTTP bodies, by the noun that they are about."""

from pydantic import BaseModel, ConfigDict


class In(BaseModel):
    """Nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)
