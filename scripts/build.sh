# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # python is set by need_python
# Configuring and building one CMake preset in build/PRESET.

# build PRESET [TARGET]: nothing of the environment's own flags, a build is what its preset says. Two at once in one folder take turns.
build() (
    unset CFLAGS CPPFLAGS LDFLAGS
    cmake --list-presets | grep -q "\"$1\"" || die 2 "no preset '$1'; there are: $(preset_names)"
    mkdir -p build
    exec 9>"build/$1.lock"
    ! have flock || flock 9
    say "== build $1"
    # Ninja itself sees when CMake's other files have changed.
    { { is_configured "$1" || cmake --preset "$1"; } && cmake --build "build/$1" ${2:+--target "$2"}; } >&2 9>&-
)

# is_configured PRESET: since the presets were changed.
is_configured() {
    [ -e "build/$1/build.ninja" ] && [ -z "$(find CMakePresets.json -newer "build/$1/build.ninja")" ]
}

# The preset pgo: built to write a profile, run under the bench's workloads in every mode, and built anew with the profile.
build_pgo() (
    unset CFLAGS CPPFLAGS LDFLAGS
    mkdir -p build
    exec 9>build/pgo.lock
    ! have flock || flock 9
    rm -rf build/pgo
    say "== build pgo: the program to be trained"
    { cmake --preset pgo -DECHOD_PGO=train && cmake --build build/pgo; } >&2 9>&-
    say "== train it"
    "$python" loadtest/bench.py --train --server build/pgo/echod 9>&-
    say "== build pgo with its profile"
    { cmake --preset pgo -DECHOD_PGO=use && cmake --build build/pgo; } >&2 9>&-
)

# A release program for each mode alone, build/price/echod-MODE. One folder for all: only a few files differ.
build_modes() (
    unset CFLAGS CPPFLAGS LDFLAGS
    mkdir -p build
    exec 9>build/price.lock
    ! have flock || flock 9
    modes=$(sed -n 's/^    MODE(\([a-z]*\)).*/\1/p' server/modes/mode.h)
    for mode in $modes; do
        say "== build price: echod with mode $mode alone"
        { cmake --preset release -B build/price -DECHOD_SWARM=OFF -DECHOD_MODES="$mode" &&
            cmake --build build/price --target echod && cp build/price/echod "build/price/echod-$mode"; } >&2 9>&- || exit
    done
)

preset_names() {
    cmake --list-presets | sed -n 's/^ *"\([^"]*\)".*/\1/p' | tr '\n' ' '
}

# build_quietly PRESET [FUNCTION]: its output is shown only when it fails.
build_quietly() {
    mkdir -p build
    log=build/$1.log
    [ -x "build/$1/echod" ] || say "building $1 ..."
    if ! "${2:-build}" "$1" >"$log" 2>&1; then
        cat "$log" >&2
        die 1 "the $1 build failed"
    fi
}
