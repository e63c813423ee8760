# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # logs is set by test.sh
# Stages of the test suite that try to break the server, and how much of it the tests reach: see tests/README.md.

stage_faults() {
    need_to_build criterion strace valgrind nginx haproxy slowhttptest readelf
    need_pytest
    build_stage asan || return 0
    run_integration faults tests/faults --server=build/asan/echod
    build_stage release || return 0
    run_integration faults-release tests/faults --server=build/release/echod --suite release
}

# Of the fault cases those where threads meet most: drains and signals under load, and each call that may fail for want of memory.
tsan_faults() {
    run_integration tsan-life tests/faults/test_life.py --server=build/tsan/echod
    run_integration tsan-no-memory tests/faults/test_under_load.py --server=build/tsan/echod -k "calls_fail and ENOMEM"
}

# All that the other stages run against the server, under ThreadSanitizer.
stage_tsan_all() {
    need_integration
    need valgrind haproxy slowhttptest readelf
    need_pytest
    build_stage tsan || return 0
    run_integration tsan-integration tests/integration --server=build/tsan/echod
    run_integration tsan-faults tests/faults --server=build/tsan/echod
    run_integration tsan-life tests/faults/test_life.py --server=build/tsan/echod --suite release
    soak tsan 2
}

# stage_soak [MINUTES]
stage_soak() {
    need_to_build
    build_stage release || return 0
    soak release "${1:-1}"
}

# soak PRESET MINUTES
soak() {
    run soak without_aslr "build/$1" python3 tests/faults/soak.py --server "build/$1/echod" --minutes "$2" --junitxml "$logs/soak.xml"
}

# What measures time, for a machine that does nothing else.
stage_timing() {
    need_to_build slowhttptest
    need_pytest
    build_stage release || return 0
    run_integration timing tests/faults --server=build/release/echod --suite timing -n 0
}

# Lines of common/ and server/ that the units, the integration cases and the fault cases reach.
stage_coverage() {
    need_integration
    need valgrind haproxy slowhttptest readelf gcovr
    need_pytest
    build_stage coverage || return 0
    find build/coverage -name '*.gcda' -exec rm -f {} +
    run_ctest coverage-unit coverage --output-on-failure --label-regex '^unit$' --exclude-regex split_invariance
    run_integration coverage-integration tests/integration --server=build/coverage/echod
    run_integration coverage-faults tests/faults --server=build/coverage/echod
    fewer=''
    gcovr --root . --filter common/ --filter server/ --exclude-unreachable-branches --fail-under-line 95 --sort-uncovered \
        build/coverage >"$logs/coverage.txt" 2>&1 || fewer="fewer are reached"
    cat "$logs/coverage.txt"
    judge coverage "95 % of the lines" "$fewer"
}

# stage_mutants [NAME...] [--resume]: changes of the server's meaning, each of which a test must find.
stage_mutants() {
    need_integration
    need valgrind haproxy slowhttptest readelf git
    need_pytest
    run mutants "$python" tests/mutants/run.py --junitxml "$logs/mutants.xml" "$@"
}
