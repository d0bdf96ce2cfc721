"""Changes of the catalogue: there is one, taking over the data files."""

from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from huika.domain.catalog import files, models, queries, shelf
from huika.domain.catalog.types import LoadReport
from huika.kit import events
from huika.kit.change import action
from huika.kit.locks import transaction_lock

CATALOGUE: Final = UUID("5f0c7c5e-3c53-5c0e-9d0a-6b1f4d2f7a10")
"""The subject of the catalogue's events."""


@action
def load(folder: Path = files.OWN_FOLDER) -> LoadReport:
    """Take over the data files: add rows that are new, rewrite rows that differ, touch nothing else.

    One transaction: a folder that does not hold together changes nothing. Rows that no file lists are left alone,
    since orders may refer to them; to stop buying a kind, set its policy. Raises CatalogDataError, OSError.
    """
    book = files.book(folder)
    # Two loads at once would both see a row as new.
    transaction_lock("catalog.load")
    counts = {"created": 0, "changed": 0, "unchanged": 0, "unlisted": 0}
    for model, values in shelf.tables(book):
        for outcome, rows in _take_over(model, [shelf.columns(v) for v in values]).items():
            counts[outcome] += rows
    edition = shelf.digest(shelf.read())
    before = models.Edition.objects.filter(id=1, digest=edition).exists()
    if not before:
        models.Edition.objects.update_or_create(id=1, defaults={"digest": edition})
        events.record("catalog.loaded", CATALOGUE, {"edition": edition, **counts})
        transaction.on_commit(queries.forget)
    return LoadReport(**counts, edition=edition)


def _take_over(model: type[Model], wanted: list[dict[str, Any]]) -> dict[str, int]:
    """Make the table's rows equal to `wanted`; how many were created, changed, unchanged, unlisted."""
    key = model._meta.pk.name
    known = model._default_manager.in_bulk()
    created = [model(**w) for w in wanted if w[key] not in known]
    changed = [
        model(**w) for w in wanted if w[key] in known and any(getattr(known[w[key]], c) != v for c, v in w.items())
    ]
    model._default_manager.bulk_create(created)
    if changed:
        names = [f.name for f in model._meta.concrete_fields if not f.primary_key]
        model._default_manager.bulk_update(changed, names)
    return {
        "created": len(created),
        "changed": len(changed),
        "unchanged": len(wanted) - len(created) - len(changed),
        "unlisted": len(known.keys() - {w[key] for w in wanted}),
    }
