# SPDX-License-Identifier: MIT
"""The clients, each a program that makes the requests that it is told and says what came back (see programs/client.py)."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import pytest
from support import process

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "..", "..", "build", "clients")
UNDICI = "6.21.0"
PYTHON = ("http.client", "requests", "httpx", "aiohttp")
NODE = ("http", "fetch", "undici")
ALL = ("curl", *PYTHON, *(f"node {name}" for name in NODE), "go net/http")
WRITES_FIRST = ("http.client", "requests", "httpx")
EXPECTING = ("curl", "aiohttp", "node http", "go net/http")  # those that wait for a 100
BLOCK = bytes(i % 251 for i in range(65536))
SMALL, MEDIUM, LARGE = 1000, 3_000_000, 70_000_000  # bytes of a body
TAKES_LARGE = ("--max-body-size", "128m")
SECONDS = 100
everything = False  # conftest.py sets this before the tests are collected


def request(method, path, length=0, chunked=False, expect=False):
    return {"method": method, "path": path, "length": length, "chunked": chunked, "expect": expect}


def body(length):
    return (BLOCK * (length // len(BLOCK) + 1))[:length]


def digest(length):
    return hashlib.sha256(body(length)).hexdigest()


def check_echo(result, length):
    assert "error" not in result, result
    assert (result["status"], result["length"], result["sha256"]) == (200, length, digest(length))


def run(argv, seconds=SECONDS, **options):
    child = process.spawn(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    try:
        output, errors = child.communicate(timeout=seconds)
    finally:
        process.end(child)
    return child.returncode, output, errors.decode(errors="replace")


@contextlib.contextmanager
def build_lock():
    """What several workers need is built by one of them."""
    import fcntl
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, "lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def go_program():
    program, source = os.path.join(BUILD, "client-go"), os.path.join(HERE, "programs", "client.go")
    go = process.need("go")
    with build_lock():
        if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
            env = {**os.environ, "GOCACHE": os.path.join(BUILD, "go-cache"), "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
            status, _, errors = run([go, "build", "-o", program, source], 300, env=env)
            assert status == 0, errors
    return program


def read_text(path):
    with contextlib.suppress(FileNotFoundError), open(path) as file:
        return file.read()
    return None


def install_undici(npm, folder):
    """Whether npm installed it. What an attempt that failed leaves behind is removed."""
    os.makedirs(folder, exist_ok=True)
    with contextlib.suppress(subprocess.TimeoutExpired):
        status, _, _ = run([npm, "install", "--prefix", folder, "--no-audit", "--no-fund", f"undici@{UNDICI}"], 60)
        if status == 0:
            return True
    shutil.rmtree(os.path.join(folder, "node_modules"), ignore_errors=True)
    return False


def undici_path():
    """npm is asked once in a test run, by whichever worker comes first. After a failure the next run asks again."""
    folder = os.path.join(BUILD, "node")
    entry, failed = (os.path.join(folder, name) for name in ("node_modules/undici/index.js", "failed"))
    npm = process.need("npm")
    with build_lock():
        if not os.path.exists(entry) and read_text(failed) != run_name():
            if not install_undici(npm, folder):
                with open(failed, "w") as file:
                    file.write(run_name())
    if not os.path.exists(entry):
        pytest.skip(f"npm could not install undici {UNDICI}: there is no registry")
    return entry


def run_name():
    """The same for all workers of a test run, another for each run."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"process {os.getpid()}"


def has_module(name):
    """This Python sees what pytest's does."""
    if subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True).returncode != 0:
        pytest.skip(f"Python has no module {name}")


def command(client, url):
    if client in PYTHON:
        has_module(client)
        return [sys.executable, os.path.join(HERE, "programs", "client.py"), client, url]
    if client.startswith("node "):
        node = process.need("node")
        library = client[len("node "):]
        extra = [undici_path()] if library.startswith("undici") else []
        return [node, os.path.join(HERE, "programs", "client.mjs"), library, url, *extra]
    return [go_program(), url]


def ask(client, url, items):
    """The results of the requests, made over one session."""
    if client == "curl":
        return curl(url, items)
    argv = command(client, url)
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(items).encode())
        file.seek(0)
        status, output, errors = run(argv, stdin=file)
    assert status == 0 and output, f"{client} ended with {status}: {errors[-2000:]}"
    return json.loads(output)


def curl(url, items):
    """One curl for all, so that connections are used again."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        argv = [process.need("curl"), "--silent", "--show-error", "--max-time", "60", "--noproxy", "*"]
        for number, item in enumerate(items):
            argv += (["--next"] if number else []) + curl_arguments(folder, number, item) + [url + item["path"]]
        _, output, errors = run(argv)
        codes = dict(re.findall(r"^(\d+) (\d+)$", output.decode(), re.MULTILINE))
        for number, item in enumerate(items):
            results.append(curl_result(folder, number, item, int(codes.get(str(number), 0)), errors))
    return results


def curl_arguments(folder, number, item):
    sent, received, head = (os.path.join(folder, f"{name}{number}") for name in ("sent", "received", "head"))
    argv = ["--silent", "--show-error", "--max-time", "60", "--noproxy", "*", "--output", received, "--dump-header", head,
            "--write-out", f"{number} %{{exitcode}}\\n"]
    argv += ["--head"] if item["method"] == "HEAD" else ["--request", item["method"]]
    if item["length"]:
        with open(sent, "wb") as file:
            file.write(body(item["length"]))
        argv += ["--data-binary", f"@{sent}"]
        argv += ["--header", "Transfer-Encoding: chunked"] if item["chunked"] else []
        argv += ["--header", "Expect: 100-continue" if item["expect"] else "Expect:", "--expect100-timeout", "20"]
    return argv


def curl_result(folder, number, item, code, errors):
    received, head = (os.path.join(folder, f"{name}{number}") for name in ("received", "head"))
    text = open(head).read() if os.path.exists(head) else ""
    # 55 and 56: the request could not be sent to its end, though the answer is there.
    heads = [part for part in text.split("\n\n") if part.startswith("HTTP/")] if "\r" not in text else \
        [part for part in text.split("\r\n\r\n") if part.startswith("HTTP/")]
    if code not in (0, 55) or not heads:
        return {"error": f"curl: {code} {errors}"}
    lines = heads[-1].splitlines()
    content = b""
    if item["method"] != "HEAD" and os.path.exists(received):
        with open(received, "rb") as file:
            content = file.read()
    return {"status": int(lines[0].split()[1]), "length": len(content), "sha256": hashlib.sha256(content).hexdigest(),
            "headers": {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])},
            "text": content.decode("latin-1") if len(content) <= 4096 else "",
            "continued": any(part.startswith("HTTP/1.1 100") for part in heads)}
