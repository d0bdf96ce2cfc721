"""Words that several schemas share."""

import re
import unicodedata
from datetime import date
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import AwareDatetime, BeforeValidator, ConfigDict, field_validator

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _written(value: object) -> object:
    # Left alone, a number is taken for seconds since 1970, as text too.
    if isinstance(value, int | float) or (isinstance(value, str) and not _ISO.match(value)):
        raise ValueError("ISO 8601, as text")
    return value


Fen = Annotated[int, Field(strict=True, ge=1, le=10_000_000_00, description="fen (1/100 yuan)")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,60}$")]
Code = Annotated[str, Field(pattern=r"^[0-9]{6}$", description="six digits")]
Day = Annotated[date, BeforeValidator(_written)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
UUID_EXAMPLE = "019a7c3e-5b0e-7c1c-9b57-0d6d1c2f8e11"


class In(Schema):
    """Unknown fields are refused, so that a misspelt one is not silently lost; so is text that nobody can read."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*")
    @classmethod
    def readable(cls, value: Any) -> Any:
        """Text without control characters and lone surrogates, which PostgreSQL does not hold."""
        if isinstance(value, str) and any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
            raise ValueError("has characters that cannot be written")
        return value


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
