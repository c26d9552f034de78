"""What a list is narrowed down by."""

from typing import Annotated

from fastapi import Query

Filter = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text; empty or left out, it narrows nothing."""
