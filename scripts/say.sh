# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# How the scripts of ./dev talk: progress and errors on stderr.

say() {
    printf '%s\n' "$*" >&2
}

# die STATUS MESSAGE...
die() {
    status=$1
    shift
    say "dev: $*"
    exit "$status"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die 1 "root or sudo is needed for: $*"
    fi
}

have() {
    command -v "$1" >/dev/null 2>&1
}
