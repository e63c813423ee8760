# SPDX-License-Identifier: MIT
"""From the command line to the sockets: what is refused, what is listened on, what is printed, and what is left behind."""

import errno
import os
import signal
import socket
import stat
import subprocess
import time

import pytest

from support import ports, process, procfs, settings
from support.checks import check, equal
from support.corpus import PLAIN, get
from support.passing import close_passed, passing
from support.rows import params
from support.server import environment
from support.wire import Wire


def run(*flags, env=None, **options):
    """Runs the server where it should end by itself; its exit status, stdout and stderr."""
    child = process.spawn([settings.server_path, *flags], stdout=options.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.PIPE, env=environment(env), **options)
    try:
        output, errors = child.communicate(timeout=settings.patience(15))
    finally:
        process.end(child)
    return child.returncode, (output or b"").decode(), errors.decode()


def check_refused(result, status, *parts):
    """One line on stderr that holds the parts, nothing on stdout."""
    code, output, errors = result
    equal(code, status, f"exit status (stderr: {errors!r})")
    equal(output, "", "stdout")
    check(errors.endswith("\n") and errors.count("\n") == 1, f"expected one line on stderr, got {errors!r}")
    for part in parts:
        check(part in errors, f"{part!r} is not in {errors!r}")


# name, flags, what the line must hold
BAD_FLAGS = [
    ("unknown flag", ["--nix"], ["--nix"]), ("unknown flag with a value", ["--nix=1"], ["--nix"]),
    ("unknown letter", ["-x"], ["-x"]), ("an argument that is no flag", ["8080"], ["8080"]),
    ("two dashes alone", ["--"], ["--"]), ("a value that is missing", ["--mode"], ["--mode", "event"]),
    ("a flag for a value", ["--loops", "--mode"], ["--loops"]), ("a value of nothing", ["--loops="], ["--loops"]),
    ("line ends in a value", ["--mode", "a\nb\r"], ["--mode"]), ("a long value", ["--mode", "m" * 5000], ["--mode", "mmm"]),
] + [
    (f"{flag} {value[:20]}", [flag, value], [flag, value[:40], "allowed"]) for flag, values in (
        ("--mode", ("nix", "Event", "event ", "eventx")),
        ("--loops", ("0", "-1", "+1", "1.5", "1x", "x", "99999999999999999999", "1025")),
        ("--workers", ("0", "x")), ("--queue", ("0", "-5")), ("--max-connections", ("0", "many")), ("--backlog", ("0", "65536")),
        ("--stack-size", ("1", "2g", "1q")), ("--max-header-size", ("0", "1", "-1k", "1kk", "2m", "k", "1.5k")),
        ("--max-body-size", ("x", "-1", "999999999g")), ("--max-buffer-memory", ("0", "1k")),
        ("--header-timeout", ("0", "1h", "-1s", "abc", "1.2.3", "s")), ("--body-timeout", ("0ms",)), ("--idle-timeout", ("1d",)),
        ("--drain-delay", ("-1",)), ("--drain-timeout", ("forever",)),
        ("--listen", ("8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x", "127.0.0.1:80x",
                      "example.com:80", "127.0.0:80", "256.0.0.1:80", "::1:80", "[::1:80", "[::1]", "[::1]80", "[nix]:80", "unix:",
                      "unix:/" + "p" * 107, ":80")),
    ) for value in values
]


@pytest.mark.parametrize("flags, parts", params(BAD_FLAGS))
def test_bad_flag(flags, parts):
    check_refused(run("--listen", "127.0.0.1:0", *flags), 2, *parts)


@pytest.mark.parametrize("name, value", params([
    ("loops", "ECHOD_LOOPS", "x"), ("mode", "ECHOD_MODE", "nix"), ("listen", "ECHOD_LISTEN", "127.0.0.1:0,nix"),
    ("size", "ECHOD_MAX_BODY_SIZE", "1q"), ("time", "ECHOD_HEADER_TIMEOUT", "soon"), ("switch", "ECHOD_CORS", "maybe"), ("port", "PORT", "http"),
    ("port too large", "PORT", "65536"),
]))
def test_bad_variable(name, value):
    check_refused(run(env={name: value}), 2, name, value.split(",")[-1], "allowed")


@pytest.mark.modeless
def test_a_flag_beats_a_bad_variable(start):
    server = start("--loops", "1", mode="event", env={"ECHOD_LOOPS": "nix", "ECHOD_MODE": "nix"})
    equal(server.ask(get(b"/version")).json()["mode"], "event", "mode")


def test_variables(start, mode, folder):
    """Each flag's variable counts, a flag beats it, and any --listen replaces all of the variable's."""
    path = os.path.join(folder, "s")
    env = {"ECHOD_MODE": mode, "ECHOD_LISTEN": f"127.0.0.1:0,unix:{path}", "ECHOD_MAX_BODY_SIZE": "10", "ECHOD_MAX_HEADER_SIZE": "1k"}
    server = start(listen=False, mode="", env=env, lines=2)
    equal(server.ask(get(b"/version")).json()["mode"], mode, "mode")
    check(server.listening[1] == f"unix:{path}", f"listens on {server.listening}")
    with server.connect() as wire:
        wire.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n")
        wire.problem(413)
    server.stop()
    server = start("--max-body-size", "11", mode=mode, env=env)
    equal(len(server.listening), 1, "listeners")
    equal(server.ask(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world").status, 200, "status")


@pytest.mark.modeless
def test_blanks_and_spellings_in_variables(start):
    """A list may have blanks around its commas, a switch any usual word in any case; an empty variable is none."""
    env = {"ECHOD_LISTEN": " 127.0.0.1:0 ,\t127.0.0.1:0,127.0.0.1:0 ", "ECHOD_CORS": "YES", "ECHOD_VERBOSE": "False",
           "ECHOD_LOOPS": "", "ECHOD_MODE": "", "ECHOD_ACCESS_LOG": "", "ECHOD_CHECK": "", "PORT": "", "ECHOD_ADMIN_LISTEN": ""}
    server = start(listen=False, mode="", env=env, lines=3)
    answer = server.ask(get(b"/version", b"Origin: http://a\r\n"))
    equal((answer.json()["mode"], answer.get("Access-Control-Allow-Origin")), ("event", "*"), "mode and CORS")
    equal(server.stop(), "", "stderr")


def test_the_port_of_a_hosting_platform(start, mode):
    """PORT is where it listens on all addresses, which it says, unless something more particular says where."""
    port = ports.free()
    server = start(listen=False, env={"PORT": str(port), "ECHOD_LISTEN": ""})
    check(server.listening[0] == f"0.0.0.0:{port}", f"listens on {server.listening}")
    with Wire(("127.0.0.1", port)) as wire:
        wire.kept()
    errors = server.stop()
    check(errors.count("\n") == 1 and "all addresses" in errors and "PORT" in errors, f"stderr: {errors!r}")
    for flags, env in ((("--listen", "127.0.0.1:0"), {"PORT": "nix"}), ((), {"PORT": "1", "ECHOD_LISTEN": "127.0.0.1:0"})):
        server = start(*flags, listen=False, env=env)
        check(server.listening[0].startswith("127.0.0.1:"), f"listens on {server.listening}")
        equal(server.stop(), "", "stderr")


def test_sigusr2_is_ignored(start):
    """Before, while and after a request, by every process and thread of it; a recv that waits goes on waiting."""
    server = start("--idle-timeout", "3s")
    with server.connect() as wire:
        for _ in range(3):
            wire.kept()
            for pid in (server.pid, *procfs.children(server.pid)):
                os.kill(pid, signal.SIGUSR2)
        wire.kept()
        begin = time.monotonic()
        while not wire.readable(0.2):
            for pid in (server.pid, *procfs.children(server.pid)):
                os.kill(pid, signal.SIGUSR2)
            check(time.monotonic() - begin < settings.patience(20), "the signal holds up the idle timeout")
        wire.closed()
    equal(server.ask(PLAIN).status, 200, "status")
    equal(server.stop(), "", "stderr")


@pytest.mark.modeless
def test_an_equals_sign_for_a_space(start):
    server = start("--mode=event", "--loops=1", "--max-header-size=1k", "--header-timeout=1500ms", "--drain-timeout=2m", mode="")
    equal(server.ask(PLAIN).status, 200, "status")


def test_the_help_fits_a_screen():
    for flags in (("--help",), ("-h",), ("--mode", "thread", "--help")):
        code, output, errors = run(*flags)
        equal((code, errors), (0, ""), "status and stderr")
        lines = output.splitlines()
        check(len(lines) <= 24, f"{len(lines)} lines")
        check(max(map(len, lines)) <= 80, f"a line of {max(map(len, lines))}: {max(lines, key=len)!r}")
        for word in (*settings.MODES, "--mode", "--listen", "--loops", "--workers", "--max-connections", "--help [all]", "--version",
                     "ECHOD_"):
            check(word in output, f"{word} is not in --help")


def test_the_help_lists_all_flags_when_asked():
    for flags in (("--help", "all"), ("--help=all",), ("-h", "all"), ("--mode", "thread", "--help", "all")):
        code, output, errors = run(*flags)
        equal((code, errors), (0, ""), "status and stderr")
        check(max(map(len, output.splitlines())) <= 80, "a line is too long")
        for word in (*settings.MODES, "--mode", "--listen", "--loops", "--workers", "--queue", "--stack-size", "--max-connections",
                     "--backlog", "--max-header-size", "--max-body-size", "--max-buffer-memory", "--header-timeout",
                     "--body-timeout", "--idle-timeout", "--drain-delay", "--drain-timeout", "--access-log", "--log-format",
                     "--admin-listen", "--cors", "--check", "--verbose", "--version", "ECHOD_", "PORT"):
            check(word in output, f"{word} is not in --help all")


def test_the_version_names_the_libraries():
    code, output, errors = run("--version")
    equal((code, errors), (0, ""), "status and stderr")
    of_modes = {"fiber": "Boost.Context", "uring": "liburing"}
    for name in ("echod", "libevent", "llhttp", *(of_modes[mode] for mode in settings.modes if mode in of_modes)):
        check(any(line.startswith(name + " ") and line[len(name) + 1:][0].isdigit() for line in output.splitlines()),
              f"no version of {name} in {output!r}")


@pytest.mark.parametrize("flags", params([("--help", ["--help"]), ("--version", ["--version"]), ("server", ["--listen", "127.0.0.1:0"])]))
def test_stdout_full(flags):
    with open("/dev/full", "wb") as full:
        check_refused(run(*flags, stdout=full), 1, "stdout")


def test_stdout_closed(mode):
    """It cannot say where it listens, and says so."""
    child = process.spawn(["sh", "-c", 'exec "$0" "$@" >&-', settings.server_path, "--mode", mode, "--listen", "127.0.0.1:0"],
                          stderr=subprocess.PIPE, env=environment())
    try:
        _, errors = child.communicate(timeout=settings.patience(15))
    finally:
        process.end(child)
    check_refused((child.returncode, "", errors.decode()), 1, "stdout")


@pytest.mark.modeless
def test_stdin_and_stderr_closed(start):
    """Descriptors 0 and 2 must not become sockets."""
    server = start(wrapper=("sh", "-c", 'exec "$0" "$@" <&- 2>&-'))
    for _ in range(3):
        equal(server.ask(PLAIN).status, 200, "status")
    for number in (0, 2):
        target = os.readlink(f"/proc/{server.pid}/fd/{number}")
        check("socket" not in target, f"descriptor {number} is {target}")


def test_stdout_is_read_no_more(start):
    """Who reads the first lines may then close the pipe."""
    server = start()
    server.child.stdout.close()
    equal(server.ask(PLAIN).status, 200, "status")


# name, --listen, how the line begins, addresses listened on
LISTENS = [
    ("IPv4", "127.0.0.1:0", "127.0.0.1:", 1), ("another loopback address", "127.7.7.7:0", "127.7.7.7:", 1),
    ("every IPv4", "0.0.0.0:0", "0.0.0.0:", 1), ("IPv6", "[::1]:0", "[::1]:", 1), ("every IPv6", "[::]:0", "[::]:", 1),
    ("localhost", "localhost:0", "127.0.0.1:", 2), ("all", "*:0", "0.0.0.0:", 2),
]


@pytest.mark.parametrize("listen, begin, count", params(LISTENS))
def test_listens_on(start, listen, begin, count):
    server = start("--listen", listen, listen=False, lines=count)
    check(server.listening[0].startswith(begin), f"listens on {server.listening}")
    ports = {address[1] for address in server.addresses}
    equal(len(ports), 1, "ports")
    for host, port in server.addresses:
        with Wire((host.replace("0.0.0.0", "127.0.0.1") if host != "::" else "::1", port)) as wire:
            wire.kept()


def test_a_wildcard_of_ipv6_is_ipv6_only(start):
    def leaves_ipv4():
        """Another program may have the same port there, so that one server that has it is no proof."""
        server = start("--listen", "[::]:0", listen=False)
        try:
            socket.create_server(("0.0.0.0", server.address[1])).close()
            return True
        except OSError as error:
            check(error.errno == errno.EADDRINUSE, str(error))
            return False

    check(any(leaves_ipv4() for _ in range(3)), "it listens on IPv4")


def test_several_listeners(start, folder):
    path = os.path.join(folder, "socket")
    server = start("--listen", "[::1]:0", "--listen", f"unix:{path}", "--listen", "127.0.0.1:0", lines=4)
    equal([text.split(":")[0] for text in server.listening], ["127.0.0.1", "[", "unix", "127.0.0.1"], "the order of the lines")
    for address in server.addresses:
        with Wire(address) as wire:
            wire.kept()


def test_a_unix_socket(start, folder):
    path = os.path.join(folder, "socket")
    server = start("--listen", f"unix:{path}", listen=False)
    equal(server.listening, [f"unix:{path}"], "listening on")
    with Wire(path) as wire:
        wire.kept()
        answer = wire.ask(get(b"/anything")).json()
        check(isinstance(answer["remote"], str), f"remote: {answer['remote']!r}")
        wire.ask(get(b"/ip"))
        wire.send(get(b"/bytes/3000000"))
        equal(len(wire.answer().body), 3000000, "length")
    server.stop()
    check(not os.path.exists(path), "the socket file is still there")


def leave_stale(path):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
        stale.listen()


def test_a_stale_unix_socket_is_replaced(start, folder):
    path = os.path.join(folder, "socket")
    leave_stale(path)
    server = start("--listen", f"unix:{path}", listen=False)
    with Wire(path) as wire:
        wire.kept()
    server.stop()
    check(not os.path.exists(path), "the socket file is still there")


def test_a_unix_socket_in_use_stays(start, mode, folder):
    path = os.path.join(folder, "socket")
    server = start("--listen", f"unix:{path}", listen=False)
    check_refused(run("--mode", mode, "--listen", f"unix:{path}"), 1, path)
    with Wire(path) as wire:
        wire.kept()
    server.stop()


def test_a_foreign_socket_file_is_not_removed(start, folder):
    """Somebody has put another one in the place of ours."""
    path = os.path.join(folder, "socket")
    server = start("--listen", f"unix:{path}", listen=False)
    os.unlink(path)
    leave_stale(path)
    server.stop()
    check(stat.S_ISSOCK(os.stat(path).st_mode), "it is gone")


def test_what_is_no_socket_stays(folder):
    path = os.path.join(folder, "file")
    with open(path, "w") as file:
        file.write("precious")
    check_refused(run("--listen", f"unix:{path}"), 1, path)
    with open(path) as file:
        equal(file.read(), "precious", "the file")


def test_nowhere_to_put_a_unix_socket(folder):
    check_refused(run("--listen", f"unix:{folder}/nix/socket"), 1, f"{folder}/nix/socket")


def test_a_port_in_use(start, mode, folder):
    """Nothing is started, and what was opened before is closed again."""
    server = start()
    taken, path = server.listening[0], os.path.join(folder, "socket")
    check_refused(run("--mode", mode, "--listen", f"unix:{path}", "--listen", taken), 1, taken)
    check(not os.path.exists(path), "the other listener's socket file is still there")
    equal(server.ask(PLAIN).status, 200, "status")


@pytest.mark.parametrize("listen, part", params([
    ("an address of another machine", "192.0.2.1:0", "192.0.2.1"), ("an interface that is not there", "[fe80::1%nix0]:0", "nix0"),
]))
def test_cannot_listen(listen, part):
    check_refused(run("--listen", listen), 1, part)


@pytest.mark.modeless
def test_a_port_at_once_again(start):
    """Connections that the last server has closed do not hold the port."""
    server = start()
    taken = server.listening[0]
    with server.connect() as wire:
        wire.send(get(b"/plaintext", b"Connection: close\r\n"))
        wire.answer()
        wire.closed()
    server.stop()
    again = start("--listen", taken, listen=False)
    equal(again.listening, [taken], "listening on")


def test_sockets_of_a_service_manager(start, folder):
    path = os.path.join(folder, "socket")
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as local:
        local.bind(path)
        local.listen()
        options = passing([tcp, local])
        try:
            server = start(lines=2, **options)  # they win over --listen
        finally:
            close_passed(options)
        equal(server.listening, ["127.0.0.1:%d" % tcp.getsockname()[1], f"unix:{path}"], "listening on")
        for address in server.addresses:
            with Wire(address) as wire:
                wire.kept()
        server.stop()
        check(os.path.exists(path), "a socket file that is not ours was removed")


@pytest.mark.modeless
def test_sockets_for_another_process(start):
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        options = passing([tcp], 1)
        try:
            server = start(**options)
        finally:
            close_passed(options)
        check(server.address[1] != tcp.getsockname()[1], "it took a socket that was not passed to it")
        equal(server.ask(PLAIN).status, 200, "status")


@pytest.mark.modeless
@pytest.mark.parametrize("kind", params([("a datagram socket", socket.SOCK_DGRAM), ("a socket that does not listen", socket.SOCK_STREAM)]))
def test_a_socket_that_is_not_fit(start, kind):
    with socket.socket(socket.AF_INET, kind) as unfit:
        unfit.bind(("127.0.0.1", 0))
        options = passing([unfit])
        try:
            server = start(expect_ready=False, **options)
        finally:
            close_passed(options)
        errors = server.wait(1)
        check(errors.count("\n") == 1 and "LISTEN_FDS" in errors, f"stderr: {errors!r}")


@pytest.mark.parametrize("abstract", params([("a path", False), ("an abstract name", True)]))
def test_tells_a_service_manager(start, folder, abstract):
    """READY=1 once it listens, STOPPING=1 when the drain begins, each once."""
    name = f"@{folder}" if abstract else os.path.join(folder, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(settings.patience(10))
        server = start("--drain-delay", "30s", env={"NOTIFY_SOCKET": name})
        equal(manager.recv(100), b"READY=1", "the first message")
        equal(server.ask(PLAIN).status, 200, "status")
        server.signal(15)
        equal(manager.recv(100), b"STOPPING=1", "the second message")
        equal(server.ask(PLAIN).status, 200, "status while it drains")
        server.signal(15)
        equal(server.wait(143), "", "stderr")
        manager.setblocking(False)
        try:
            check(False, f"a third message: {manager.recv(100)}")
        except BlockingIOError:
            pass


@pytest.mark.modeless
def test_a_service_manager_that_is_gone(start, folder):
    """It is said, and no reason not to serve."""
    server = start(env={"NOTIFY_SOCKET": os.path.join(folder, "nix")}, mode="event")
    equal(server.ask(PLAIN).status, 200, "status")
    check("READY=1" in server.errors() and "No such file" in server.errors(), f"stderr: {server.errors()!r}")


def test_the_limit_is_named_on_request(start):
    server = start("-v", "--max-connections", "7")
    equal(server.ask(PLAIN).status, 200, "status")
    check("7" in server.errors() and "--max-connections" in server.errors(), f"-v says {server.errors()!r}")
