# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # image and version are set by image.sh, logs by test.sh and ahead.sh
# The stages of the test suite that run what is deployed: the image, the package, the units, the documentation.

# What is installed beside the server says what the server does.
stage_deploy() {
    need_to_build mandoc zsh fish systemd logrotate strace haproxy nginx prometheus readelf
    need_for_documents
    build_stage release || return 0
    run_deploy deploy 1500 flags modes_option units seccomp metrics restart debugger docs recipes trace_doc -n 3
}

stage_docs() {
    need_to_build haproxy nginx
    need_for_documents
    build_stage release || return 0
    run_deploy docs 600 docs recipes trace_doc
}

# What the commands of the documents need: they run in a network of their own, where nothing can be installed.
need_for_documents() {
    # shellcheck disable=SC2086 # a list of names
    need_pytest $report_modules prometheus_client
    need curl wrk h2load valgrind file dpkg-dev gdb
}

# What the stage deploy does for a moment, for as long as it takes to believe it.
stage_restart() {
    need_to_build wrk haproxy nginx
    build_stage release || return 0
    RESTART_SECONDS=${RESTART_SECONDS:-30} run_deploy restart 900 restart
}

stage_prometheus() {
    need_to_build h2load prometheus
    build_stage release || return 0
    PROMETHEUS_SECONDS=${PROMETHEUS_SECONDS:-60} run_deploy prometheus 300 metrics
}

# The image is built twice, the second time with nothing kept from the first; its root file system runs here.
stage_image() {
    need_to_build readelf git
    if [ ! -e "$logs/image.built" ] && ! (build_image_twice) >"$logs/build-image.log" 2>&1; then
        cat "$logs/build-image.log"
        judge build-image image "it cannot be built"
        return
    fi
    grep '^image ' "$logs/build-image.log"
    run_deploy image 300 image
    # SIGTERM under load to PID 1 is among the cases of the drain. A mode of each driver, and the one whose children PID 1 reaps.
    launcher=$(root_prefix) run_integration image-cases tests/integration/test_basics.py tests/integration/drain \
        --server=tests/deploy/contained-echod --launched \
        --modes=thread,event,process,uring
}

build_image_twice() {
    image_main && image_unpack "$image:$version" build/image &&
        image_build --no-cache --tag "$image:again" && image_unpack "$image:again" build/image-again
}

# The Debian package on a bare system of this machine's release, which is the one that it is built for.
stage_package() {
    package_on "$(os_release VERSION_CODENAME)"
}

stage_package_debian13() {
    package_on trixie
}

package_on() {
    need_to_build lintian file dpkg-dev readelf
    build_stage package || return 0
    pristine=build/roots/$1
    rm -f build/package/echod*.*deb # of another version
    if ! (cd build/package && cpack) >"$logs/cpack.log" 2>&1; then
        cat "$logs/cpack.log"
        judge build-deb "the package" "it cannot be made"
        return
    fi
    if ! make_bare_system "$1"; then
        cat "$logs/root-$1.log"
        judge "build-root-$1" "the bare system" "it cannot be made"
        return
    fi
    PACKAGE_ROOT=$pristine run_deploy "package-$1" 900 package
}

# make_bare_system SUITE: a bare Debian in build/roots/SUITE, once. Two at once take turns.
make_bare_system() (
    root=build/roots/$1
    mkdir -p build/roots
    exec 9>"$root.lock"
    ! have flock || flock 9
    [ ! -e "$root.made" ] || return 0
    say "making a bare Debian $1 ..."
    as_root rm -rf "$root"
    mkdir -p "$root"
    debian_root "$1" "$root" >"$logs/root-$1.log" 2>&1 9>&- && : >"$root.made"
)

# Namespaces and mounts are root's.
root_prefix() {
    [ "$(id -u)" -eq 0 ] || echo sudo --preserve-env=PACKAGE_ROOT,RESTART_SECONDS,PROMETHEUS_SECONDS
}

# run_deploy NAME SECONDS MODULE... [PYTEST-ARGUMENTS]: modules of tests/deploy.
run_deploy() {
    need_pytest
    test_name=$1 seconds=$2
    shift 2
    modules=''
    while [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; do
        modules="$modules tests/deploy/test_$1.py"
        shift
    done
    # shellcheck disable=SC2086 # a list of names without spaces
    launcher=$(root_prefix) run_pytest "$test_name" "$seconds" --server=build/release/echod -rP $modules "$@"
}
