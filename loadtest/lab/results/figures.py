# SPDX-License-Identifier: MIT
"""The catalogue of figures: what an experiment may measure, in which unit, which way is better, and what it means."""

from dataclasses import asdict, dataclass

from ..text import units


@dataclass(frozen=True)
class Figure:
    name: str
    title: str  # heads a column
    unit: str  # "/s", "ns", "µs", "ms", "s", "bytes", "MB/s", "%", or "" for a plain number
    better: str  # lower, higher or none
    meaning: str
    log: bool = False  # best drawn on a logarithmic axis

    def as_dict(self):
        return asdict(self)


_PHASES = {"alone": "nothing beside them", "computing": "requests that compute beside them",
           "blocking": "requests that block their thread beside them", "slow": "slow clients beside them"}


def _blended(name, words):
    """Of a closed loop, alone and beside the other kind."""
    return (
        Figure(f"rate_{name}", f"{name.replace('_', ' ')}/s", "/s", "higher", f"answers per second to {words}"),
        Figure(f"p50_{name}_us", f"p50 {name.replace('_', ' ')}", "µs", "lower", f"median latency of {words}", log=True),
        Figure(f"p99_{name}_us", f"p99 {name.replace('_', ' ')}", "µs", "lower", f"99th percentile of {words}", log=True),
    )


_BLENDED = {"computing": "requests that compute, alone", "waiting": "requests that wait, alone",
            "computing_mixed": "requests that compute, beside those that wait",
            "waiting_mixed": "requests that wait, beside those that compute"}


def _timed(phase, words):
    """Of cheap requests at a constant rate, timed from when they were due."""
    return (
        Figure(f"p50_{phase}_us", f"p50 {phase}", "µs", "lower", f"median latency of the cheap requests with {words}", log=True),
        Figure(f"p99_{phase}_us", f"p99 {phase}", "µs", "lower",
               f"99th percentile of the latency of the cheap requests with {words}; "
               "no figure where more than 1 in 100 was not answered", log=True),
        Figure(f"answered_{phase}", f"answered {phase}", "%", "higher",
               f"share of the cheap requests that were answered, within the deadline if there is one, with {words}"),
        Figure(f"late_{phase}", f"late {phase}", "%", "lower",
               f"share of the cheap requests that were answered after the deadline, with {words}"),
        Figure(f"done_{phase}", f"done {phase}", "", "higher",
               f"answers to the requests that are sent beside the cheap ones ({words})"),
    )


_ALL = (
    Figure("rps", "requests/s", "/s", "higher",
           "answers per second from the first request to the last answer; where the client was at its limit (*), or shared the server's "
           "CPU (&), not the server's alone"),
    Figure("mb_per_s", "MB/s", "MB/s", "higher", "bytes of bodies per second, both ways together, in millions"),
    Figure("p50_us", "p50", "µs", "lower", "latency that half of the requests did not exceed", log=True),
    Figure("p90_us", "p90", "µs", "lower", "latency that 90 per cent of the requests did not exceed", log=True),
    Figure("p99_us", "p99", "µs", "lower", "latency that 99 per cent of the requests did not exceed", log=True),
    Figure("p999_us", "p99.9", "µs", "lower", "latency that 99.9 per cent of the requests did not exceed", log=True),
    Figure("max_us", "slowest", "µs", "lower", "latency of the slowest request", log=True),
    Figure("cpu_us_per_request", "CPU/request", "µs", "lower",
           "user and system time of the server per request, including ended threads and child processes; this figure "
           "tells servers apart where the client is the limit or shares the CPU"),
    Figure("cpu_us_at_rate", "CPU/request at a fixed rate", "µs", "lower",
           "CPU/request at one rate that every server serves easily, so that no cost is shared among requests "
           "that happen to come together"),
    Figure("client_us_per_request", "client's CPU/request", "µs", "none",
           "CPU time of the load client per request; where it shares the server's CPU, it shares the caches, too"),
    Figure("switches_per_request", "switches/request", "", "lower",
           "voluntary and involuntary context switches of all the server's threads, per request"),
    Figure("voluntary_per_request", "voluntary", "", "lower", "switches per request because a thread had to wait"),
    Figure("involuntary_per_request", "involuntary", "", "lower", "switches per request because another thread got the CPU"),
    Figure("server_cpus_busy", "CPUs busy", "", "none", "how many CPUs the server kept busy"),
    Figure("threads", "threads", "", "none", "threads of the server and its child processes, under load"),
    Figure("pss_bytes", "memory", "bytes", "lower",
           "PSS of the server and its child processes under load: user memory, shared pages in proportion", log=True),
    Figure("bytes_per_connection", "memory/connection", "bytes", "lower",
           "user and kernel memory together for each idle connection that was answered once", log=True),
    Figure("address_bytes_per_connection", "address space/connection", "bytes", "none",
           "growth of VmSize for each idle connection that was answered once: the address space reserved, "
           "used or not", log=True),
    Figure("user_bytes_per_connection", "user memory/connection", "bytes", "lower",
           "growth of PSS for each idle connection that was answered once", log=True),
    Figure("kernel_bytes_per_connection", "kernel memory/connection", "bytes", "lower",
           "growth of the kernel's slab, stacks and page tables (/proc/meminfo) for each idle connection that was "
           "answered once, including the client's socket", log=True),
    Figure("stack_bytes_per_connection", "kernel stacks/connection", "bytes", "lower",
           "the part of kernel memory/connection that is kernel stacks: each thread and each process has one", log=True),
    Figure("last_answer_s", "last answer after", "s", "lower", "from the first request to the last answer"),
    Figure("bytes_per_waiter", "memory/waiting request", "bytes", "lower",
           "user and kernel memory together for each request that waits, its connection included", log=True),
    Figure("user_bytes_per_waiter", "user memory/waiting request", "bytes", "lower",
           "growth of PSS for each request that waits", log=True),
    Figure("threads_per_waiter", "threads/waiting request", "", "lower", "threads and processes added for each request that waits"),
    Figure("requests_by_frames", "shown by frames", "", "higher",
           "waiting requests to which an argument of a thread's frame leads gdb"),
    Figure("requests_by_script", "shown by the script", "", "higher", "waiting requests that gdb names with tools/echod-gdb.py"),
    Figure("polls_per_delay", "polls/request", "", "lower",
           "passes of a session within a request that waits: the one that reads it, and those after a wake-up"),
    Figure("wakes_per_delay", "wake-ups/request", "", "lower", "of these passes, those that a wake-up began"),
    Figure("cpu_us_per_waiter", "CPU/waiting request", "µs", "lower",
           "user and system time of the server's whole life, divided by the requests that waited"),
    Figure("answers", "answers", "", "higher", "right answers that came"),
    Figure("capacity", "capacity", "/s", "higher",
           "right answers per second while the server is not overloaded, measured by a closed loop"),
    Figure("asked_per_s", "asked", "/s", "none", "requests per second that were to be sent"),
    Figure("offered_per_s", "offered", "/s", "none", "requests per second that were sent: with a constant rate, as many as asked"),
    Figure("goodput", "goodput", "/s", "higher", "right answers (200) per second that came within the deadline from when they were due"),
    Figure("goodput_share", "goodput/capacity", "%", "higher", "goodput at the rate asked for, as a share of the capacity"),
    Figure("late_per_s", "late", "/s", "lower", "right answers per second that came after the deadline"),
    Figure("refused_per_s", "refused", "/s", "none", "answers with 503 per second"),
    Figure("failed_per_s", "failed", "/s", "lower", "requests per second that got no whole answer, or were never sent"),
    Figure("bytes_per_slow", "memory/slow client", "bytes", "lower", "growth of PSS for each slow client", log=True),
    Figure("open_before", "connections", "", "none", "connections that were open before the crash"),
    Figure("lived_on", "lived on", "", "higher", "connections that were answered after the crash of another"),
    Figure("lived_share", "lived on, share", "%", "higher",
           "connections answered after the crash, as a share of all but the one whose thread or process crashed"),
    Figure("serves_on", "serves on", "", "higher", "1 if a new connection was answered after the crash, else 0"),
    Figure("answers_lost", "answers lost", "", "lower", "requests in flight at SIGTERM that got no right answer"),
    Figure("last_s", "last answer after", "s", "none", "from SIGTERM to the last answer"),
    Figure("exit_s", "end after", "s", "lower", "from SIGTERM to the end of the server"),
    *(figure for phase, words in _PHASES.items() for figure in _timed(phase, words)),
    *(figure for name, words in _BLENDED.items() for figure in _blended(name, words)
      if figure.name not in {f"p{part}_computing_us" for part in (50, 99)}),
    Figure("first_answer_s", "first answer after", "s", "lower", "from the requests, which are sent at once, to the first answer"),
    Figure("mean_answer_s", "mean answer after", "s", "lower", "from the requests to an answer, on average"),
    Figure("lines_run", "lines run through", "", "lower",
           "lines of our code, in all folders, that run for each connection with its requests: what callgrind sees in a build with "
           "line numbers"),
    Figure("lines_run_server", "of them in server/", "", "lower",
           "lines run for sockets, threads and loops, in which the modes differ"),
    Figure("lines_run_common", "of them in common/", "", "lower", "lines run for HTTP, which all modes share"),
    Figure("code_lines", "lines of those files", "", "lower",
           "all lines of the files that contain the lines run, without blank lines and comments: the code "
           "that a reader has to know"),
    Figure("lost_updates", "lost updates", "", "lower", "updates of a shared counter that are missing at the end"),
    Figure("lost_share", "lost", "%", "lower", "lost updates, as a share of all updates"),
    Figure("ns_per_update", "time/update", "ns", "lower", "elapsed time over the updates of all threads", log=True),
    Figure("runs", "runs", "", "none", "how often the program was run"),
    Figure("stopped_runs", "stopped", "", "lower", "runs in which no thread went on"),
    Figure("refused", "refused to compile", "", "none", "1 where clang's thread safety analysis refuses to compile the program"),
    Figure("found", "found in a run", "", "none", "1 where ThreadSanitizer names the fault in a run of the program"),
    Figure("faults", "faulty programs", "", "none", "programs with one fault each, and as many without it"),
    Figure("faults_found", "faults found", "", "higher", "of those programs, how many the tool refuses or names"),
    Figure("false_alarms", "false alarms", "", "lower", "sound programs that the tool complains about"),
    Figure("binary_bytes", "binary", "bytes", "lower", "size of the program file with its symbols, the same for all modes"),
    Figure("program_bytes", "program of one mode", "bytes", "lower",
           "size of a release build that offers this mode alone (ECHOD_MODES), without symbols"),
    Figure("libevent_bytes", "libevent", "bytes", "none",
           "size of the shared library of libevent that this program loads besides: the acceptor uses it in every mode"),
    Figure("startup_ms", "start-up", "ms", "lower", "from fork to the line that says it is listening"),
    Figure("instructions_per_request", "instructions/request", "", "lower",
           "user instructions for a GET /plaintext, counted by callgrind"),
)
FIGURES = {figure.name: figure for figure in _ALL}
MARKS = ("client_limited", "shared", "disturbed", "throttled", "slowed", "runner", "implausible", "unoffered")  # what may spoil a measurement's figures
LATENCIES = ("p50_us", "p90_us", "p99_us", "p999_us", "max_us")  # of a closed loop
REQUESTS = 1000  # in each window behind a rate, a CPU cost or a percentile
_POOLED = {"p99_": 1000, "p999_": 10_000}  # of percentiles so far out, the samples of all rounds together
_TIMED = ("/s", "MB/s", "ns", "µs", "ms", "s")
_EXACT = ("instructions_per_request",)  # counted, however few the requests
# What only the machine knows on which the server's process runs.
OF_PROCESS = frozenset((
    "cpu_us_per_request", "cpu_us_at_rate", "client_us_per_request", "switches_per_request", "voluntary_per_request", "involuntary_per_request",
    "server_cpus_busy", "threads", "pss_bytes", "bytes_per_connection", "address_bytes_per_connection", "user_bytes_per_connection",
    "kernel_bytes_per_connection", "stack_bytes_per_connection", "code_lines", "lines_run", "lines_run_server", "lines_run_common", "binary_bytes",
    "program_bytes", "libevent_bytes", "startup_ms",
    "instructions_per_request", "bytes_per_waiter", "user_bytes_per_waiter", "threads_per_waiter", "polls_per_delay", "wakes_per_delay", "requests_by_frames", "requests_by_script", "cpu_us_per_waiter",
    "bytes_per_slow", "open_before", "lived_on", "lived_share", "serves_on", "answers_lost", "last_s", "exit_s"))


def floor_of(name):
    """(samples that a verdict on a figure needs, whether of all rounds together, else of each): none for counts and sizes."""
    for start, samples in _POOLED.items():
        if name.startswith(start):
            return samples, True
    timed = name in FIGURES and FIGURES[name].unit in _TIMED
    return (REQUESTS, False) if timed or (name.endswith("_per_request") and name not in _EXACT) else (0, False)


def show(name, value):
    """A value as people read it, with its unit."""
    unit = FIGURES[name].unit if name in FIGURES else ""
    if unit == "µs" and 0 < value < 100:
        return f"{units.significant(value)} µs"
    if unit in ("µs", "ms", "s"):
        return units.microseconds(value * {"µs": 1, "ms": 1e3, "s": 1e6}[unit])
    if unit == "ns":
        return f"{units.significant(value)} ns"
    if unit == "bytes":
        return units.size(value)
    if unit == "/s":
        return f"{value:,.0f}/s"
    text = f"{value:,.0f}" if value >= 1000 or value == int(value) else units.significant(value)
    return f"{text} {unit}".strip()
