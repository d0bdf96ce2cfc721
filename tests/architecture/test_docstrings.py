"""What the source promises about itself: docstrings, small files, and what is kept out of it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.architecture import floors

SOURCES = sorted(p for p in floors.SRC.rglob("*.py") if "migrations" not in p.parts)
TREES = {p: ast.parse(p.read_text()) for p in SOURCES}
MOST_LINES = 400
LONGER = {"huika/kit/safe_http.py": "until it is split"}
MAY_PRINT = ("huika/faces/cli/", "huika_vault/__main__.py", "huika_sandbox/__main__.py")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def name_of(place: Path) -> str:
    """A source file as it is written in messages."""
    return place.relative_to(floors.SRC).as_posix()


def says_what_it_is(node: Definition) -> bool:
    """A docstring; a refusal's own two sentences; an API operation's summary, which the OpenAPI document shows."""
    if ast.get_docstring(node):
        return True
    if isinstance(node, ast.ClassDef):
        names = {
            t.id
            for s in node.body
            if isinstance(s, ast.Assign)
            for x in s.targets
            for t in ast.walk(x)
            if isinstance(t, ast.Name)
        }
        return {"code", "zh", "en"} <= names or any(ast.unparse(b) == "AppConfig" for b in node.bases)
    return any(isinstance(d, ast.Call) and any(k.arg == "summary" for k in d.keywords) for d in node.decorator_list)


def public_definitions(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Public classes and functions of a module; of a port also its calls, since they are the contract."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef) and any(ast.unparse(b) == "Protocol" for b in node.bases):
                yield from ((f"{node.name}.{m.name}", m) for m in node.body if isinstance(m, Definition))


def test_every_public_function_and_class_says_what_it_is() -> None:
    found = [(p, n, d) for p, tree in TREES.items() for n, d in public_definitions(tree)]
    assert len(found) > 400
    assert [f"{name_of(p)}:{d.lineno} {n}" for p, n, d in found if not says_what_it_is(d)] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(p) for p, tree in TREES.items() if tree.body and not ast.get_docstring(tree)]
    assert silent == []


@pytest.mark.parametrize("capability", floors.capabilities())
def test_a_capability_says_what_it_is_for_promises_and_never_does(capability: str) -> None:
    tree = TREES[floors.DOMAIN / capability / "__init__.py"]
    assert len(tree.body) == 1, "one docstring and nothing else"
    words = ast.get_docstring(tree) or ""
    first = words.split("\n\n")[0]
    assert first.endswith(".")
    assert "Promises" in words
    assert "Never" in words
    assert words.index("Promises") < words.index("Never")
    assert not first.startswith(("Promises", "Never"))


def test_no_file_is_long() -> None:
    lines = {name_of(p): len(p.read_text().splitlines()) for p in SOURCES}
    assert {n: c for n, c in lines.items() if c > MOST_LINES and n not in LONGER} == {}
    assert {n for n in LONGER if lines.get(n, 0) <= MOST_LINES} == set(), "no longer an exception: take it off the list"


def imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{a.name}" for a in node.names)


def importers(*prefixes: str) -> list[str]:
    """Files that import something below one of these names."""
    return [
        f"{name_of(p)} imports {n}"
        for p, tree in TREES.items()
        for n in imports(tree)
        if any(n == x or n.startswith(f"{x}.") for x in prefixes)
    ]


def test_no_admin_no_signals() -> None:
    assert (
        importers(
            "django.contrib.admin",
            "django.dispatch",
            "django.db.models.signals",
            "django.core.signals",
            "django.test.signals",
            "django.contrib.auth.signals",
            "django.db.backends.signals",
        )
        == []
    )
    apps = [
        n
        for n, tree in ((name_of(p), t) for p, t in TREES.items())
        for c in ast.walk(tree)
        if isinstance(c, ast.Constant) and isinstance(c.value, str) and c.value.startswith("django.contrib.admin")
    ]
    assert apps == []


def test_only_commands_print() -> None:
    printing = [
        f"{name_of(p)}:{node.lineno}"
        for p, tree in TREES.items()
        if not name_of(p).startswith(MAY_PRINT)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"print", "sys.stdout.write", "sys.stderr.write"}
    ]
    assert printing == []


def test_domain_knows_nothing_above_it_and_the_other_processes_nothing_of_huika() -> None:
    above = tuple(f"huika.{x}" for x in ("adapters", "sim", "faces", "config"))
    assert [x for x in importers(*above) if x.startswith(("huika/domain/", "huika/kit/"))] == []
    assert [x for x in importers("huika", "django") if x.startswith(("huika_vault/", "huika_sandbox/"))] == []
    assert [x for x in importers("huika_vault", "huika_sandbox") if x.startswith("huika/")] == []


def test_settings_are_read_through_django_not_imported() -> None:
    """`huika.config` is named by the environment; importing it would fix one installation's values in the code."""
    assert [x for x in importers("huika.config") if not x.startswith("huika/config/")] == []
