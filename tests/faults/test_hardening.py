# SPDX-License-Identifier: MIT
"""The program as built, what it needs of the system, what it writes, and what a client may make it say."""

import json
import os
import re
import shutil
import subprocess

import pytest

from support import process, settings
from support.checks import check, equal
from support.corpus import get, post, request
from support.rows import params
from injection import PLAIN, tracing

# What the release preset compiles and links with


def elf(*options):
    return process.run(["readelf", "-W", *options, settings.server_path]).decode()


@pytest.mark.release
def test_position_independent():
    check(re.search(r"Type: +DYN \(Position-Independent Executable", elf("-h")), elf("-h"))
    check("PIE" in elf("-d"), "no PIE flag")


@pytest.mark.release
def test_relocations_are_read_only():
    check("GNU_RELRO" in elf("-l"), "no RELRO")
    check(re.search(r"FLAGS.*(BIND_NOW|NOW)", elf("-d")), "the relocations are not all made at the start")


@pytest.mark.release
def test_no_page_to_be_written_and_run():
    segments = re.findall(r"^ +(LOAD|GNU_STACK) .* ([R ][W ][E ]) +0x", elf("-l"), re.MULTILINE)
    check(len(segments) >= 3 and any(kind == "GNU_STACK" for kind, _ in segments), f"segments: {segments}")
    for kind, flags in segments:
        check(not ("W" in flags and "E" in flags), f"{kind} is {flags}")
    check(all("E" not in flags for kind, flags in segments if kind == "GNU_STACK"), "the stack may be run")
    check("TEXTREL" not in elf("-d"), "relocations in the program's text")


@pytest.mark.release
@pytest.mark.parametrize("symbol", params([("stack protector", "__stack_chk_fail"), ("fortified", "_chk@")]))
def test_checks_itself(symbol):
    check(symbol in elf("--dyn-syms"), f"{symbol} is not called")


@pytest.mark.release
def test_no_path_of_the_build_to_load_from():
    check("RPATH" not in elf("-d") and "RUNPATH" not in elf("-d"), "it loads libraries from a folder of its own")


# What it needs and touches


def test_no_privilege(start, folder):
    """As another user, without a capability and with no way to get one: everything is served, unix sockets too."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to run as others")
    os.chmod(os.path.dirname(folder), 0o755)
    os.chmod(folder, 0o777)
    program = shutil.copy(settings.server_path, folder)
    wrapper = (process.need("setpriv"), "--no-new-privs", "--inh-caps=-all", "--")
    server = start("--listen", f"unix:{folder}/socket", lines=2, program=program, user=1000000 + os.getpid(), wrapper=wrapper)
    with open(f"/proc/{server.pid}/status") as file:
        status = file.read()
    for name in ("CapEff", "CapPrm", "CapInh"):
        equal(int(re.search(rf"{name}:\s*(\w+)", status)[1], 16), 0, name)
    equal(re.search(r"NoNewPrivs:\s*(\d)", status)[1], "1", "NoNewPrivs")
    for raw in (PLAIN, post(b"/echo", b"x" * 100000), get(b"/delay/10ms"), get(b"/block/10ms"), get(b"/anything")):
        equal(server.ask(raw).status, 200, "status")


WRITES = r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)"
CALLS = ["open", "openat", "openat2", "creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "link",
         "linkat", "symlink", "symlinkat", "chmod", "fchmodat", "chown", "truncate", "mknod", "mknodat", "execve", "connect"]


def test_writes_nothing_but_what_flags_name(start, folder):
    """Of all calls that open or change files: the unix socket of --listen, and nothing else; no program, no connection."""
    if settings.counts_lines:
        pytest.skip("it writes what it has counted")
    if settings.sanitizer == "thread":
        pytest.skip("ThreadSanitizer makes a file of its own in /tmp")
    path, trace = os.path.join(folder, "socket"), os.path.join(folder, "calls")
    server = start("--listen", f"unix:{path}", "--workers", "2", lines=2, **tracing(trace, CALLS))
    for raw in (PLAIN, post(b"/echo", b"x" * 300000), get(b"/anything/../../etc/passwd"), get(b"/status/404"), get(b"/metrics"),
                get(b"/compute/1000"), get(b"/version"), request(b"PUT", b"/echo/tmp/x", b"Content-Length: 1\r\n", b"x")):
        server.ask(raw)
    server.stop()
    with open(trace, errors="replace") as file:
        lines = [line for line in file if " = -1 " not in line and "execve" not in line]
    opened = [line for line in lines if re.search(r" (open|openat|openat2|creat)\(", line)]
    check(len(opened) > 3, f"hardly a file was opened: {lines}")
    changing = [line for line in opened if re.search(WRITES, line) and "/proc/self/" not in line]
    changing += [line for line in lines if line not in opened and " exited " not in line and " killed " not in line]
    others = [line for line in changing if path not in line]
    equal(others, [], "what else it changes")
    check(any(path in line and "unlink" in line for line in changing), "the test does not see how the socket's file is removed")


# What a client may make it say

NASTY = b'\x1b]0;owned\x07\x1b[31m"\\</script><script>alert(1)</script>&\x7f\xc2\x9b\xff'


def shown_bodies(server):
    """Answers that repeat what a client sent: in the path, the query, a field and the body."""
    field = NASTY.replace(b"\x1b", b"").replace(b"\x07", b"").replace(b"\x7f", b"")  # what a field may hold at all
    quoted = b"".join(b"%%%02X" % byte for byte in NASTY)
    yield server.ask(post(b"/anything/" + quoted + b"?q=" + quoted, NASTY, b"X-Nasty: " + field + b"\r\nContent-Type: text/html\r\n"))
    yield server.ask(get(b"/headers", b"X-Nasty: " + field + b"\r\n"))
    yield server.ask(get(b"/nix/" + quoted))
    yield server.ask(get(b"/echo?status=" + quoted))
    yield server.ask(get(b"/echo?header=" + quoted + b":x"))
    yield server.ask(request(b"GET", b"/status/%3Cscript%3E"))


def test_nothing_a_terminal_or_a_browser_obeys(server):
    """JSON in plain ASCII or UTF-8 without control bytes, of a type that no browser takes for a page."""
    for answer in shown_bodies(server):
        kind = answer.get("Content-Type")
        check(kind in ("application/json", "application/problem+json"), f"{kind}: {answer}")
        text = answer.body.decode("utf-8")
        json.loads(text)
        bad = [char for char in text if (ord(char) < 32 and char not in "\n") or 127 <= ord(char) < 160]
        equal(bad, [], f"control characters in {text[:300]!r}")


def test_an_echo_is_no_page(server):
    """Whatever its type says: a browser neither guesses nor runs it."""
    answer = server.ask(post(b"/echo", NASTY, b"Content-Type: text/html\r\n"))
    equal(answer.body, NASTY, "the body")
    equal(answer.get("X-Content-Type-Options"), "nosniff", "X-Content-Type-Options")
    equal(answer.get("Content-Security-Policy"), "sandbox", "Content-Security-Policy")


SPLITS = [b"%0d%0a", b"%0a", b"%0d", b"%00", b"%0D%0AX-Evil:%201%0D%0A%0D%0A"]
PLACES = [(f"{place} with {split.decode()}", text % split) for split in SPLITS for place, text in (
    ("a value", b"/echo?header=X-A:a%sb"), ("a name", b"/echo?header=X-A%sX-B:b"), ("the end of a value", b"/echo?header=X-A:a%s"),
    ("the second header", b"/echo?header=X-A:a&header=X-C:c%sd"))]


@pytest.mark.parametrize("target", params(PLACES))
def test_a_header_cannot_be_split(server, target):
    with server.connect() as wire:
        answer = wire.ask(post(target, b"hello"))
        equal(answer.status, 400, "status")
        check(not answer.values("X-Evil") and not answer.values("X-A"), f"got {answer}")
        wire.kept()


@pytest.mark.parametrize("target, value", params([("double encoding", b"/echo?header=X-A:a%250d%250aX-Evil:1", "a%0d%0aX-Evil:1")]))
def test_a_value_is_decoded_once(server, target, value):
    answer = server.ask(get(target))
    equal((answer.status, answer.get("X-A"), answer.values("X-Evil")), (200, value, []), "status, X-A and X-Evil")


@pytest.mark.parametrize("field, status", params([
    ("in a value of another", b"X-Echo-Header: X-A: a\rX-Evil: 1\r\n", 400), ("of a framing field", b"X-Echo-Header: Content-Length: 5\r\n", 400),
    ("of a connection field", b"X-Echo-Header: Connection: close\r\n", 400),
]))
def test_a_field_that_asks_for_headers(server, field, status):
    with server.connect() as wire:
        wire.send_what_goes(get(b"/echo", field))
        equal(wire.answer().status, status, "status")


def test_what_is_said_on_stderr_is_escaped():
    """A value of the command line is repeated, its control bytes are not."""
    child = process.spawn([settings.server_path, "--mode", "\x1b[31mred\x07\n\x9b"], stderr=subprocess.PIPE)
    try:
        _, errors = child.communicate(timeout=settings.patience(15))
    finally:
        process.end(child)
    equal(child.returncode, 2, "status")
    check(errors.count(b"\n") == 1 and not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", errors), f"stderr: {errors!r}")
