#!/bin/sh
# setup.sh PYTHON VENV REQUIREMENTS: a virtual environment with exactly these pinned packages, and the project in it.
# Two runs at once wait for each other.
set -eu
python=$1 venv=$2 requirements=$3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "huika needs Python 3.11 or later; $("$python" --version) is what '$python' gives. Set PYTHON=…" >&2
    exit 1
}
mkdir -p "$venv"
exec 9>"$venv/.lock"
flock 9 2>/dev/null || true
if [ ! -x "$venv/bin/python" ]; then
    echo "setting up $venv (once)"
    "$python" -m venv "$venv" || {
        echo "python3 cannot make a virtual environment; on Debian: apt install python3-venv" >&2
        exit 1
    }
fi
"$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes -r "$requirements"
# The project itself by a path file: nothing is built, nothing else is installed.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$PWD/src" >"$site/huika.pth"
cat >"$venv/bin/huika" <<EOF
#!$PWD/$venv/bin/python
import sys
from huika.faces.cli.main import main
sys.exit(main())
EOF
chmod +x "$venv/bin/huika"
"$venv/bin/python" tools/assets.py
