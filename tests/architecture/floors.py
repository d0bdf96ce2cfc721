"""The floor table, restated as data, and the import-linter contracts that are generated from it.

`python -m tests.architecture.floors` writes `.importlinter` anew; test_contracts.py fails when it is not up to date.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
DOMAIN = SRC / "huika" / "domain"
CONTRACTS = ROOT / ".importlinter"

HOUSE = ("config", "faces", "sim", "adapters", "domain", "kit")
"""Highest first; each imports only what stands below it."""

FLOORS: tuple[tuple[str, ...], ...] = (
    ("catalog",),
    ("parties", "ledger", "vault", "evidence"),
    ("market", "field", "inspection", "settlement", "stock", "risk", "cover", "tax"),
    ("trade",),
    ("dispute",),
    ("insight",),
)
"""Capabilities from floor 1 upwards; siblings on a floor do not know each other."""

FLOOR = {capability: n for n, floor in enumerate(FLOORS, start=1) for capability in floor}
DOORS = ("actions", "queries", "errors", "types")
"""What others may import of a capability."""
ADAPTER_DOORS = ("ports", "types", "errors")
"""What an adapter may import of a capability."""
OWN = ("models", "rules", "jobs", "followers")
"""What design.md names as a capability's own; whatever else is no door is its own too."""


def capabilities() -> list[str]:
    """Capabilities that exist, by name."""
    return sorted(p.parent.name for p in DOMAIN.glob("*/__init__.py"))


def rooms(capability: str) -> list[str]:
    """Modules and packages directly inside a capability, by name."""
    place = DOMAIN / capability
    found = {p.stem for p in place.glob("*.py")} | {p.parent.name for p in place.glob("*/__init__.py")}
    return sorted(found - {"__init__"})


def private_rooms(capability: str) -> list[str]:
    """What nobody else imports: everything that is neither a door nor a port; Django finds `apps` by its name."""
    return [room for room in rooms(capability) if room not in DOORS and room != "ports"]


def contracts() -> str:
    """`.importlinter` as it should be."""
    exist = capabilities()
    floors = [" | ".join(c if c in exist else f"({c})" for c in floor) for floor in reversed(FLOORS)]
    faces = sorted({p.parent.name for p in (SRC / "huika" / "faces").glob("*/__init__.py")} - {"pages"})
    behind = [f"huika.domain.{c}.{r}" for c in exist for r in rooms(c) if r not in ADAPTER_DOORS]
    parts = [
        "# Written by `python -m tests.architecture.floors` from the floor table there: change that, not this.",
        _section("importlinter", root_packages=["huika", "huika_vault", "huika_sandbox"]),
        _contract(
            "house",
            "Imports run downwards through the house",
            "layers",
            containers=["huika"],
            layers=list(HOUSE),
            exhaustive="True",
        ),
        _contract(
            "capabilities",
            "Capabilities by floor, siblings independent",
            "layers",
            containers=["huika.domain"],
            layers=floors,
            exhaustive="True",
        ),
        _contract(
            "faces",
            "Faces do not know each other; what pages share lies under them",
            "layers",
            containers=["huika.faces"],
            layers=[" | ".join(faces), "pages"],
            exhaustive="True",
        ),
        _contract(
            "processes",
            "Vault and counterparties are tied to the platform by HTTP alone",
            "independence",
            modules=["huika", "huika_vault", "huika_sandbox"],
        ),
        _contract(
            "adapters",
            "Adapters import only a capability's ports, types and errors",
            "forbidden",
            source_modules=["huika.adapters"],
            forbidden_modules=behind,
        ),
        *(
            _contract(
                f"own-{c}",
                f"What is {c}'s own",
                "protected",
                protected_modules=[f"huika.domain.{c}.{r}" for r in private_rooms(c)],
                allowed_importers=[f"huika.domain.{c}"],
            )
            for c in exist
        ),
        *(
            _contract(
                f"ports-{c}",
                f"What {c} needs from outside is for adapters",
                "protected",
                protected_modules=[f"huika.domain.{c}.ports"],
                allowed_importers=[f"huika.domain.{c}", "huika.adapters"],
            )
            for c in exist
            if "ports" in rooms(c)
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _contract(key: str, name: str, kind: str, **options: str | list[str]) -> str:
    return _section(f"importlinter:contract:{key}", name=name, type=kind, **options)


def _section(title: str, **options: str | list[str]) -> str:
    lines = [f"[{title}]"]
    for option, value in options.items():
        lines.append(f"{option} = {value}" if isinstance(value, str) else f"{option} =")
        lines += [] if isinstance(value, str) else [f"    {one}" for one in value]
    return "\n".join(lines)


if __name__ == "__main__":
    CONTRACTS.write_text(contracts())
