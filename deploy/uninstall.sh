#!/bin/sh
# 撤去 / uninstall: sh /opt/sekisho/deploy/uninstall.sh, as root. Settings and data stay; --everything removes those too, for good.
set -eu

[ "$(id -u)" = 0 ] || { echo "uninstall.sh: root only" >&2; exit 1; }

if [ -d /run/systemd/system ]; then
    systemctl disable --now sekisho-backup.timer sekisho.service 'sekisho@*.service' 2> /dev/null || true
fi
rm -f /etc/systemd/system/sekisho.service /etc/systemd/system/sekisho@.service /usr/local/bin/sekisho
rm -f /etc/systemd/system/sekisho-backup.service /etc/systemd/system/sekisho-backup.timer
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
if [ "${1:-}" = --everything ]; then
    rm -rf /etc/sekisho /var/lib/sekisho
    getent passwd sekisho > /dev/null && userdel sekisho
fi
rm -rf /opt/sekisho
