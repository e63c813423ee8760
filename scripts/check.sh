# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # python is set by need_python
# Formatters, linters and static analysis. Each checker says what it found; the last line counts them.

checkers="format layers shell python clang tidy cppcheck manifests"

# check_main [--staged | CHECKER...]
check_main() {
    if [ "${1:-}" = --staged ]; then
        [ $# -eq 1 ] || die 2 "check: --staged stands alone"
        need git python3 clang-format cppcheck shellcheck flake8
        check_staged
        exit 0
    fi
    need_to_build criterion python3 clang clang-format clang-tidy cppcheck shellcheck flake8 prometheus
    need_python yaml pytest pytest_timeout
    passed=0 failed=0
    # shellcheck disable=SC2086 # a list of names
    [ $# -gt 0 ] || set -- $checkers
    for checker in "$@"; do
        case " $checkers " in
        *" $checker "*) ;;
        *) die 2 "check: no checker '$checker'; there are: $checkers" ;;
        esac
        printf '== %s\n' "$checker"
        if ("check_$checker") 2>&1; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            printf 'FAILED: %s\n' "$checker"
        fi
    done
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}

# Formatters and linters on the staged content of the staged files: what a commit would hold, whatever the work tree has.
check_staged() {
    staged=build/staged
    rm -rf "$staged"
    git diff --cached --name-only --diff-filter=ACMR -z | git checkout-index --force --prefix="$staged/" -z --stdin
    [ -d "$staged" ] || die 0 "check: nothing is staged"
    status=0
    find "$staged" -name '*.[ch]' -exec clang-format --dry-run -Werror {} + || status=1
    [ -z "$(find "$staged" -name '*.[ch]' -o -name '*.py')" ] || check_staged_layers || status=1
    linted=$(find "$staged" -name '*.c' \( -path "$staged/common/*" -o -path "$staged/server/*" -o -path "$staged/loadtest/swarm/*" \))
    # shellcheck disable=SC2086 # a list of names without spaces
    [ -z "$linted" ] || cppcheck_files $linted || status=1
    scripts=$(find "$staged" -type f \( -name '*.sh' -o -exec grep -qE '^#!/(usr/)?bin/(env )?(ba)?sh' {} \; \) -print)
    # shellcheck disable=SC2086
    [ -z "$scripts" ] || shellcheck -x $scripts || status=1
    find "$staged" -name '*.py' -exec env PYTHONPYCACHEPREFIX=build/pycache python3 -m py_compile {} + || status=1
    flake8 --select=F "$staged" || status=1
    rm -rf "$staged"
    [ "$status" -eq 0 ] || die 1 "check: the staged files have the faults above"
    say "check: the staged files are clean"
}

# The layers of all files, as the commit would hold them: an arrow may begin or end at a file that is not staged.
check_staged_layers() {
    whole=build/staged-layers
    rm -rf "$whole"
    git ls-files -z common server deploy loadtest | git checkout-index --force --prefix="$whole/" -z --stdin
    arrows=0
    check_layers "$whole" || arrows=1
    rm -rf "$whole"
    return "$arrows"
}

c_files() {
    for folder in common server loadtest tests; do
        [ ! -d "$folder" ] || find "$folder" -name '*.[ch]'
    done
}

check_format() {
    c_files | xargs clang-format --dry-run -Werror
}

# Dependencies point one way. check_layers [TREE]
check_layers() {
    python3 scripts/layers.py "$@"
}

check_shell() {
    scripts=$(grep -rlE '^#!/bin/(ba)?sh|^#!/usr/bin/env (ba)?sh' --exclude-dir=build --exclude-dir=.git .)
    # shellcheck disable=SC2086 # a list of names without spaces
    shellcheck -x $scripts scripts/*.sh
}

# Names that are not there or not used.
check_python() {
    find . -name '*.py' -not -path './build/*' -exec env PYTHONPYCACHEPREFIX=build/pycache python3 -m py_compile {} + &&
        flake8 --select=F --exclude=build .
}

check_clang() {
    build clang
}

check_tidy() {
    [ -f build/clang/compile_commands.json ] || build clang >/dev/null 2>&1 || return 1
    status=0
    found=$(find common server loadtest/swarm -name '*.c' -print0 |
        xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/clang --quiet 2>&1) || status=$?
    printf '%s\n' "$found" | grep -vE '^$|^[0-9]+ warnings? generated' || true
    return "$status"
}

check_cppcheck() {
    cppcheck_files -j "$(nproc)" common server loadtest/swarm
}

# Cppcheck reads no system headers; without the macros of this one it takes the head of a list for a syntax error.
cppcheck_files() {
    queue=$(printf '#include <sys/queue.h>\n' | cc -E - | sed -n 's,^# 1 "\(.*sys/queue.h\)".*,\1,p' | head -n 1)
    cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=missingIncludeSystem --suppress=internalAstError --include="$queue" \
        -D_GNU_SOURCE= -DECHOD_VERSION='""' -I . "$@"
}

# What is deployed on Kubernetes and by compose; kubectl is used where there is one.
check_manifests() {
    PYTHONDONTWRITEBYTECODE=1 "$python" -m pytest --quiet tests/deploy/test_manifests.py
}
