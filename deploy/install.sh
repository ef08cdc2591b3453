#!/bin/sh
# 導入と更新 / install, and upgrade: sh deploy/install.sh, as root, from the unpacked release. Doing it twice changes nothing.
#
# Into /opt/sekisho (program), /etc/sekisho (settings, never overwritten), /var/lib/sekisho (journal and blobs, the service's own),
# /var/backups/sekisho (sealed backups of the timer).
# PIP_INDEX_URL or PIP_FIND_LINKS name where packages come from, where that is not the Internet.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
program=/opt/sekisho

[ "$(id -u)" = 0 ] || { echo "install.sh: root only" >&2; exit 1; }

if command -v apt-get > /dev/null && [ -z "${SEKISHO_NO_APT:-}" ]; then
    missing=$(awk '$2 == "run" {print $1}' "$here/deploy/packages.txt" | while read -r name; do
        dpkg-query -W -f='${db:Status-Status}' "$name" 2> /dev/null | grep -qx installed || echo "$name"
    done)
    if [ -n "$missing" ]; then
        apt-get update -qq
        # shellcheck disable=SC2086 - a list of names
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    fi
fi

getent passwd sekisho > /dev/null \
    || useradd --system --user-group --home-dir /var/lib/sekisho --no-create-home --shell /usr/sbin/nologin sekisho

install -d -m 0755 "$program"
install -d -m 0750 -g sekisho /etc/sekisho
install -d -m 0700 -o sekisho -g sekisho /var/lib/sekisho
install -d -m 0700 -o sekisho -g sekisho /var/backups/sekisho

# The new environment is built beside the old one and takes its place whole: a failure leaves what runs as it is.
rm -rf "$program/.venv.new"
python3 -m venv "$program/.venv.new"
"$program/.venv.new/bin/python" -m pip install -q --no-cache-dir --require-hashes -r "$here/deploy/requirements.lock"
"$program/.venv.new/bin/python" -m pip install -q --no-cache-dir --no-deps "$here"
# What is compiled names its source by the place that it will have; one file of a package is for another Python and cannot be compiled.
"$program/.venv.new/bin/python" -m compileall -q -f -s "$program/.venv.new" -p "$program/.venv" "$program/.venv.new/lib" > /dev/null || true
# So do the scripts of a virtual environment with their interpreter.
sed -i "1s|$program/.venv.new/|$program/.venv/|" "$program"/.venv.new/bin/*
rm -rf "$program/.venv.old"
[ ! -d "$program/.venv" ] || mv "$program/.venv" "$program/.venv.old"
mv "$program/.venv.new" "$program/.venv"

rm -rf "$program/deploy"
cp -R "$here/deploy" "$program/deploy"
if [ ! -e /etc/sekisho/sekisho.toml ]; then
    install -m 0640 -g sekisho "$here/deploy/settings/village.toml" /etc/sekisho/sekisho.toml
fi
install -d -m 0755 /etc/systemd/system
install -m 0644 "$here"/deploy/systemd/*.service "$here"/deploy/systemd/*.timer /etc/systemd/system/
ln -sf "$program/.venv/bin/sekisho" /usr/local/bin/sekisho
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
echo "installed: $("$program/.venv/bin/python" -c 'from importlib.metadata import version; print(version("sekisho"))')"
