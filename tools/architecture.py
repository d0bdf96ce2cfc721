"""Write the generated parts of docs/architecture.md: machines, followers, jobs. `--check` only compares."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))
os.environ["DJANGO_SETTINGS_MODULE"] = "huika.config.settings"
os.environ.setdefault("HUIKA_SETTING", "demo")
DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- generated: {} -->", "<!-- end: {} -->"


def machines() -> str:
    """Each machine as a diagram and a table."""
    from huika.domain.field.machine import VISIT
    from huika.domain.settlement.machine import FREEZE, PAYOUT
    from huika.domain.trade.machine import CARD, LOT, ORDER

    parts = []
    for machine in (ORDER, LOT, CARD, VISIT, FREEZE, PAYOUT):
        arrows = [f"    [*] --> {machine.start}"]
        arrows += [
            f"    {s} --> {target}: {step}" for step, (sources, target) in machine.steps.items() for s in sources
        ]
        arrows += [f"    {state} --> [*]" for state in sorted(machine.finals)]
        parts.append("\n".join([f"### {machine.name}", "", "```mermaid", "stateDiagram-v2", *arrows, "```"]))
    return "\n\n".join(parts)


def followers() -> str:
    """Who follows what."""
    from huika.kit.followers import REGISTRY

    rows = ["| follower | kind | follows | does |", "|---|---|---|---|"]
    for name in sorted(REGISTRY):
        f = REGISTRY[name]
        verbs = ", ".join(f"`{v}`" for v in sorted(f.verbs)) or "everything"
        rows.append(f"| `{name}` | {f.kind} | {verbs} | {' '.join(f.about.split())} |")
    return "\n".join(rows)


def jobs() -> str:
    """Every job: what calls other companies or takes long."""
    from huika.kit.jobs import REGISTRY, SWEEPS

    rows = ["| job | runs | does |", "|---|---|---|"]
    for name in sorted(REGISTRY):
        every = f"every {SWEEPS[name]:g} s" if name in SWEEPS else "when deferred"
        rows.append(f"| `{name}` | {every} | {(REGISTRY[name].__doc__ or '').strip().splitlines()[0]} |")
    return "\n".join(rows)


def main() -> int:
    """Replace the generated parts; 1 when --check finds them stale."""
    import django

    django.setup()
    text = known = DOCUMENT.read_text()
    for name, make in (("machines", machines), ("followers", followers), ("jobs", jobs)):
        begin, end = BEGIN.format(name), END.format(name)
        before, rest = text.split(begin, 1)
        text = f"{before}{begin}\n\n{make()}\n\n{end}{rest.split(end, 1)[1]}"
    if "--check" in sys.argv:
        if text != known:
            print("docs/architecture.md is not what the code says: run `make docs`", file=sys.stderr)
        return int(text != known)
    DOCUMENT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
