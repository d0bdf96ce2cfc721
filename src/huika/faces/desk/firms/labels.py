"""Words for what a price book and a recycler are made of."""

from collections.abc import Mapping

from huika.domain.catalog import queries as catalog
from huika.faces.pages import words

PLATFORMS = {
    "ecommerce": ("电商平台", "E-commerce platform"),
    "vertical": ("垂直平台", "Vertical platform"),
    "local": ("本地门店", "Local shop"),
}
FORMS = {"electronic": ("电子", "electronic"), "physical": ("实体", "plastic")}
CONDITIONS = {"intact": ("完好", "intact"), "scratched": ("刮开", "scratched")}
CHANNELS = {"visit": ("上门", "at the door"), "online": ("线上", "online"), "drop_off": ("到店", "in the shop")}


def word(table: Mapping[str, tuple[str, str]], key: str) -> str:
    """The word for a key in the page's language; the key itself where there is none."""
    return words.pick(*table.get(key, (key, key)))


def kind_names() -> dict[str, str]:
    """Kind → its name in the page's language."""
    return {k.slug: words.name_of(k) for k in catalog.kinds()}


def city_names() -> dict[str, str]:
    """City → its name in the page's language."""
    return {c.slug: words.name_of(c) for c in catalog.cities()}
