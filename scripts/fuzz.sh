# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # logs is set by test.sh
# The fuzz targets of tests/fuzz, run from the inputs committed there, those made of the conformance documents, and those found in
# earlier runs (build/fuzz/corpus). What breaks a rule is left in build/fuzz/found.

fuzz_seconds=${fuzz_seconds:-60}

fuzz_targets() {
    find tests/fuzz -name 'fuzz_*.c' | sed 's,.*/fuzz_\(.*\)\.c,\1,' | sort
}

# fuzz_main [TARGET] [SECONDS]: all targets, one after the other, if none is named.
fuzz_main() {
    targets=$(fuzz_targets | tr '\n' ' ')
    if [ $# -gt 0 ]; then
        case " $targets" in
        *" $1 "*) ;;
        *) die 2 "fuzz: no target $1; there are: $targets" ;;
        esac
        targets=$1
    fi
    seconds=${2:-$fuzz_seconds}
    case $seconds in
    '' | *[!0-9]*) die 2 "fuzz: '$seconds' is not a number of seconds" ;;
    esac
    fuzz_prepare
    for target in $targets; do
        say "== fuzz $target, $seconds s"
        fuzz_run "$target" "$seconds" || die 1 "fuzz: $target: the input is build/fuzz/found/$target-*"
    done
}

fuzz_prepare() {
    need_to_build clang libfuzzer python3
    build_quietly fuzz
    fuzz_make_seeds
}

fuzz_make_seeds() {
    mkdir -p build/fuzz/found
    rm -rf build/fuzz/seeds
    python3 tests/fuzz/seeds.py build/fuzz/seeds
}

# fuzz_run TARGET SECONDS
fuzz_run() {
    dictionary=http
    case $1 in
    options | listen_spec | number) dictionary=options ;;
    response | proxy_header) dictionary=$1 ;;
    esac
    mkdir -p "build/fuzz/corpus/$1"
    program=build/fuzz/fuzz/fuzz_$1
    limit=$2
    set -- "build/fuzz/corpus/$1" "tests/fuzz/corpus/$1" "tests/fuzz/regressions/$1" "build/fuzz/seeds/$1"
    target=${1##*/}
    for folder; do
        shift
        [ ! -d "$folder" ] || set -- "$@" "$folder"
    done
    nice "$program" -max_total_time="$limit" -timeout=60 -print_final_stats=1 -artifact_prefix="build/fuzz/found/$target-" \
        -dict="tests/fuzz/dictionaries/$dictionary.dict" "$@"
}

# fuzz_stage: every target for six seconds, as many at once as there are CPUs; a line for each.
fuzz_stage() {
    fuzz_seconds=6
    export fuzz_seconds
    for target in $(fuzz_targets); do
        printf '%s\n' "$target"
    done | xargs -P "$(nproc)" -I TARGET sh -c '. scripts/fuzz.sh; fuzz_one TARGET' >"$logs/fuzz.log" 2>&1 || true
    cat "$logs/fuzz.log"
}

# fuzz_reason LOG: the rule that was broken, or what libFuzzer says of the failure.
fuzz_reason() {
    grep -m 1 -e '/tests/fuzz/[a-z_]*\.c:[0-9]*: ' -e '^SUMMARY: ' -e ' ERROR: ' "$1" | sed 's,.*/tests/fuzz/,,; s/$/;/'
}

# fuzz_one TARGET: in a shell of its own. Leaves its result in build/test/fuzz-TARGET.xml.
fuzz_one() {
    log=build/test/fuzz-$1.log
    failure=''
    if fuzz_run "$1" "$fuzz_seconds" >"$log" 2>&1; then
        printf 'ok   fuzz %s: %s runs, %s edges\n' "$1" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
            "$(sed -n 's/.*DONE *cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)"
    else
        failure="$(fuzz_reason "$log") The input is build/fuzz/found/$1-*$(sed -n 's/^Base64: /, in base64 /p' "$log")"
        printf 'FAIL fuzz %s: %s\n' "$1" "$failure"
        tail -n 40 "$log" | sed 's/^/     | /'
    fi
    python3 scripts/junit.py case "build/test/fuzz-$1.xml" "$1" "$failure"
}
