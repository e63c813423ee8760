# SPDX-License-Identifier: MIT
"""The pytest plugin of all tests that start servers: options, fixtures, and which tests run in which order. See tests/README.md."""

import contextlib
import faulthandler
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile

import pytest
import pytest_timeout

from . import process, procfs, settings
from .checks import Failure
from .server import Server
from .shared import LISTEN, SharedServers

DEFAULT_SERVER = os.path.join(settings.ROOT, "build", "asan", "echod")

# Markers whose tests run only if --suite, -m or the test's own name asks for them.
SUITES = ("tsan", "scale", "big", "release", "long", "timing")
SHUTDOWN_SECONDS = 30  # that a test which timed out may take to clean up, before its process is ended

FAILED = pytest.StashKey[bool]()
OWN = pytest.StashKey[list]()  # servers that the test has started
USED = pytest.StashKey[list]()  # (mode, flags) of the shared servers that it uses
SHARED = pytest.StashKey[SharedServers]()
SECONDS = pytest.StashKey[float]()  # timeout of a test
STDERR = pytest.StashKey[int]()  # that of the process, whatever a test's output is captured by
TURN = pytest.StashKey[str]()  # the file whose lock keeps tests marked `alone` from the others

# Options


def pytest_addoption(parser):
    group = parser.getgroup("echod")
    group.addoption("--server", default=DEFAULT_SERVER, metavar="PATH",
                    help="the binary to test (default: build/asan/echod)")
    group.addoption("--launched", action="store_true",
                    help="--server is a launcher: it runs the server as its only child and ends as that ends")
    group.addoption("--modes", metavar="LIST", help="comma-separated; default: those that the server's --help offers")
    group.addoption("--suite", choices=(*SUITES, "any"), help="only the tests with this marker; any: all tests, of whatever suite")


def pytest_configure(config):
    settings.server_path = os.path.abspath(config.getoption("--server"))
    settings.launched = config.getoption("--launched")
    is_there = os.access(settings.server_path, os.X_OK)
    if is_there:
        settings.find_build()
    elif settings.server_path != DEFAULT_SERVER:
        raise pytest.UsageError(f"--server: {settings.server_path} is no program")
    settings.modes = _chosen_modes(config.getoption("--modes"), is_there)
    config.stash[SHARED] = SharedServers()
    config.stash[STDERR] = os.dup(2)
    if hasattr(config, "workerinput"):  # a worker process of pytest-xdist
        process.die_with_parent()
        run_folder = config.workerinput["echod_folder"]
        settings.folder = tempfile.mkdtemp(dir=run_folder)
    else:
        settings.folder = run_folder = tempfile.mkdtemp(prefix="echod-test-")
        os.chmod(run_folder, 0o755)
        for number in (signal.SIGTERM, signal.SIGHUP):  # end as Ctrl-C does: stop the servers and report
            signal.signal(number, signal.default_int_handler)
    config.stash[TURN] = os.path.join(run_folder, "turn")
    if settings.launched:  # the server may run as another user
        os.chmod(settings.folder, 0o755)


def _chosen_modes(chosen, server_is_there):
    if not chosen:
        return _offered_modes() if server_is_there else settings.MODES
    modes = tuple(dict.fromkeys(name.strip() for name in chosen.split(",") if name.strip()))
    for mode in modes:
        if mode not in settings.MODES:
            raise pytest.UsageError(f"--modes: no mode {mode!r}; there are: {', '.join(settings.MODES)}")
    if not modes:
        raise pytest.UsageError(f"--modes: no mode given; there are: {', '.join(settings.MODES)}")
    return modes


def _offered_modes():
    """Those of MODES that --help names at the start of a line. A colon follows one that the build lacks."""
    done = subprocess.run([settings.server_path, "--help"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    text = done.stdout.decode(errors="replace")
    modes = tuple(mode for mode in settings.MODES if re.search(rf"^\s+{mode}\s", text, re.MULTILINE))
    if not modes:
        raise pytest.UsageError(f"{settings.server_path} --help names no mode")
    return modes


def pytest_unconfigure():
    if settings.folder:
        shutil.rmtree(settings.folder, ignore_errors=True)


def pytest_report_header():
    return f"server: {settings.server_path} ({settings.sanitizer or 'no'} sanitizer), modes: {', '.join(settings.modes)}"


# Which tests run, in which order


@pytest.hookimpl(tryfirst=True)  # so that the mode is the first part of a test's id
def pytest_generate_tests(metafunc):
    """A test that asks for a mode, or for a server, runs once for each."""
    if "mode" not in metafunc.fixturenames or metafunc.definition.get_closest_marker("modeless"):
        return
    if not any("mode" in _names(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize")):
        metafunc.parametrize("mode", settings.modes, indirect=True)


def _names(argument):
    return [name.strip() for name in argument.split(",")] if isinstance(argument, str) else argument


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    suite, expression = config.getoption("--suite"), config.getoption("markexpr")
    named = config.args and all("::" in argument for argument in config.args)
    asked = set(SUITES) if suite == "any" or named else {suite, *re.findall(r"\w+", expression)}
    kept, dropped = [], []
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        suites = marks & set(SUITES)
        wanted = suites <= asked and (suite in (None, "any") or suite in suites) and _in_chosen_mode(item)
        (kept if wanted else dropped).append(item)
    for item in kept:
        _set_timeout(config, item)
    # Those that need the machine for themselves come last, and long ones first; else they stay as they stand.
    kept.sort(key=lambda item: (item.get_closest_marker("alone") is not None, -item.stash[SECONDS]))
    items[:] = kept
    config.hook.pytest_deselected(items=dropped)


def _in_chosen_mode(item):
    callspec = getattr(item, "callspec", None)
    return callspec is None or callspec.params.get("mode", settings.modes[0]) in settings.modes


def _set_timeout(config, item):
    mark = item.get_closest_marker("timeout")
    given = config.getoption("timeout")  # --timeout N holds for all, as it is; 0: no limit
    seconds = given if given is not None else settings.patience(float(mark.args[0] if mark else config.getini("timeout")))
    item.stash[SECONDS] = seconds
    item.add_marker(pytest.mark.timeout(seconds), append=False)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """A test that is not back some time after its timeout ends the process, with the stacks of all threads on stderr."""
    with _turn(item.config.stash[TURN], item.get_closest_marker("alone") is not None):
        if item.stash[SECONDS] and not pytest_timeout.is_debugging():
            faulthandler.dump_traceback_later(item.stash[SECONDS] + settings.patience(SHUTDOWN_SECONDS), exit=True,
                                              file=item.config.stash[STDERR])
        yield
        faulthandler.cancel_dump_traceback_later()


def pytest_enter_pdb():
    """Whoever looks at a test in a debugger takes the time they need."""
    faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def _turn(path, alone):
    """A test marked `alone` waits until no other worker runs one, and the others wait for it."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


# pytest-xdist


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["echod_folder"] = settings.folder


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from .scheduling import FewAtOnce
    return FewAtOnce(config, log)


# Fixtures


@pytest.fixture(autouse=True)
def no_process_stays(request):
    """Whatever a test starts has ended when the test has; else it is killed, and the test has failed. Servers that tests share may stay."""
    before = _own_processes()
    yield
    left = [pid for pid in _own_processes() - before - SharedServers.processes() if procfs.is_running(pid)]
    said = [procfs.command(pid) for pid in left]
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if said and FAILED not in request.node.stash:
        raise Failure(f"the test has left running: {', '.join(said)}")


def _own_processes():
    return set(procfs.children(os.getpid()))


@pytest.fixture
def mode(request):
    """The mode that the test runs in; "" if it is marked `modeless`, which leaves the choice to the server."""
    return getattr(request, "param", "")


@pytest.fixture(scope="session")
def shared_servers(pytestconfig):
    yield pytestconfig.stash[SHARED]
    pytestconfig.stash[SHARED].drop_all()


@pytest.fixture
def server(request, mode, shared_servers):
    """A running server in this mode that the test shares with others; the marker `flags` names its flags."""
    yield _lend(request.node, mode, shared_servers)
    _check_lent(request.node, shared_servers)


@pytest.fixture
def servers(request, shared_servers):
    """Such a server for each mode."""
    yield {mode: _lend(request.node, mode, shared_servers) for mode in settings.modes}
    _check_lent(request.node, shared_servers)


def _lend(item, mode, shared_servers):
    mark = item.get_closest_marker("flags")
    key = (mode, mark.args if mark else ())
    item.stash.setdefault(USED, []).append(key)
    return shared_servers.get(*key)


def _check_lent(item, shared_servers):
    if FAILED not in item.stash:
        for key in item.stash[USED]:
            shared_servers.check_alive(key)


@pytest.fixture
def start(request, mode):
    """start(*flags, ...): a server of the test's own, on a free port unless it says otherwise. It must end well, too."""
    servers = request.node.stash.setdefault(OWN, [])

    def start(*flags, listen=True, mode=mode, **options):
        flags = (LISTEN if listen else ()) + tuple(str(flag) for flag in flags)
        servers.append(Server(mode, flags, **options))
        return servers[-1]

    yield start
    try:
        if FAILED not in request.node.stash:
            for server in servers:
                server.finish()
    finally:
        for server in servers:
            server.close()


@pytest.fixture
def folder():
    """An empty folder of the test's own, whose path is short enough for a Unix socket."""
    path = tempfile.mkdtemp(dir=settings.folder)
    if settings.launched:  # the server may run as another user, and makes its sockets there
        os.chmod(path, 0o777)
    yield path
    shutil.rmtree(path, ignore_errors=True)


# What a failed test says of its servers


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if not report.failed:
        return
    item.stash[FAILED] = True
    for server in item.stash.get(OWN, ()):
        with contextlib.suppress(ValueError):  # it is closed
            if server.child.poll() is not None and server.child.returncode < 0:
                _add_section(report, f"{server}", f"it has ended: status {server.child.returncode}")
            if errors := server.errors():
                _add_section(report, f"stderr of {server}", errors[-3000:])
    for key in item.stash.get(USED, ()):  # the next test gets a new one
        try:
            item.config.stash[SHARED].drop(key)
        except Failure as failure:
            _add_section(report, "then", str(failure))


def _add_section(report, name, text):
    """Where a JUnit file has it, too."""
    if hasattr(report.longrepr, "addsection"):
        report.longrepr.addsection(name, text)
    else:
        report.sections.append((name, text))
