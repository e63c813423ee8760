# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The test suite, in stages that each build what they test. The last line counts what passed and failed in all of them;
# before it, what failed is named once more.

stages="unit fuzz valgrind integration faults soak conformance-peers smuggling clients loadtest page tsan deploy image package"
# Only by name: they take long, measure time, or judge the tests.
other_stages="clients-all coverage timing tsan-all package-debian13 restart prometheus docs"

. scripts/fuzz.sh
. scripts/image.sh
. scripts/test_deploy.sh
. scripts/test_faults.sh

# test_main [STAGE [ARGUMENT] | UNIT TEST | INTEGRATION CASE]
test_main() {
    passed=0 failed=0 failures='' stage_name=''
    logs=build/test
    mkdir -p "$logs"
    export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

    if [ $# -eq 0 ]; then
        need_to_build criterion valgrind python3 curl wrk strace
        for name in $stages; do
            run_stage "$name"
        done
    else
        case " $stages $other_stages " in
        *" $1 "*) run_stage "$@" ;;
        *) run_single "$1" ;;
        esac
    fi
    [ $((passed + failed)) -gt 0 ] || count 0 1 "no test ran"
    printf '%s' "$failures"
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}

run_stage() {
    stage_name=$1
    printf '== %s\n' "$1"
    stage=stage_$(printf '%s' "$1" | tr - _)
    shift
    begun=$(date +%s)
    "$stage" "$@"
    printf '== %s took %d s\n' "$stage_name" "$(($(date +%s) - begun))"
}

stage_unit() {
    need_to_build criterion
    build_stage asan || return 0
    run_ctest unit asan --verbose --label-regex '^(unit|stress)$'
}

# A minute for each target; what it has found once is replayed by the units.
stage_fuzz() {
    need_to_build clang libfuzzer python3
    build_stage fuzz || return 0
    fuzz_make_seeds
    fuzz_stage
    tally fuzz 0 '^ok   fuzz ' '^(ok  |FAIL) fuzz ' <"$logs/fuzz.log"
}

stage_valgrind() {
    need_to_build criterion valgrind
    build_stage debug || return 0
    # Every request at every split, every allocation failing, and megabytes byte by byte take too long under Valgrind: AddressSanitizer
    # sees those.
    run_ctest valgrind debug --output-on-failure --label-regex '^valgrind$' --exclude-regex 'split_invariance|session_allocation|session_memory'
}

stage_integration() {
    need_to_build criterion python3 curl wrk strace
    build_stage asan || return 0
    run_integration integration --server build/asan/echod
}

# The conformance documents against other servers: nginx, and Node.js if it is here.
stage_conformance_peers() {
    need python3 nginx
    status=0
    logged "$logs/peers.log" limited 300 python3 tests/integration/peers.py || status=$?
    tally peers.py "$status" '^(ok|differs) ' '^(ok|differs|FAIL) ' <"$logs/peers.log"
}

# Ambiguous requests through every proxy, each followed by a victim.
stage_smuggling() {
    need_to_build python3 pytest pytest-xdist nginx haproxy apache h2o lighttpd
    build_stage asan || return 0
    run_pytest smuggling 300 tests/smuggling -n 6 --server build/asan/echod
}

# What people use, against each mode and through proxies.
stage_clients() {
    need_to_build python3 pytest pytest-xdist requests httpx aiohttp curl node npm go ab nginx haproxy
    build_stage asan || return 0
    run_pytest clients 600 tests/clients -n 3 --server build/asan/echod
}

# The refused uploads of every client in every mode, 20 of each size, and 100 through each proxy.
stage_clients_all() {
    need_to_build python3 pytest pytest-xdist requests httpx aiohttp curl node npm go ab nginx haproxy
    build_stage release || return 0
    run_pytest clients-all 3600 tests/clients -n 3 -k refused --all --server build/release/echod
}

# The load tests' own tests: they bring their servers along.
stage_loadtest() {
    need_to_build criterion wrk clang libfuzzer
    need_report_python
    build_stage asan || return 0
    status=0
    logged "$logs/loadtest.log" limited 600 env SWARM="$PWD/build/asan/swarm" ECHOD_SWARM="$PWD/build/asan/swarm" \
        "$(report_python)" -m unittest discover --verbose -s loadtest/tests || status=$?
    tally unittest "$status" ' \.\.\. ok$' ' \.\.\. (ok|FAIL|ERROR)$' <"$logs/loadtest.log"
}

# The page of the comparison's report, in a browser.
stage_page() {
    need_report_python
    need chromium
    status=0
    logged "$logs/page.log" limited 300 "$(report_python)" -m unittest discover --verbose -s loadtest/tests/browser || status=$?
    tally unittest "$status" ' \.\.\. ok$' ' \.\.\. (ok|FAIL|ERROR)$' <"$logs/page.log"
}

stage_tsan() {
    need_to_build python3 curl wrk strace
    build_stage tsan || return 0
    run_ctest tsan-stress tsan --output-on-failure --label-regex '^stress$' --no-tests=ignore
    run_integration tsan --server build/tsan/echod --suite tsan
    tsan_faults
}

# One unit test by the name of its module, else the integration cases whose names match.
run_single() {
    need_to_build criterion python3 curl wrk strace
    build_stage asan || return 0
    if find tests/unit -name "test_$1.c" -o -name "stress_$1.c" | grep -q .; then
        run_ctest "$1" asan --verbose --tests-regex "^(test|stress)_$1\$"
    else
        run_integration "only" --server build/asan/echod --only "$1"
    fi
}

build_stage() {
    say "building $1 ..."
    if build "$1" >"$logs/build-$1.log" 2>&1; then
        return 0
    fi
    cat "$logs/build-$1.log"
    count 0 1 "the $1 build failed"
    return 1
}

# count PASSED FAILED [WHICH]: a line for each that failed.
count() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    [ -n "${3:-}" ] || return 0
    named=$(printf '%s\n' "$3" | sed "s/^/FAILED${stage_name:+ in $stage_name}: /")
    printf '%s\n' "$named"
    failures="$failures$named
"
}

# logged LOG COMMAND...: the command's output on stdout and in LOG; its status is returned.
logged() {
    log=$1
    shift
    { "$@" 2>&1 && echo 0 >"$log.status" || echo $? >"$log.status"; } | tee "$log" | without_chatter
    return "$(cat "$log.status")"
}

# What ctest says of itself, so that one line for each case of each program is left.
without_chatter() {
    grep --line-buffered -vE \
        '^$|^Updating test list|^Added 0 tests|^test [0-9]+$|^ +Start +[0-9]+|^[0-9]+: (Test command|Working Directory|Test timeout|Environment|\[RUN|$)|^(Internal ctest|UpdateCTest|Constructing a list|Done constr|Checking test|Test project|Label Time|unit +=|stress +=|valgrind +=)' ||
        true
}

# run_ctest NAME PRESET CTEST-ARGUMENTS...
run_ctest() {
    log=$logs/$1.log
    preset=$2
    shift 2
    status=0
    # The stress programs may need the address space laid out as ThreadSanitizer expects it.
    logged "$log" without_aslr "$preset" ctest --test-dir "build/$preset" --parallel "$(nproc)" --no-tests=error "$@" ||
        status=$?
    tally ctest "$status" '^ *[0-9]+/[0-9]+ Test +#[0-9]+: .* Passed ' '^ *[0-9]+/[0-9]+ Test +#[0-9]+: ' <"$log"
}

# tally RUNNER STATUS PASSED-LINE ANY-LINE: counts the lines of a runner's log. One that failed without a failed line
# has failed all the same.
tally() {
    tests=$(grep -E "$4" || true)
    all=$(printf '%s' "$tests" | grep -c '' || true)
    good=$(printf '%s' "$tests" | grep -cE "$3" || true)
    count "$good" $((all - good)) "$(printf '%s' "$tests" | grep -vE "$3" || true)"
    [ "$2" -eq 0 ] || [ "$good" -ne "$all" ] || count 0 1 "$1 ended with status $2"
}

# run_pytest NAME SECONDS FOLDER PYTEST-ARGUMENTS...
run_pytest() {
    log=$logs/$1.log
    seconds=$2
    shift 2
    status=0
    logged "$log" limited "$seconds" env PYTHONDONTWRITEBYTECODE=1 "$(python_with pytest)" -m pytest --quiet -rpfEs -p no:cacheprovider "$@" ||
        status=$?
    tally pytest "$status" '^PASSED ' '^(PASSED|FAILED|ERROR) ' <"$log"
}

# limited SECONDS COMMAND...: in this terminal's foreground, so that Ctrl-C reaches it.
limited() {
    timeout --foreground --kill-after=10 "$@"
}

# run_integration NAME RUNNER-ARGUMENTS...
run_integration() {
    log=$logs/$1.log
    shift
    status=0
    # shellcheck disable=SC2086 # one word or none
    logged "$log" without_aslr "$2" limited "${limit:-1200}" ${launcher:-} python3 tests/integration/run.py "$@" || status=$?
    verdict=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if [ -z "$verdict" ]; then
        count 0 1 "the integration runner gave no verdict"
        return
    fi
    good=${verdict%% *}
    bad=${verdict#*, }
    bad=${bad%% *}
    count "$good" "$bad" "$(grep '^FAIL ' "$log" || true)"
    [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || count 0 1 "the integration runner ended with status $status"
}

# ThreadSanitizer cannot place its shadow memory when the kernel scatters mappings over more than 28 bits.
without_aslr() {
    bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
    target=$1
    shift
    case $target in
    *tsan*) [ "$bits" -le 28 ] || ! setarch "$(uname -m)" -R true 2>/dev/null || set -- setarch "$(uname -m)" -R "$@" ;;
    esac
    "$@"
}
