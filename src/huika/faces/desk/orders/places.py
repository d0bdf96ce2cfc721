"""What places are called."""

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.errors import UnknownCity
from huika.faces.pages import words


def place_of(city: str, district: str) -> str:
    """Name of a district in the page's language."""
    try:
        known = {d.slug: d for d in catalog.districts(city)}
    except UnknownCity:
        return district
    return words.name_of(known[district]) if district in known else district
