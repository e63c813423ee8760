# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # logs is set by test.sh
# Stages of the test suite that try to break the server, and how much of it the tests reach: see tests/README.md.

stage_faults() {
    need_to_build criterion python3 strace valgrind nginx haproxy slowhttptest readelf
    build_stage asan || return 0
    run_integration faults --server build/asan/echod --cases tests/faults
    build_stage release || return 0
    run_integration faults-release --server build/release/echod --cases tests/faults --suite release
}

# Of the fault cases those where threads meet most: drains and signals under load, and each call that may fail for want of memory.
tsan_faults() {
    for cases in life: 'under_load: calls fail: *ENOMEM*'; do
        run_integration tsan-faults --server build/tsan/echod --cases tests/faults --suite all --only "$cases"
    done
}

# All that the other stages run against the server, under ThreadSanitizer.
stage_tsan_all() {
    need_to_build python3 curl wrk strace valgrind nginx haproxy slowhttptest readelf
    build_stage tsan || return 0
    run_integration tsan-integration --server build/tsan/echod
    run_integration tsan-faults --server build/tsan/echod --cases tests/faults
    run_integration tsan-life --server build/tsan/echod --cases tests/faults --suite release --only life:
    soak tsan 2
}

# stage_soak [MINUTES]
stage_soak() {
    need_to_build python3
    build_stage release || return 0
    soak release "${1:-2}"
}

# soak PRESET MINUTES
soak() {
    status=0
    logged "$logs/soak.log" without_aslr "build/$1" python3 tests/faults/soak.py --server "build/$1/echod" --minutes "$2" || status=$?
    tally soak "$status" '^ok ' '^(ok|FAIL) ' <"$logs/soak.log"
}

# What measures time, for a machine that does nothing else.
stage_timing() {
    need_to_build python3 slowhttptest
    build_stage release || return 0
    run_integration timing --server build/release/echod --cases tests/faults --suite timing --jobs 1
}

# Lines of common/ and server/ that the units, the integration cases and the fault cases reach.
stage_coverage() {
    need_to_build criterion python3 curl wrk strace valgrind nginx haproxy slowhttptest readelf gcovr
    build_stage coverage || return 0
    find build/coverage -name '*.gcda' -exec rm -f {} +
    run_ctest coverage-unit coverage --output-on-failure --label-regex '^unit$' --exclude-regex split_invariance
    run_integration coverage --server build/coverage/echod
    run_integration coverage-faults --server build/coverage/echod --cases tests/faults
    status=0
    logged "$logs/coverage.txt" gcovr --root . --filter common/ --filter server/ \
        --exclude-unreachable-branches --fail-under-line 95 --sort-uncovered build/coverage || status=$?
    if [ "$status" -eq 0 ]; then
        count 1 0
    else
        count 0 1 "fewer than 95 % of the lines are reached"
    fi
}
