# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # image, version and logs are set by image.sh and test.sh
# The stages of the test suite that run what is deployed: the image, the package, the units, the documentation.

# What is installed beside the server says what the server does.
stage_deploy() {
    need_to_build python3 mandoc zsh fish systemd logrotate strace h2load wrk haproxy nginx prometheus
    build_stage release || return 0
    run_unittest flags 120 test_flags.py
    run_unittest modes 300 test_modes.py
    run_unittest units 120 test_units.py
    run_unittest metrics 120 test_metrics.py
    run_unittest restart 300 test_restart.py
    run_unittest docs 600 test_docs.py
}

stage_docs() {
    need_to_build python3 curl wrk
    build_stage release || return 0
    run_unittest docs 600 test_docs.py
}

# What the stage deploy does for a moment, for as long as it takes to believe it.
stage_restart() {
    need_to_build python3 wrk haproxy nginx
    build_stage release || return 0
    RESTART_SECONDS=${RESTART_SECONDS:-30} run_unittest restart 900 test_restart.py
}

stage_prometheus() {
    need_to_build python3 h2load prometheus
    build_stage release || return 0
    PROMETHEUS_SECONDS=${PROMETHEUS_SECONDS:-60} run_unittest prometheus 300 test_metrics.py
}

# The image is built twice, the second time with nothing kept from the first; its root file system runs here.
stage_image() {
    need_to_build python3 readelf git
    if ! (image_main && image_unpack "$image:$version" build/image && image_rebuild) \
        >"$logs/build-image.log" 2>&1; then
        cat "$logs/build-image.log"
        count 0 1 "the image build failed"
        return
    fi
    grep '^image ' "$logs/build-image.log"
    run_unittest image 300 test_image.py
    # SIGTERM under load to PID 1 is among the cases of the drain.
    for module in basics drain; do
        launcher=$(root_prefix) run_integration "image-$module" --server tests/deploy/contained-echod --launched --only "$module:"
    done
}

image_rebuild() {
    image_build --no-cache --tag "$image:again"
    image_unpack "$image:again" build/image-again
}

# The Debian package on a bare system of this machine's release, which is the one that it is built for.
stage_package() {
    package_on "$(os_release VERSION_CODENAME)"
}

stage_package_debian13() {
    package_on trixie
}

package_on() {
    need_to_build python3 lintian file dpkg-dev
    build_stage package || return 0
    pristine=build/roots/$1
    rm -f build/package/echod_*.deb # of another version
    if ! (cd build/package && cpack) >"$logs/cpack.log" 2>&1; then
        cat "$logs/cpack.log"
        count 0 1 "the package was not made"
        return
    fi
    if [ ! -e "$pristine.made" ]; then
        say "making a bare Debian $1 ..."
        as_root rm -rf "$pristine"
        mkdir -p "$pristine"
        if ! (debian_root "$1" "$pristine") >"$logs/root-$1.log" 2>&1; then
            cat "$logs/root-$1.log"
            count 0 1 "the bare system was not made"
            return
        fi
        : >"$pristine.made"
    fi
    PACKAGE_ROOT=$pristine run_unittest "package-$1" 300 test_package.py
}

# Namespaces and mounts are root's.
root_prefix() {
    [ "$(id -u)" -eq 0 ] || echo sudo --preserve-env=PACKAGE_ROOT,RESTART_SECONDS,PROMETHEUS_SECONDS
}

# run_unittest NAME SECONDS PATTERN: files of tests/deploy.
run_unittest() {
    status=0
    # shellcheck disable=SC2046 # one word or none
    logged "$logs/$1.log" limited "$2" $(root_prefix) python3 -B -m unittest discover --verbose -s tests/deploy -p "$3" ||
        status=$?
    tally unittest "$status" ' \.\.\. ok$' ' \.\.\. (ok|FAIL|ERROR|skipped.*)$' <"$logs/$1.log"
}
