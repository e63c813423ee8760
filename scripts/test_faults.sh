# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Stages of the test suite that try to break the server: see tests/faults/.

stage_faults() {
    need_to_build criterion python3 strace valgrind nginx haproxy
    build_stage asan || return 0
    run_integration faults --server build/asan/echod --cases tests/faults
    build_stage release || return 0
    run_integration faults-release --server build/release/echod --cases tests/faults --suite release
}

# stage_soak [MINUTES]
stage_soak() {
    need_to_build python3
    build_stage release || return 0
    status=0
    # shellcheck disable=SC2154 # set by test_main
    logged "$logs/soak.log" python3 tests/faults/soak.py --server build/release/echod --minutes "${1:-2}" || status=$?
    tally soak "$status" '^ok ' '^(ok|FAIL) ' <"$logs/soak.log"
}
