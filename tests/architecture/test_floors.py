"""Models against the floor table, and what of a capability others may name at all."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from tests.architecture import floors

MODELS = [m for m in apps.get_models() if m.__module__.startswith("huika.")]
RELATIONS = [(m, f) for m in MODELS for f in m._meta.get_fields() if f.is_relation and not f.auto_created]
SOURCES = sorted(p for p in (floors.SRC / "huika").rglob("*.py") if "migrations" not in p.parts)


def capability_of(model: type[models.Model]) -> str:
    """The capability a model belongs to; `kit` for the house's own."""
    parts = model.__module__.split(".")
    return parts[2] if parts[1] == "domain" else parts[1]


def room_of(place: Path) -> str:
    """The capability of a source file, or the floor of the house it stands on."""
    parts = place.relative_to(floors.SRC / "huika").parts
    return parts[1] if parts[0] == "domain" and len(parts) > 2 else parts[0]


def level(room: str) -> int:
    """Kit lies under every capability."""
    return 0 if room == "kit" else floors.FLOOR[room]


def test_there_are_models_and_relations_to_look_at() -> None:
    assert len(MODELS) > 30
    assert len(RELATIONS) > 20
    assert {capability_of(m) for m in MODELS} <= {"kit", *floors.FLOOR}


@pytest.mark.parametrize(("model", "field"), RELATIONS, ids=[f"{m._meta.label}.{f.name}" for m, f in RELATIONS])
def test_a_relation_points_down_or_stays_at_home(model: type[models.Model], field: models.ForeignKey) -> None:
    assert isinstance(field, models.ForeignKey), "only ForeignKey and OneToOneField; no many-to-many, no generic ones"
    here, there = capability_of(model), field.related_model._meta.app_label
    if there in {"auth", "contenttypes"}:
        pytest.fail(f"{field} points at Django's own table")
    assert here == there or level(there) < level(here), f"{here} (floor {level(here)}) points at {there}"
    assert field.remote_field.on_delete is models.PROTECT
    assert field.remote_field.related_name == "+"


def foreign_keys(place: Path) -> Iterator[ast.Call]:
    """Calls that make a relation."""
    for node in ast.walk(ast.parse(place.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"ForeignKey", "OneToOneField", "ManyToManyField", "GenericForeignKey"}:
                yield node


def test_relations_are_written_as_strings() -> None:
    calls = [(p, c) for p in SOURCES for c in foreign_keys(p)]
    assert len(calls) >= len(RELATIONS)
    bare = [
        f"{p.relative_to(floors.ROOT)}:{c.lineno}"
        for p, c in calls
        if not (c.args and isinstance(c.args[0], ast.Constant) and str(c.args[0].value).count(".") == 1)
    ]
    assert bare == []


def imported(place: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything a file imports, relative imports resolved; also inside functions."""
    package = list(place.relative_to(floors.SRC).with_suffix("").parts)
    for node in ast.walk(ast.parse(place.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: -node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{a.name}") for a in node.names)


def test_another_capability_is_entered_by_its_doors_alone() -> None:
    """Adapters may take its ports too; nobody takes its models, rules, jobs, followers or any other room."""
    wrong, seen = [], 0
    for place in SOURCES:
        room = room_of(place)
        for line, name in imported(place):
            parts = name.split(".")
            if parts[:2] != ["huika", "domain"] or len(parts) < 3 or parts[2] == room:
                continue
            seen += 1
            doors = floors.ADAPTER_DOORS if room == "adapters" else floors.DOORS
            if len(parts) < 4 or parts[3] not in doors:
                wrong.append(f"{place.relative_to(floors.ROOT)}:{line} {name}")
    assert seen > 100
    assert wrong == []


def test_a_capabilitys_rows_are_reached_only_from_inside() -> None:
    """No registry look-ups that go round the doors, and no SQL on somebody else's tables."""
    tables = {m._meta.db_table: capability_of(m) for m in MODELS}
    wrong = []
    for place in SOURCES:
        room = room_of(place)
        tree = ast.parse(place.read_text())
        docs = {
            id(n.body[0].value)
            for n in ast.walk(tree)
            if hasattr(n, "body") and isinstance(n.body, list) and n.body and isinstance(n.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in {"get_model", "_base_manager"}:
                wrong.append(f"{place.relative_to(floors.ROOT)}:{node.lineno} {node.attr}")
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                words = set(node.value.replace("(", " ").replace(",", " ").split())
                wrong += [
                    f"{place.relative_to(floors.ROOT)}:{node.lineno} {t}"
                    for t, owner in tables.items()
                    if t in words and owner != room
                ]
    assert wrong == []
