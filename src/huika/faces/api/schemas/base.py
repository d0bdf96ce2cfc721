"""Words that several schemas share."""

from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import ConfigDict

Fen = Annotated[int, Field(strict=True, ge=1, le=10_000_000_00, description="fen (1/100 yuan)")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,60}$")]
Code = Annotated[str, Field(pattern=r"^\d{6}$", description="six digits")]
UUID_EXAMPLE = "019a7c3e-5b0e-7c1c-9b57-0d6d1c2f8e11"


class In(Schema):
    """Unknown fields are refused, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """RFC 9457. `title` is Chinese, `detail` English, `code` stable."""

    type: str
    title: str
    detail: str
    status: int
    code: str
    data: dict[str, Any]


class Done(Schema):
    """It was done, or will be."""

    ok: bool = True


class PartOut(Schema):
    """A named amount in fen."""

    code: str
    fen: int
