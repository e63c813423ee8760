# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the commands of ./dev need beyond a shell: how to see whether it is there, how to install it on Debian and
# its relatives, and what it is called elsewhere.

# One line for each thing needed: its name here, how to see it, Debian's packages, what it is called in words.
# Seen by a command that runs (cmd), a header that the compiler finds (inc), a file (file), a module that Debian's Python imports
# (py; see need_python) or a shell function (sh).
package_table() {
    cat <<'TABLE'
cmake         cmd:cmake               cmake                     CMake, 3.25 or newer
ninja         cmd:ninja               ninja-build               Ninja, the build tool
cc            cmd:cc                  gcc                       a C compiler, GCC 12 or newer
libc          inc:stdio.h             libc6-dev                 the headers of the C library
libevent      inc:event2/event.h      libevent-dev              libevent with headers, 2.1.12 or newer
llhttp        sh:llhttp_is_here       libllhttp-dev             llhttp with headers, 9.2.1 or newer
boost-context sh:boost_context_is_here libboost-context-dev     Boost.Context with its static library
liburing      sh:liburing_is_here     liburing-dev              liburing with headers, 2.3 or newer
probes        inc:sys/sdt.h           systemtap-sdt-dev         sys/sdt.h, the header for USDT probes
criterion     inc:criterion/criterion.h libcriterion-dev        Criterion with headers, 2.4 or newer
git           cmd:git                 git                       git
python3       sh:python_is_whole      python3                   Python 3.11 or newer with its standard library
curl          cmd:curl                curl                      curl
wrk           cmd:wrk                 wrk                       wrk, the HTTP load generator, 4.1 or newer
h2load        cmd:h2load              nghttp2-client            h2load, of nghttp2's clients
nginx         sh:nginx_is_here        nginx-light               nginx with its echo module
perf          cmd:perf                linux-perf                perf, of the Linux kernel's tools
strace        cmd:strace              strace                    strace
valgrind      cmd:valgrind            valgrind                  Valgrind
clang         cmd:clang               clang                     Clang, 14 or newer
libfuzzer     sh:libfuzzer_is_here    libclang-rt-dev           libFuzzer, of Clang's run-time libraries
clang-format  cmd:clang-format        clang-format              clang-format
clang-tidy    cmd:clang-tidy          clang-tidy                clang-tidy
cppcheck      cmd:cppcheck            cppcheck                  Cppcheck
flake8        cmd:flake8              flake8                    Flake8
shellcheck    cmd:shellcheck          shellcheck                ShellCheck
mandoc        cmd:mandoc              mandoc                    mandoc, which checks manual pages
zsh           cmd:zsh                 zsh                       zsh
fish          cmd:fish                fish                      fish
systemd       cmd:systemd-analyze     systemd                   systemd, for systemd-analyze
slowhttptest  cmd:slowhttptest        slowhttptest              slowhttptest
gcovr         cmd:gcovr               gcovr                     gcovr
readelf       cmd:readelf             binutils                  readelf, of the GNU binutils
gdb           cmd:gdb                 gdb                       gdb, 13 or newer, with Python
haproxy       sh:haproxy_is_here      haproxy                   HAProxy
prometheus    cmd:prometheus          prometheus                Prometheus, with promtool
apache        sh:apache_is_here       apache2-bin               Apache httpd 2.4
h2o           cmd:h2o                 h2o                       the h2o server
lighttpd      sh:lighttpd_is_here     lighttpd                  lighttpd
pytest        py:pytest               python3-pytest            pytest, for Python 3
xdist         py:xdist                python3-pytest-xdist      pytest-xdist, for Python 3
pytest_timeout py:pytest_timeout      python3-pytest-timeout    pytest-timeout, for Python 3
requests      py:requests             python3-requests          requests, for Python 3
httpx         py:httpx                python3-httpx             httpx, for Python 3
aiohttp       py:aiohttp              python3-aiohttp           aiohttp, for Python 3
node          cmd:node                nodejs                    Node.js, 18 or newer
npm           cmd:npm                 npm                       npm
go            cmd:go                  golang-go                 Go
ab            cmd:ab                  apache2-utils             ab, of the Apache utilities
yaml          py:yaml                 python3-yaml              PyYAML, for Python 3
lintian       cmd:lintian             lintian                   lintian
file          cmd:file                file                      file, which CPack asks what is a program
dpkg-dev      cmd:dpkg-shlibdeps      dpkg-dev                  dpkg-shlibdeps, of the dpkg development tools
logrotate     sh:logrotate_is_here    logrotate                 logrotate
buildah       cmd:buildah             buildah                   Docker, Podman or Buildah
jinja2        py:jinja2               python3-jinja2            Jinja2, for Python 3
rich          py:rich                 python3-rich              rich, for Python 3
jsonschema    py:jsonschema           python3-jsonschema        jsonschema, for Python 3
prometheus_client py:prometheus_client python3-prometheus-client prometheus_client, for Python 3
chromium      cmd:chromium            chromium                  Chromium
debootstrap   sh:debootstrap_is_here  debootstrap               debootstrap
TABLE
}

header_is_here() {
    printf '#include <%s>\n' "$1" | cc -E - >/dev/null 2>&1
}

boost_context_is_here() {
    printf 'int main(void) { return 0; }\n' | cc -x c - -l:libboost_context.a -o /dev/null >/dev/null 2>&1
}

# Not before 2.3 it has this function.
liburing_is_here() {
    printf '%s\n' '#include <liburing.h>' \
        'int main(void) { return io_uring_submit_and_get_events(0) + IORING_SETUP_DEFER_TASKRUN; }' |
        cc -D_GNU_SOURCE -x c - -luring -o /dev/null >/dev/null 2>&1
}

llhttp_is_here() {
    printf '%s\n' '#include <llhttp.h>' \
        '#if LLHTTP_VERSION_MAJOR * 10000 + LLHTTP_VERSION_MINOR * 100 + LLHTTP_VERSION_PATCH < 90201' \
        '#error too old' '#endif' | cc -E - >/dev/null 2>&1
}

python_is_whole() {
    python3 -c 'import argparse, http.client, json, tomllib' 2>/dev/null
}

libfuzzer_is_here() {
    echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang -x c -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null
}

nginx_is_here() {
    PATH=$PATH:/usr/sbin command -v nginx >/dev/null && [ -e /usr/lib/nginx/modules/ngx_http_echo_module.so ]
}

haproxy_is_here() {
    PATH=$PATH:/usr/sbin command -v haproxy >/dev/null
}

apache_is_here() {
    PATH=$PATH:/usr/sbin command -v apache2 >/dev/null
}

lighttpd_is_here() {
    PATH=$PATH:/usr/sbin command -v lighttpd >/dev/null
}

# python_with MODULE...: prints the first Python interpreter, 3.11 or newer (it has tomllib), that can import all of them. The
# first one in PATH need not be the one that Debian's packages belong to.
python_with() {
    for interpreter in python3 /usr/bin/python3; do
        if "$interpreter" -c "import tomllib, $(printf '%s' "$*" | tr ' ' ',')" 2>/dev/null; then
            echo "$interpreter"
            return 0
        fi
    done
    return 1
}

logrotate_is_here() {
    PATH=$PATH:/usr/sbin command -v logrotate >/dev/null
}

debootstrap_is_here() {
    PATH=$PATH:/usr/sbin command -v debootstrap >/dev/null
}

# is_here HOW
is_here() {
    case $1 in
    cmd:*) have "${1#cmd:}" ;;
    inc:*) header_is_here "${1#inc:}" ;;
    file:*) [ -r "${1#file:}" ] ;;
    py:*) /usr/bin/python3 -c "import ${1#py:}" 2>/dev/null ;;
    sh:*) "${1#sh:}" ;;
    esac
}

# need THING...: returns once every one is there, else ends the script with a line that says what is missing.
need() {
    wanted=" $* " words="" llhttp_is_missing=""
    set --
    while read -r thing how packages word; do
        case $wanted in
        *" $thing "*) ;;
        *) continue ;;
        esac
        is_here "$how" </dev/null && continue
        words="$words
  $word"
        if [ "$thing" = llhttp ]; then
            llhttp_is_missing=yes
        else
            set -- "$@" "$packages"
        fi
    done <<TABLE
$(package_table)
TABLE
    [ -n "$words" ] || return 0

    is_debian_like || die 1 "please install what is missing:$words"
    say "installing what is missing:$words"
    [ $# -eq 0 ] || install_packages "$@"
    [ -z "$llhttp_is_missing" ] || llhttp_is_here || install_llhttp
}

is_debian_like() {
    have apt-get && have dpkg && grep -Eq '^(ID|ID_LIKE)=.*debian' /etc/os-release
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}

# shellcheck disable=SC2034 # the scripts that use python
# need_python MODULE...: sets python to an interpreter that has all of them; if there is none, Debian's gets those that it misses.
need_python() {
    python=$(python_with "$@") && return
    need python3 "$@"
    python=$(python_with "$@") || die 1 "no Python 3.11 or newer can import all of: $*"
}

# What makes the comparison's report.
report_modules="jinja2 rich jsonschema"

need_report_python() {
    # shellcheck disable=SC2086 # a list of names
    need_python $report_modules
}

need_to_build() {
    need cmake ninja cc libc libevent llhttp boost-context liburing probes "$@"
}

# The lists are asked for once in a run, and only when something is to be installed.
update_lists() {
    [ -n "${lists_are_fresh:-}" ] || refresh_lists
}

refresh_lists() {
    apt_get update || die 1 "the package lists could not be fetched"
    lists_are_fresh=yes
}

install_packages() {
    update_lists
    apt_get install --no-install-recommends "$@" || die 1 "these packages could not be installed: $*"
}
