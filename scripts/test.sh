# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # python is set by need_python
# The test suite, in stages that each build what they test. Each program that tests leaves a JUnit file, build/test/NAME.xml.
# The last line counts the cases that passed and failed in all of them; before it, what failed is named once more.

stages="unit fuzz valgrind page package conformance-peers integration faults soak smuggling clients tsan deploy loadtest image loadtest-alone"
# A run of all stages runs these in the background, beside the others.
beside="unit valgrind fuzz page conformance-peers package"
# Only by name: they take long, measure time, or judge the tests.
other_stages="valgrind-all clients-all coverage mutants timing tsan-all package-debian13 restart prometheus docs"

. scripts/fuzz.sh
. scripts/image.sh
. scripts/test_deploy.sh
. scripts/test_faults.sh

# test_main [STAGE [ARGUMENT] | UNIT TEST | PYTEST EXPRESSION]
test_main() {
    case ${1:-} in
    -h | --help)
        test_usage
        return
        ;;
    -*) die 2 "test: unknown option '$1'; ./dev test --help lists what can be run" ;;
    esac
    check_name "$@"
    results='' stage_name='' second_try='' ahead='' shown=''
    logs=build/test
    mkdir -p "$logs"
    rm -f "$logs/image.built" "$logs"/*.beside "$logs"/*.results
    need python3
    put_python_first
    export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
    export ASAN_OPTIONS="${ASAN_OPTIONS:-handle_sigill=1}" # a trap of UBSan prints its stack
    trap sum_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM

    if [ $# -eq 0 ]; then
        export second_try=yes
        need_to_build criterion
        do_ahead asan
        need_all
        end_ahead
        # shellcheck disable=SC2086 # a list of names
        do_ahead release tsan image root $beside
        for name in $stages; do
            case " $beside " in
            *" $name "*) continue ;;
            esac
            # The image has been built by then. What measures time runs last, when nothing runs beside it.
            [ "$name" != image ] || end_beside
            run_stage "$name"
            show_beside
        done
    else
        case " $stages $other_stages " in
        *" $1 "*) run_stage "$@" ;;
        *) run_single "$1" ;;
        esac
    fi
}

# check_name [STAGE [ARGUMENT] | UNIT TEST | PYTEST EXPRESSION]: ends the program if they make no sense.
check_name() {
    [ $# -gt 0 ] || return 0
    case " $stages $other_stages " in
    *" $1 "*)
        case "$# $1" in
        "1 "* | *" mutants" | *" soak") ;;
        *) die 2 "test: $2: one stage at a time" ;;
        esac
        ;;
    *)
        [ $# -le 1 ] || die 2 "test: $2: one name or expression; quote an expression"
        case ${1%%::*} in
        *.py) [ -e "${1%%::*}" ] || die 2 "test: there is no file ${1%%::*}" ;;
        esac
        ;;
    esac
}

# The python3 of a version manager is a shell script that looks for the real one, which takes a third of a second each time; the tests start
# hundreds.
put_python_first() {
    real=$(python3 -c 'import os, sys; print(os.path.dirname(sys.executable))')
    [ ! -x "$real/python3" ] || [ "$(dirname "$(command -v python3)")" = "$real" ] || export PATH="$real:$PATH"
}

test_usage() {
    cat <<TEXT
usage: ./dev test [STAGE | UNIT TEST | CASES]

  STAGE       one of: $stages
              by name only: $other_stages
  UNIT TEST   budget for tests/unit/base/test_budget.c
  CASES       a file, an id of pytest, or an expression: "drain and not pool"

Without an argument all stages of the first list are run, these beside the others: $beside.
TEXT
}

# need_all: what any of the stages needs. A few calls of the package manager take less time than one for each stage.
need_all() {
    # shellcheck disable=SC2086 # a list of names
    need_pytest requests httpx aiohttp prometheus_client $report_modules
    need_integration
    need clang libfuzzer valgrind slowhttptest readelf gdb haproxy apache h2o lighttpd node npm go ab chromium mandoc zsh fish systemd logrotate \
        prometheus git lintian file dpkg-dev debootstrap
    [ "$(image_tool)" != buildah ] || need buildah
}

# do_ahead PRESET|image|root|STAGE...: see ahead.sh. Only a little less urgent than the rest, because its tests have limits of time, too. It
# has a session of its own, so that sum_up can end all of it. A shell makes what runs in the background ignore the signals of Ctrl-C,
# which tests send.
do_ahead() {
    setsid nice -n 5 env --default-signal=INT,QUIT scripts/ahead.sh "$@" >"$logs/ahead.log" 2>&1 &
    ahead=$!
}

end_ahead() {
    wait "$ahead" || true
    ahead=''
}

# Waits for the stages that run beside others.
end_beside() {
    end_ahead
    show_beside
    for awaited in $beside; do
        [ -e "$logs/$awaited.results" ] || judge "$awaited" "$awaited" "it did not end: see $logs/$awaited.beside and $logs/ahead.log"
    done
}

# What the stages that have ended beside others have said.
show_beside() {
    for ended in $beside; do
        case " $shown " in
        *" $ended "*) continue ;;
        esac
        [ -e "$logs/$ended.results" ] || continue
        shown="$shown $ended"
        cat "$logs/$ended.beside"
        results="$results $(cat "$logs/$ended.results")"
    done
}

# However the run has ended: what failed, and the sum.
sum_up() {
    status=$?
    trap - EXIT
    [ -z "$ahead" ] || kill -s TERM -- "-$ahead" 2>/dev/null || true
    [ "$status" -eq 0 ] || judge run "${stage_name:-test}" "it ended with status $status" >/dev/null
    # shellcheck disable=SC2086 # a list of names without spaces
    python3 scripts/junit.py sum $results || exit 1
    exit 0
}

# run_stage_beside STAGE: what it says is in build/test/STAGE.beside; STAGE.results, the names of its files, is there when it has ended.
run_stage_beside() {
    results=''
    run_stage "$1" >"$logs/$1.beside" 2>&1
    printf '%s\n' "$results" >"$logs/$1.results.new"
    mv "$logs/$1.results.new" "$logs/$1.results"
}

run_stage() {
    stage_name=$1
    printf '== %s\n' "$1"
    stage=stage_$(printf '%s' "$1" | tr - _)
    shift
    begun=$(date +%s) used=$(children_seconds)
    "$stage" "$@"
    printf '== %s took %d s, and %d s of CPU time\n' "$stage_name" "$(($(date +%s) - begun))" "$(($(children_seconds) - used))"
}

# CPU time of the processes that this one has started and that have ended, from proc(5).
children_seconds() {
    awk -v "ticks=$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%d", ($14 + $15) / ticks }' "/proc/$$/stat"
}

stage_unit() {
    need_to_build criterion
    build_stage asan || return 0
    run_ctest unit asan --verbose --label-regex '^(unit|stress)$'
    [ -z "$second_try" ] || try_again_alone unit run_one_unit
}

# Six seconds for each target; what it has found once is replayed by the units.
stage_fuzz() {
    need_to_build clang libfuzzer
    build_stage fuzz || return 0
    fuzz_make_seeds
    for target in $(fuzz_targets); do
        expect "fuzz-$target"
    done
    fuzz_stage
}

stage_valgrind() {
    need_to_build criterion valgrind
    build_stage debug valgrind_tests || return 0
    valgrind_units valgrind '^valgrind$'
}

stage_valgrind_all() {
    need_to_build criterion valgrind
    build_stage debug valgrind_tests || return 0
    build_stage debug || return 0
    valgrind_units valgrind-all '^valgrind'
}

# valgrind_units NAME LABELS
valgrind_units() {
    # Every request at every split, every allocation failing, and megabytes byte by byte take too long under Valgrind: AddressSanitizer
    # sees those.
    run_ctest "$1" debug --output-on-failure --label-regex "$2" --exclude-regex 'split_invariance|session_allocation|session_memory'
}

stage_integration() {
    need_integration
    need_pytest
    build_stage asan || return 0
    run_integration integration tests/integration tests/runner --server=build/asan/echod
}

need_integration() {
    need_to_build criterion curl wrk strace h2load nginx
}

# The conformance documents against other servers: nginx, and Node.js if it is here.
stage_conformance_peers() {
    need nginx
    run peers limited 900 python3 tests/integration/peers.py --junitxml "$logs/peers.xml"
}

# Ambiguous requests through every proxy, each followed by a victim.
stage_smuggling() {
    need_to_build nginx haproxy apache h2o lighttpd
    need_pytest
    build_stage asan || return 0
    run_pytest smuggling 300 tests/smuggling -n 6 --server=build/asan/echod
}

# What people use, against each mode and through proxies.
stage_clients() {
    need_to_build curl node npm go ab nginx haproxy
    need_pytest requests httpx aiohttp
    build_stage asan || return 0
    run_pytest clients 900 tests/clients -n "$((2 * $(nproc)))" --server=build/asan/echod
}

# The refused uploads of every client in every mode, 20 of each size, and 100 through each proxy.
stage_clients_all() {
    need_to_build curl node npm go ab nginx haproxy
    need_pytest requests httpx aiohttp
    build_stage release || return 0
    run_pytest clients-all 3600 tests/clients -n 3 -k refused --all --server=build/release/echod
}

# The load tests' own tests: they bring their servers along.
stage_loadtest() {
    build_for_load_tests || return 0
    run_pytest loadtest 1500 loadtest/tests -m "not alone" -n "$((2 * $(nproc)))"
}

# Those of them that measure, when nothing runs beside them.
stage_loadtest_alone() {
    build_for_load_tests || return 0
    run_pytest loadtest-alone 600 loadtest/tests -m alone
}

build_for_load_tests() {
    need_to_build criterion wrk clang libfuzzer gdb
    # shellcheck disable=SC2086 # a list of names
    need_pytest $report_modules prometheus_client
    export SWARM="$PWD/build/asan/swarm"
    build_stage asan && build_stage release # the comparison's tests run the swarm that the comparison runs
}

# The page of the comparison's report, in a browser.
stage_page() {
    need chromium
    # shellcheck disable=SC2086 # a list of names
    need_pytest $report_modules
    run_pytest page 900 loadtest/tests/browser
}

stage_tsan() {
    need_integration
    need_pytest
    build_stage tsan || return 0
    run_ctest tsan-stress tsan --output-on-failure --label-regex '^stress$' --no-tests=ignore
    run_integration tsan tests/integration --server=build/tsan/echod --suite tsan
    tsan_faults
}

# One unit test by the name of its module, else the integration cases that match a pytest expression, or those of a file or an id.
run_single() {
    need_integration
    build_stage asan || return 0
    if [ -n "$(find tests/unit -name "test_$1.c" -o -name "stress_$1.c")" ]; then
        run_ctest "$1" asan --verbose --tests-regex "^(test|stress)_$1\$"
    else
        need_pytest
        # A few cases are found and run in less time than several workers take to find them. Of a test function's whole name only its
        # files are read.
        case $1 in
        *::* | *.py) run_integration cases "$1" --server=build/asan/echod -n 0 ;;
        test_*[!a-z0-9_]*) run_integration cases tests/integration tests/runner --server=build/asan/echod -k "$1" ;;
        test_*)
            files=$(grep -rl --include "test_*.py" "^def $1(" tests/integration tests/runner || echo tests/integration)
            # shellcheck disable=SC2086 # a list of names without spaces
            run_integration cases $files --server=build/asan/echod -k "$1" -n 0
            ;;
        *) run_integration cases tests/integration tests/runner --server=build/asan/echod -k "$1" ;;
        esac
        case $(cat "$logs/cases.status") in
        4 | 5) say "test: '$1' is not a stage, a unit test or a case; ./dev test --help lists what can be run" ;;
        esac
    fi
}

# need_pytest MODULE...: sets python to an interpreter that has pytest, its plugins, what reads traces, and these.
need_pytest() {
    need_python pytest xdist pytest_timeout jsonschema "$@"
}

# build_stage PRESET [TARGET]
build_stage() {
    say "building $1 ..."
    if build "$@" >"$logs/build-$1.log" 2>&1; then
        return 0
    fi
    cat "$logs/build-$1.log"
    judge "build-$1" "$1" "it cannot be built"
    return 1
}

# expect NAME: at the end of the run there must be results in build/test/NAME.xml.
expect() {
    rm -f "$logs/$1.xml"
    case " $results " in
    *" $logs/$1.xml "*) ;;
    *) results="$results $logs/$1.xml" ;;
    esac
}

# judge NAME CASE [FAILURE]: the one case of build/test/NAME.xml.
judge() {
    expect "$1"
    python3 scripts/junit.py case "$logs/$1.xml" "$2" "${3:-}"
    python3 scripts/junit.py end "$logs/$1.xml" 0
}

# run NAME COMMAND...: a program that leaves its results in build/test/NAME.xml; its output is on stdout and in NAME.log.
run() {
    expect "$1"
    file=$logs/$1
    shift
    logged "$file" "$@"
    python3 scripts/junit.py end "$file.xml" "$(cat "$file.status")"
}

# logged FILE COMMAND...: its output is on stdout and in FILE.log, its status in FILE.status.
logged() {
    file=$1
    shift
    { "$@" 2>&1 && echo 0 >"$file.status" || echo $? >"$file.status"; } | tee "$file.log" | without_chatter
}

# What ctest and pytest say of themselves, so that one line for each case is left.
without_chatter() {
    grep --line-buffered -vE \
        '^$|^Updating test list|^Added 0 tests|^test [0-9]+$|^ +Start +[0-9]+|^[0-9]+: (Test command|Working Directory|Test timeout|Environment|\[RUN|$)|^(Internal ctest|UpdateCTest|Constructing a list|Done constr|Checking test|Test project|Label Time|unit +=|stress +=|valgrind +=)|^[^ ]+\.py::.* $' ||
        true
}

# run_ctest NAME PRESET CTEST-ARGUMENTS...
run_ctest() {
    test_name=$1 preset=$2
    shift 2
    # The stress programs may need the address space laid out as ThreadSanitizer expects it.
    run "$test_name" without_aslr "$preset" ctest --test-dir "build/$preset" --output-junit "$PWD/$logs/$test_name.xml" \
        --parallel "$(nproc)" --no-tests=error "$@"
}

# run_pytest NAME SECONDS PYTEST-ARGUMENTS...
run_pytest() {
    test_name=$1 seconds=$2
    shift 2
    run "$test_name" pytest_limited "$seconds" "$test_name" "$@"
    [ -z "$second_try" ] || try_again "$test_name" "$@"
}

# pytest_limited SECONDS NAME PYTEST-ARGUMENTS...: the results are in build/test/NAME.xml.
pytest_limited() {
    seconds=$1 xml=$logs/$2.xml
    shift 2
    # shellcheck disable=SC2086 # several words or none
    without_aslr "$*" limited "$seconds" ${launcher:-} env PYTHONDONTWRITEBYTECODE=1 PROGRAMS_ARE_HERE=1 "$python" -m pytest \
        --rootdir . --verbose -rs -o junit_family=xunit1 --junitxml "$xml" "$@"
}

# try_again NAME PYTEST-ARGUMENTS...: try_again_alone for cases of pytest.
try_again() {
    first=$1
    shift
    for argument; do
        shift
        case $argument in
        --server=* | --launched | --modes=*) set -- "$@" "$argument" ;;
        esac
    done
    try_again_alone "$first" pytest_limited 600 "$first-again" "$@"
}

# try_again_alone NAME COMMAND...: in a whole run a few cases that failed beside others run once more, each by itself. Those that pass
# count as passed, and the sum calls them flaky. The command is given the case's id, and leaves its results in build/test/NAME-again.xml.
try_again_alone() {
    first=$logs/$1.xml second=$logs/$1-again ids=$logs/$1.again
    shift
    rm -f "$second".*
    python3 scripts/junit.py again "$first" >"$ids"
    while IFS= read -r id; do
        rm -f "$second.xml"
        printf 'once more, alone: %s\n' "$id"
        logged "$second" "$@" "$id" </dev/null
        python3 scripts/junit.py merge "$first" "$second.xml"
        rm -f "$second.xml"
    done <"$ids"
}

# run_one_unit TEST
run_one_unit() {
    ctest --test-dir build/asan --output-junit "$PWD/$logs/unit-again.xml" --no-tests=error --verbose --tests-regex "^$1\$"
}

# limited SECONDS COMMAND...: in this terminal's foreground, so that Ctrl-C reaches it.
limited() {
    timeout --foreground --signal=INT --kill-after=30 "$@"
}

# run_integration NAME PYTEST-ARGUMENTS...: cases that start servers; those marked `alone` wait until no other runs.
run_integration() {
    test_name=$1
    shift
    run_pytest "$test_name" "${limit:-1200}" -n "$((4 * $(nproc)))" "$@"
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
