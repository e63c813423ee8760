# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the commands of ./dev need beyond a shell: how to see whether it is there, how to install it on Debian and
# its relatives, and what it is called elsewhere.

# One line for each thing needed: its name here, how to see it, Debian's packages, what it is called in words.
# Seen by a command that runs (cmd), a header that the compiler finds (inc), a file (file) or a shell function (sh).
package_table() {
    cat <<'TABLE'
cmake         cmd:cmake               cmake                     CMake, 3.25 or newer
ninja         cmd:ninja               ninja-build               Ninja, the build tool
cc            cmd:cc                  gcc                       a C compiler, GCC 12 or newer
libc          inc:stdio.h             libc6-dev                 the headers of the C library
libevent      inc:event2/event.h      libevent-dev              libevent with headers, 2.1.12 or newer
llhttp        sh:llhttp_is_here       libllhttp-dev             llhttp with headers, 9.2.1 or newer
criterion     inc:criterion/criterion.h libcriterion-dev        Criterion with headers, 2.4 or newer
git           cmd:git                 git                       git
python3       sh:python_is_whole      python3                   Python 3.11 or newer with its standard library
curl          cmd:curl                curl                      curl
wrk           cmd:wrk                 wrk                       wrk, the HTTP load generator, 4.1 or newer
h2load        cmd:h2load              nghttp2-client            h2load, of nghttp2's clients
nginx         sh:nginx_is_here        nginx-light               nginx with its echo module
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
haproxy       sh:haproxy_is_here      haproxy                   HAProxy
prometheus    cmd:prometheus          prometheus                Prometheus, with promtool
apache        sh:apache_is_here       apache2-bin               Apache httpd 2.4
h2o           cmd:h2o                 h2o                       the h2o server
lighttpd      sh:lighttpd_is_here     lighttpd                  lighttpd
pytest        sh:pytest_is_here       python3-pytest            pytest, for Python 3
pytest-xdist  sh:xdist_is_here        python3-pytest-xdist      pytest-xdist, for Python 3
requests      sh:requests_is_here     python3-requests          requests, for Python 3
httpx         sh:httpx_is_here        python3-httpx             httpx, for Python 3
aiohttp       sh:aiohttp_is_here      python3-aiohttp           aiohttp, for Python 3
node          cmd:node                nodejs                    Node.js, 18 or newer
npm           cmd:npm                 npm                       npm
go            cmd:go                  golang-go                 Go
ab            cmd:ab                  apache2-utils             ab, of the Apache utilities
yaml          sh:yaml_is_here         python3-yaml              PyYAML, for Python 3
lintian       cmd:lintian             lintian                   lintian
file          cmd:file                file                      file, which CPack asks what is a program
dpkg-dev      cmd:dpkg-shlibdeps      dpkg-dev                  dpkg-shlibdeps, of the dpkg development tools
logrotate     sh:logrotate_is_here    logrotate                 logrotate
buildah       cmd:buildah             buildah                   Docker, Podman or Buildah
jinja2        sh:jinja2_is_here       python3-jinja2            Jinja2, for Python 3
rich          sh:rich_is_here         python3-rich              rich, for Python 3
jsonschema    sh:jsonschema_is_here   python3-jsonschema        jsonschema, for Python 3
chromium      cmd:chromium            chromium                  Chromium
debootstrap   sh:debootstrap_is_here  debootstrap               debootstrap
TABLE
}

header_is_here() {
    printf '#include <%s>\n' "$1" | cc -E - >/dev/null 2>&1
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

pytest_is_here() {
    python_with pytest >/dev/null
}

# pytest_python_has MODULE: the Python that has pytest has it, too.
pytest_python_has() {
    pytest_python=$(python_with pytest) && "$pytest_python" -c "import $1" 2>/dev/null
}

xdist_is_here() {
    pytest_python_has xdist
}

requests_is_here() {
    pytest_python_has requests
}

httpx_is_here() {
    pytest_python_has httpx
}

aiohttp_is_here() {
    pytest_python_has aiohttp
}

yaml_is_here() {
    python3 -c 'import yaml' 2>/dev/null
}

# The modules that the comparison's report is made with. One interpreter must have all of them: unless there is one, Debian's
# gets those that it misses.
report_modules="jinja2 rich jsonschema"

# Prints the interpreter for the comparison and the bench; it is looked for once.
report_python() {
    # shellcheck disable=SC2086 # a list of names
    [ -n "${report_interpreter:-}" ] || report_interpreter=$(python_with $report_modules) || return 1
    echo "$report_interpreter"
}

has_report_module() {
    report_python >/dev/null || /usr/bin/python3 -c "import $1" 2>/dev/null
}

jinja2_is_here() { has_report_module jinja2; }
rich_is_here() { has_report_module rich; }
jsonschema_is_here() { has_report_module jsonschema; }

need_report_python() {
    # shellcheck disable=SC2086 # a list of names
    need python3 $report_modules
    report_python >/dev/null || die 1 "no Python 3.11 or newer can import all of: $report_modules"
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

need_to_build() {
    need cmake ninja cc libc libevent llhttp "$@"
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
