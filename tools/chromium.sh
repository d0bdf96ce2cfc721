#!/bin/sh
# chromium.sh: print the Chromium on this machine; as root, where there is apt, install it first. Exit 1 when there is none.
set -eu
find_one() {
    for name in chromium chromium-browser google-chrome; do
        place=$(command -v "$name" 2>/dev/null) || continue
        # A name alone is not enough: Ubuntu's chromium-browser is a stub that asks for snap.
        "$place" --version >/dev/null 2>&1 || continue
        echo "$place"
        return 0
    done
    return 1
}
find_one && exit 0
install="apt-get install -y --no-install-recommends chromium fonts-noto-cjk"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing Chromium for the browser tests (once)" >&2
    export DEBIAN_FRONTEND=noninteractive
    $install >/dev/null 2>&1 || { apt-get update -qq >/dev/null 2>&1 && $install >/dev/null 2>&1; } || true
    find_one && exit 0
fi
echo "the browser tests need Chromium and a Chinese font; on Debian: sudo $install" >&2
exit 1
