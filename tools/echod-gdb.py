# SPDX-License-Identifier: MIT
"""Commands for gdb that show what echod does, in a live process and in a core file alike: see docs/debugging.md.

    echod connections   one line for each connection
    echod loops         one line for each event loop
    echod workers       one line for each thread that runs handlers or serves connections, or for each child process
    echod where N       where connection N stands: its logical backtrace

They read memory by the types and variables of echod.debug, and run nothing in the process. All begins at the variable `echod` of
server/main.c: its server's `mode_state` leads to every connection that is served, and its acceptor to every one that is refused."""

import ipaddress
import re
import socket
import time

import gdb
import gdb.unwinder

LIST_MAX = 10_000_000  # connections that a server has at most: a list that is longer is broken
SHOWN_MAX = 300  # bytes of a request
FRAMES_MAX = 64
NO_SYMBOLS = "this is not echod, or gdb lacks the echod.debug of this very build: load it with `symbol-file echod.debug`"


class NotFound(gdb.GdbError):
    """What a command needs is not there."""


# ---- memory ----


def variable(name):
    """The value of a static variable, whichever file it is in. Optimised across files it is there twice: as it is declared, and with its
    address."""
    for symbol in gdb.lookup_static_symbols(name):
        if symbol.addr_class == gdb.SYMBOL_LOC_STATIC:
            return symbol.value()
    raise NotFound(f"no variable `{name}`: {NO_SYMBOLS}")


def pointer_to(type_name):
    try:
        return gdb.lookup_type(type_name).pointer()
    except gdb.error as error:
        raise NotFound(f"no type `{type_name}`: {NO_SYMBOLS}") from error


def enumerator(enum, value, prefix):
    """The name of an enumerator, without what all names of its enum begin with."""
    for field in gdb.lookup_type(enum).fields():
        if field.enumval == int(value):
            return field.name.removeprefix(prefix)
    return f"{int(value)}?"


def items(array, count):
    """The first elements of an array whose type may not say how many it has."""
    first = array[0].address
    return (first[i] for i in range(int(count)))


def queue(head, link, first="tqh_first", following="tqe_next"):
    """The elements of a list of sys/queue.h: a TAILQ unless told otherwise."""
    element = head[first]
    for _ in range(LIST_MAX):
        if int(element) == 0:
            return
        yield element.dereference()
        element = element[link][following]
    raise NotFound("a list has no end: the process was stopped while it changed it, or its memory is damaged")


def stailq(head, link):
    return queue(head, link, "stqh_first", "stqe_next")


def list_of(head, link):
    return queue(head, link, "lh_first", "le_next")


def printable(data):
    text = "".join(chr(byte) if 0x20 <= byte < 0x7f else f"\\x{byte:02x}" for byte in data[:SHOWN_MAX])
    return text + ("…" if len(data) > SHOWN_MAX else "")


def read_span(span):
    length = int(span["length"])
    return gdb.selected_inferior().read_memory(int(span["data"]), length).tobytes() if length > 0 else b""


def read_buffer(buffer):
    """The bytes of a struct buffer; those of none are empty."""
    if int(buffer) == 0:
        return b""
    start = int(buffer["start"])
    return gdb.selected_inferior().read_memory(int(buffer["data"].address) + start, int(buffer["end"]) - start).tobytes()


def symbol_at(pointer):
    """The name of what a pointer points to."""
    match = re.search(r"<([\w.]+)", pointer.format_string(symbols=True))
    return match[1].split(".")[0] if match else f"{int(pointer):#x}"


def seconds(us):
    return f"{us / 1e6:.1f} s"


def peer_text(peer):
    address = bytes(int(peer["address"][i]) for i in range(16))
    if int(peer["family"]) == socket.AF_INET:
        return f"{ipaddress.IPv4Address(address[:4])}:{int(peer['port'])}"
    if int(peer["family"]) == socket.AF_INET6:
        return f"[{ipaddress.IPv6Address(address)}]:{int(peer['port'])}"
    return "unix:"


# ---- threads and stacks ----


def threads_by_handle():
    """gdb's threads by their pthread_t, which libthread_db knows; without that library, on x86-64, it is the register fs_base."""
    found = {}
    for thread in gdb.selected_inferior().threads():
        try:
            found[int.from_bytes(thread.handle(), "little")] = thread
        except gdb.error:
            with Stack(thread):
                try:
                    found[int(gdb.newest_frame().read_register("fs_base"))] = thread
                except ValueError:
                    pass
    return found


def main_thread():
    """The one whose number is that of the process; None if gdb does not know it."""
    return next((thread for thread in gdb.selected_inferior().threads() if thread.ptid[1] == thread.ptid[0]), None)


def thread_text(thread):
    return "no thread" if thread is None else f"thread {thread.num}, LWP {thread.ptid[1]}"


def frames(frame):
    """A frame and its callers."""
    for _ in range(FRAMES_MAX):
        if frame is None:
            return
        yield frame
        frame = frame.older()


def frame_symbols(frame):
    """The arguments and variables of a frame's function with their values, as far as the optimiser has kept them."""
    try:
        block = frame.block()
    except RuntimeError:  # no debug information
        return
    while block is not None and not block.is_global and not block.is_static:
        for symbol in block:
            if symbol.is_argument or symbol.is_variable:
                try:
                    value = symbol.value(frame)
                    value.fetch_lazy()
                    yield symbol, None if value.is_optimized_out else value
                except (gdb.error, TypeError):
                    yield symbol, None
        if block.function is not None:
            return
        block = block.superblock


def argument_text(value):
    if value is None:
        return "…"
    if value.type.strip_typedefs().code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_ARRAY):
        return "{…}"
    return value.format_string(symbols=False)


def frame_text(frame):
    arguments = ", ".join(f"{symbol.name}={argument_text(value)}" for symbol, value in frame_symbols(frame) if symbol.is_argument)
    line = frame.find_sal()
    place = f" at {line.symtab.filename}:{line.line}" if line.symtab else ""
    return f"{frame.name() or '??'} ({arguments}){place}"


class Stack:
    """The frames of a thread, selected for as long as the object is in a `with`."""

    def __init__(self, thread):
        self.thread = thread

    def __enter__(self):
        self.selected = gdb.selected_thread(), gdb.selected_frame()
        self.thread.switch()
        return frames(gdb.newest_frame())

    def __exit__(self, *_):
        self.selected[0].switch()
        self.selected[1].select()


class FiberUnwinder(gdb.unwinder.Unwinder):
    """While it is enabled, the frame that called the innermost one is where a fiber waits: gdb then unwinds the fiber's stack instead of
    the thread's. The registers are those that jump_fcontext of Boost.Context has pushed there; no register of the process is changed."""

    # By architecture: the names of the stack pointer and the program counter; what may stand before the registers (the pointer of CET's
    # shadow stack, the stack protector's guard); where each register is, from the saved context on; the size of it all.
    LAYOUTS = {
        "i386:x86-64": ("rsp", "rip", (0, 8, 16),
                        {name: 8 + 8 * i for i, name in enumerate(("r12", "r13", "r14", "r15", "rbx", "rbp", "rip"))}, 0x40),
        "aarch64": ("sp", "pc", (0,), {**{f"x{19 + i}": 0x40 + 8 * i for i in range(12)}, "pc": 0xa0}, 0xb0),
    }

    def __init__(self):
        super().__init__("echod fiber")
        self.enabled = False
        self.context = 0

    def __call__(self, pending):
        if pending.level() != 0:
            return None
        stack_pointer, counter, _, offsets, size = self.layout
        info = pending.create_unwind_info(FrameId(self.context, int(pending.read_register(counter))))
        for register, offset in offsets.items():
            info.add_saved_register(register, self.word(offset, pending.read_register(register).type))
        type_of_sp = pending.read_register(stack_pointer).type
        info.add_saved_register(stack_pointer, gdb.Value(self.context + self.shift + size).cast(type_of_sp))
        return info

    def word(self, offset, as_type):
        return gdb.Value(self.context + self.shift + offset).cast(as_type.pointer()).dereference()

    def texts(self, frame):
        """Of the frames up to the one that the fiber begins with: behind that are no more."""
        for each in frames(frame):
            yield frame_text(each)
            if each.name() == "fiber_main":
                return

    def frames_of(self, context):
        """The texts of the frames of a fiber that waits, by its saved context."""
        architecture = gdb.selected_inferior().architecture().name()
        if architecture not in self.LAYOUTS:
            raise NotFound(f"the stacks of fibers are not known on {architecture}")
        self.layout, self.context = self.LAYOUTS[architecture], context
        counter = self.layout[1]
        number = gdb.lookup_type("unsigned long")
        for self.shift in self.layout[2]:
            pc = int(self.word(self.layout[3][counter], number))
            block = gdb.block_for_pc(pc)
            if block is not None and block.function is not None:
                break
        else:
            raise NotFound("the saved registers of the fiber are not where this Boost.Context was expected to keep them")
        self.enabled = True
        gdb.invalidate_cached_frames()
        try:
            return list(self.texts(gdb.newest_frame().older()))
        finally:
            self.enabled = False
            gdb.invalidate_cached_frames()


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = gdb.Value(sp), gdb.Value(pc)


# ---- a session: common/session ----


class Session:
    """What a struct session says of itself."""

    def __init__(self, value):
        self.value = value
        self.number = int(value["number"])
        self.state = enumerator("enum session_state", value["state"], "STATE_")
        exchange = value["exchange"]
        self.exchange = exchange.dereference() if int(exchange) != 0 else None
        self.unsent = int(value["out_committed"])
        self.started_us = int(value["started_us"])

    @property
    def peer(self):
        return peer_text(self.value["peer"])

    @property
    def pending(self):
        waits = self.state == "ANSWER" and self.exchange is not None
        return enumerator("enum pending", self.exchange["pending"], "PENDING_") if waits else "NOTHING"

    @property
    def wants(self):
        """As session_wants says, but for its limits of memory: with unsent answers they keep a session from reading."""
        if self.state == "CLOSING":
            abort = enumerator("enum close_mode", self.value["close_mode"], "CLOSE_") == "ABORT"
            return "WRITE" if self.unsent and not abort else "CLOSE"
        waits = {"NOTHING": "", "STALL": "", "WAIT": "WAIT", "WORK": "WORK"}[self.pending]
        if not self.unsent:
            return waits or "READ"
        reads = not self.value["ended"] and int(self.value["input_dropped"]) == 0
        return "|".join(filter(None, ("READ" if reads else "", "WRITE", waits if waits == "WAIT" else "")))

    @property
    def request(self):
        """The request in progress, as far as it is in memory."""
        if self.exchange is not None:
            request = self.exchange["request"]
            method = enumerator("enum llhttp_method", request["method"], "HTTP_")
            return f"{method} {printable(read_span(request['target']))}"
        if self.state in ("HEAD", "REFUSED_LINE"):
            return printable(read_buffer(self.value["in"]).split(b"\r\n")[0]) + " (incomplete head)"
        return "(being read now)" if self.state in ("BODY", "ANSWER") else "-"

    @property
    def handler(self):
        """The handler's name and its path in the table of routes; None if an error answers the request."""
        if self.exchange is None or int(self.exchange["handler"]) == 0:
            return None
        handler = self.exchange["handler"]
        paths = [printable(read_span(row["path"])) for row in self.routes() if int(row["handler"]) == int(handler)]
        return f"handler {symbol_at(handler).removesuffix('_handler')} (of {', '.join(paths)})"

    def routes(self):
        row = self.exchange["request"]["service"]["routes"]["rows"]
        while int(row["handler"]) != 0:
            yield row.dereference()
            row = row + 1

    def waits_for(self, alarm_us, now_us):
        """What must happen before it goes on, in words."""
        if self.pending == "WAIT":
            whole = int(self.exchange["wait_ms"]) * 1000
            due = f"due in {seconds(max(alarm_us - now_us, 0))} of {seconds(whole)}" if alarm_us else f"of {seconds(whole)}"
            return f"a timer {due}, {'for the rest of its answer' if self.exchange['begun'] else 'before it answers'}"
        if self.pending == "WORK":
            return f"its work, {symbol_at(self.exchange['response']['work']['run'])}({int(self.exchange['response']['work']['input'])})"
        if self.unsent:
            return f"the client to take {self.unsent} bytes of answers"
        if self.pending == "STALL":
            return "the client to end: its answer stalls, as it was asked to"
        if self.state == "BODY" and self.exchange is not None:
            seen, left = int(self.exchange["body_seen"]), int(self.exchange["left"])
            chunked = enumerator("enum framing", self.exchange["request"]["framing"], "FRAMING_") == "CHUNKED"
            return f"the request's body: {seen} bytes have come" + ("" if chunked else f", {left} are missing")
        return {"PROXY": "the header of the PROXY protocol", "START": "a request", "HEAD": "the rest of a head",
                "REFUSED_LINE": "the rest of a malformed request line", "CLOSING": "nothing: it is about to close"}.get(
                    self.state, "nothing: it is being served")


# ---- connections: server/drivers and server/modes ----


class Connection:
    """A connection where a driver holds it. `thread` drives it; with `own_stack` it does nothing else."""

    def __init__(self, place, session=None, fd=None, thread=None, own_stack=False, alarm_us=0, woken_by="", fiber=None, address=0,
                 lingers=False, accepted=None, state="ACCEPTED", note=""):
        self.session = Session(session) if session is not None else None
        self.place, self.fd, self.thread, self.own_stack = place, fd, thread, own_stack
        self.woken_by, self.fiber, self.address, self.lingers, self.note = woken_by, fiber, address, lingers, note
        self.state = "LINGERING" if lingers else self.session.state if self.session else state
        restarted = self.session is not None and bool(session["wait_restarted"])
        self.alarm_us = 0 if restarted else alarm_us
        self.number = self.session.number if self.session else int(accepted["number"]) if accepted is not None else None
        self.peer = self.session.peer if self.session else peer_text(accepted["peer"]) if accepted is not None else ""

    @property
    def wants(self):
        return "-" if self.lingers or self.session is None else self.session.wants

    @property
    def request(self):
        return self.note or ("-" if self.lingers or self.session is None else self.session.request)

    def owns(self, work):
        exchange = None if self.lingers or self.session is None else self.session.exchange
        return exchange is not None and int(exchange["response"]["work"].address) == int(work)


def reactor_connections(reactor, place, thread):
    """Those of a struct reactor, and those for which it had no memory."""
    lingering = int(gdb.parse_and_eval("REACTOR_LINGERING"))
    lists = reactor["core"]["lists"]
    for number in range(lists.type.range()[1] + 1):
        for c in queue(lists[number], "others"):
            alarm_us = int(c["alarm_us"]) if c["timed"] and number != lingering else 0
            woken_by = "connection_work_done(), when a worker has run the work" if c["working"] else "connection_on_event()"
            yield Connection(place, c["session"], int(c["event"]["ev_fd"]), thread, alarm_us=alarm_us, woken_by=woken_by,
                             address=int(c.address), lingers=number == lingering)
    for entry in items(reactor["last_resort"]["entries"], reactor["last_resort"]["count"]):
        yield Connection(f"{place}, without memory", accepted=entry["accepted"], fd=int(entry["accepted"]["fd"]),
                         lingers=bool(entry["answered"]))


def inbox_connections(inbox, place):
    """Those that the acceptor has passed on and the loop has not taken yet."""
    for accepted in items(inbox["waiting"]["items"], inbox["waiting"]["count"]):
        yield Connection(f"on its way to {place}", accepted=accepted, fd=int(accepted["fd"]))


def blocking_connection(blocking, place, thread, address):
    """That of a struct blocking."""
    activity = enumerator("enum activity", blocking["context"]["counters"]["activity"], "ACTIVITY_")
    return Connection(place, blocking["session"], int(blocking["fd"]), thread, own_stack=True, alarm_us=int(blocking["alarm_us"]),
                      woken_by="the return of the call in which its own thread waits", address=address, lingers=activity == "LINGERING")


def is_used(counters):
    return int(counters) != 0 and enumerator("enum activity", counters["activity"], "ACTIVITY_") != "NONE"


class Mode:
    """What a mode's `mode_state` holds. A subclass for each type of it."""

    def __init__(self, state):
        self.state = state
        self.threads = threads_by_handle()

    def thread_of(self, handle):
        return self.threads.get(int(handle))

    def connections(self):
        return iter(())

    def loops(self):
        """Of each: number, thread, how many connections it has, its counters, whether it drains."""
        return iter(())

    def workers(self):
        """Of each: number, thread, counters, and the address of the work that it runs, 0 for none; where workers serve connections, the number
        of a connection."""
        return iter(())


class Loops(Mode):
    """event, hybrid and fiber: struct loops."""

    TYPE = "struct loops"

    def each(self):
        for number, loop in enumerate(items(self.state["items"], self.state["count"])):
            yield number, loop, self.thread_of(loop["thread"])

    def connections(self):
        for number, loop, thread in self.each():
            place = f"loop {number}"
            yield from reactor_connections(loop["reactor"], place, thread)
            yield from inbox_connections(loop["inbox"], place)
            if int(loop["driver"]) != 0:
                yield from self.fibers(loop["state"].cast(pointer_to("struct fibers")), place, thread)

    def fibers(self, fibers, place, thread):
        for c in queue(fibers["all"], "others"):
            woken_by = "fiber_connection_wake(), " + ("when a worker has run the work" if c["working"] else "by on_socket() or on_timer()")
            yield Connection(place, c["session"], int(c["fd"]), thread, alarm_us=int(c["alarm_us"]), woken_by=woken_by,
                             fiber=c["fiber"], address=int(c.address))

    def loops(self):
        for number, loop, thread in self.each():
            core = loop["reactor"]["core"]
            yield number, thread, int(core["count"]), core["context"]["counters"], core["draining"]

    def workers(self):
        workers = self.state["workers"]
        if int(workers) == 0:
            return
        for number, worker in enumerate(items(workers["items"], workers["count"])):
            thread = self.thread_of(worker["thread"])
            yield number, thread, worker["counters"], running_work(thread)

    def queued(self):
        """The pieces of work that wait for a worker."""
        workers = self.state["workers"]
        return [int(work.address) for work in stailq(workers["list"], "next")] if int(workers) != 0 else []


def running_work(thread):
    """The address of the work that a thread runs, from the frame of worker_run; 0 if it runs none."""
    if thread is None:
        return 0
    with Stack(thread) as stack:
        for frame in stack:
            if frame.name() == "worker_run":
                return max((int(value) for symbol, value in frame_symbols(frame) if symbol.name == "work" and value is not None),
                           default=0)
    return 0


class Threads(Mode):
    """thread: struct threads."""

    TYPE = "struct threads"

    def connections(self):
        for client in list_of(self.state["taken"], "others"):
            if is_used(client["counters"]):
                thread = self.thread_of(client["thread"])
                yield blocking_connection(client["blocking"], thread_text(thread), thread, int(client["blocking"].address))
            else:
                yield Connection("its thread begins or ends", accepted=client["accepted"])


class Pool(Mode):
    """pool: struct pool."""

    TYPE = "struct pool"

    def each(self):
        for number, worker in enumerate(items(self.state["workers"], self.state["worker_count"])):
            yield number, worker, self.thread_of(worker["thread"])

    def connections(self):
        for number, worker, thread in self.each():
            if is_used(worker["counters"]):
                yield blocking_connection(worker["blocking"], f"worker {number}", thread, int(worker["blocking"].address))
        first, count, capacity = (int(self.state[name]) for name in ("first", "count", "capacity"))
        for i in range(count):
            accepted = self.state["queue"][(first + i) % capacity]["accepted"]
            yield Connection("waits for a worker", accepted=accepted, fd=int(accepted["fd"]))
        yield from lingerer_connections(self.state["lingerers"])

    def workers(self):
        for number, worker, thread in self.each():
            yield number, thread, worker["counters"], int(worker["blocking"]["session"]["number"]) if is_used(worker["counters"]) else None


def lingerer_connections(lingerers):
    """Lingering closes in the main thread."""
    yield from reactor_connections(lingerers["reactor"], "main thread", main_thread())
    yield from inbox_connections(lingerers["inbox"], "main thread")


class Processes(Mode):
    """process: struct processes in the parent; in a child, the variable child_blocking."""

    TYPE = "struct processes"

    def is_child(self):
        return int(variable("child_log")) != 0

    def connections(self):
        if self.is_child():
            blocking = variable("child_blocking")
            yield blocking_connection(blocking, "this process", gdb.selected_thread(), int(blocking.address))
            return
        for child, counters in self.children():
            yield Connection(f"process {child}", state=activity_text(counters, "begins").upper(),
                             note=f"(in the memory of process {child}: attach to that, or read its core)")

    def children(self):
        for child in items(self.state["children"], self.state["size"]):
            if int(child["id"]) != 0:
                yield int(child["id"]), child["counters"]

    def workers(self):
        if not self.is_child():
            for child, counters in self.children():
                yield child, None, counters, None


class Rings(Mode):
    """uring: struct uring."""

    TYPE = "struct uring"

    def each(self):
        for number, loop in enumerate(items(self.state["loops"], self.state["count"])):
            yield number, loop, self.thread_of(loop["thread"])

    def connections(self):
        for number, loop, thread in self.each():
            place = f"loop {number}"
            lists = loop["lists"]
            for i in range(lists.type.range()[1] + 1):
                for c in queue(lists[i], "others"):
                    yield self.connection(c, place, thread)
            for c in stailq(loop["arrived"], "next"):
                yield self.connection(c, f"on its way to {place}", thread)
        yield from lingerer_connections(self.state["lingerers"])

    def connection(self, c, place, thread):
        return Connection(place, c["session"], int(c["fd"]), thread, alarm_us=int(c["alarm_us"]),
                          woken_by="uring_connection_complete(), by the completion of an operation", address=int(c.address))

    def loops(self):
        for number, loop, thread in self.each():
            yield number, thread, int(loop["count"]), loop["context"]["counters"], loop["draining"]


MODES = {"event": Loops, "hybrid": Loops, "fiber": Loops, "thread": Threads, "pool": Pool, "process": Processes, "uring": Rings}


# ---- the server ----


class Server:
    """The server in the selected process or core file."""

    def __init__(self):
        self.value = variable("echod")
        self.server = self.value["server"]
        if gdb.selected_thread() is None:
            raise NotFound("there is neither a process nor a core file")
        if int(self.server["mode"]) == 0 or int(self.server["mode_state"]) == 0:
            raise NotFound("the server has not started yet, or is about to end")
        self.mode_name = self.server["mode"]["name"].string()
        if self.mode_name not in MODES:
            raise NotFound(f"this script does not know the mode `{self.mode_name}`")
        mode = MODES[self.mode_name]
        self.mode = mode(self.server["mode_state"].cast(pointer_to(mode.TYPE)).dereference())

    def connections(self):
        """All that the process holds, by number; those without a number last."""
        found = list(self.mode.connections())
        if not (isinstance(self.mode, Processes) and self.mode.is_child()):
            acceptor = self.value["acceptor"]
            found += (Connection("waits for a place", accepted=accepted, fd=int(accepted["fd"]))
                      for accepted in items(acceptor["queue"]["items"], acceptor["queue"]["count"]))
            found += reactor_connections(acceptor["refusals"], "refused, main thread", main_thread())
            if int(acceptor["admin"]["listeners"]) != 0 and int(acceptor["admin"]["listeners"]["count"]) > 0:
                found += reactor_connections(acceptor["admin"]["reactor"], "admin, main thread", main_thread())
        return sorted(found, key=lambda c: (c.number is None, c.number or 0))

    def now_us(self, connections):
        """The time of the server's clock: now in a live process. In a core the latest time found in it, which is at most a second early."""
        target = gdb.selected_inferior().connection
        if target is not None and target.type == "native":
            return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        dated = int(self.server["service"]["scoreboard"]["date_ms"]) * 1000
        return max([dated, *(c.session.started_us for c in connections if c.session)])


def age(connection, now_us):
    started = connection.session.started_us if connection.session and not connection.lingers else 0
    return seconds(max(now_us - started, 0)) if started else "-"


def print_table(heads, rows):
    """Columns as wide as their widest text; the last one as long as it is."""
    rows = [heads, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads) - 1)]
    for row in rows:
        print("  ".join([cell.ljust(width) for cell, width in zip(row, widths)] + [row[-1]]).rstrip())


def activity_text(counters, idle):
    """What the owner of counters does; `idle` if they do not say."""
    name = enumerator("enum activity", counters["activity"], "ACTIVITY_")
    return idle if name == "NONE" else name.lower()


def innermost(thread):
    """The innermost function of a thread, and the innermost of echod's own."""
    if thread is None:
        return "-"
    with Stack(thread) as stack:
        names = [(frame.name() or "??", frame.find_sal().symtab) for frame in stack]
    own = next((name for name, table in names if table and re.search(r"/(server|common)/", table.fullname())), None)
    return f"in {names[0][0]}" + (f", called by {own}" if own and own != names[0][0] else "")


# ---- the commands ----


class Command(gdb.Command):
    """One function a command; what gdb says of memory that it cannot read becomes one line. `pattern`: what may stand behind the
    name; `usage`: the same in words."""

    def __init__(self, name, function, pattern="", usage=""):
        self.__doc__ = function.__doc__  # what `help` says
        self.function, self.pattern = function, pattern
        self.usage = f"usage: echod {name}{usage}"
        super().__init__(f"echod {name}", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        argument = argument.strip()
        if not re.fullmatch(self.pattern, argument, re.ASCII):
            raise gdb.GdbError(self.usage)
        try:
            with gdb.with_parameter("max-value-size", None):  # the memory of a connection in mode thread is larger
                self.function(argument)
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"{error}: the memory is damaged, or not in this core file") from error


def show_connections(_):
    """List the connections: number, peer, state, what each wants, the age of its request, who holds it, its request."""
    server = Server()
    connections = server.connections()
    now_us = server.now_us(connections)
    print_table(["number", "peer", "state", "wants", "age", "where", "request"],
                [("-" if c.number is None else c.number, c.peer or "-", c.state, c.wants, age(c, now_us),
                  c.place, c.request) for c in connections])
    print(f"connections: {len(connections)}, mode: {server.mode_name}")


def show_loops(_):
    """List the event loops: number, thread, connections, what each does."""
    server = Server()
    rows = list(server.mode.loops())
    if not rows:
        print(f"mode {server.mode_name} has no loops but the acceptor's")
        return
    print_table(["loop", "thread", "connections", "does", "frame"],
                [(number, thread_text(thread), count, activity_text(counters, "serves") + (", drains" if draining else ""),
                  innermost(thread)) for number, thread, count, counters, draining in rows])


def show_workers(_):
    """List the workers of hybrid, fiber and pool, or the children of process: thread, what each does, for which connection."""
    server = Server()
    connections = server.connections()
    rows = list(server.mode.workers())
    if not rows:
        print(f"mode {server.mode_name} has no workers")
        return
    shown = []
    for number, thread, counters, what in rows:
        busy = what and isinstance(server.mode, Loops)
        owner = next((c.number for c in connections if c.owns(what)), "-") if busy else what or "-"
        shown.append((number, "-" if thread is None else thread_text(thread), activity_text(counters, "is free"), owner,
                      innermost(thread)))
    print_table(["child" if isinstance(server.mode, Processes) else "worker", "thread", "does", "connection", "frame"], shown)
    if isinstance(server.mode, Loops):
        print(f"pieces of work that wait: {len(server.mode.queued())}")


def show_where(argument):
    """Show where a connection stands: echod where N, with N as `echod connections` lists it."""
    server = Server()
    connections = server.connections()
    found = next((c for c in connections if c.number == int(argument)), None)
    if found is None:
        raise gdb.GdbError(f"there is no connection {argument}; `echod connections` lists those that are here")
    descriptor = f", descriptor {found.fd}" if found.fd is not None else ""
    print(f"connection {found.number} from {found.peer} ({server.mode_name}, {found.place}{descriptor}): state {found.state}")
    if found.session is None or found.lingers:
        print("  waits for its client to close, after the last answer" if found.lingers else "  is not served yet")
        return
    where_session(found, server.now_us(connections))
    where_stack(server, found)


def where_session(connection, now_us):
    session = connection.session
    if session.request != "-":
        ordinal = f", request {int(session.value['requests'])} of the connection" if session.exchange is not None else ""
        began = f" since {age(connection, now_us)}" if session.started_us else ""
        print(f"  {session.request}{began}{ordinal}")
    if session.handler:
        print(f"  {session.handler}")
    print(f"  waits for {session.waits_for(connection.alarm_us, now_us)}")
    timer = enumerator("enum timer", session.value["timer"], "TIMER_").lower()
    print(f"  wants {session.wants}, timeout: {timer}, woken by {connection.woken_by}")


def where_stack(server, connection):
    """The connection's own frames: of its fiber or thread, and of the worker that runs its work; or of the loop while that is at it."""
    is_fiber = connection.fiber is not None and not is_at(connection.thread, connection.address)
    if is_fiber:
        print("  the stack of its fiber:")
        print_frames(unwinder.frames_of(int(connection.fiber["context"])))
    for number, thread, _, work in server.mode.workers() if isinstance(server.mode, Loops) else ():
        if work and connection.owns(work):
            print(f"  the stack of worker {number} ({thread_text(thread)}), which runs its work:")
            print_frames_of(thread)
            return
    if is_fiber:
        return
    if connection.thread is None:
        print("  its thread is not known to gdb")
    elif connection.own_stack:
        print(f"  the stack of its thread ({thread_text(connection.thread)}):")
        print_frames_of(connection.thread)
    elif is_at(connection.thread, connection.address):
        print(f"  the stack of {connection.place} ({thread_text(connection.thread)}), which is at it now:")
        print_frames_of(connection.thread)
    else:
        print(f"  it has no stack of its own; its loop's ({thread_text(connection.thread)}) is {innermost(connection.thread)}")


def is_at(thread, address):
    """Whether an argument or a variable of one of the thread's frames points to the connection."""
    if thread is None:
        return False
    with Stack(thread) as stack:
        return any(value is not None and value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR and int(value) == address
                   for frame in stack for _, value in frame_symbols(frame))


def print_frames(texts):
    for number, text in enumerate(texts):
        print(f"    #{number}  {text}")


def print_frames_of(thread):
    with Stack(thread) as stack:
        print_frames(map(frame_text, stack))


class Echod(gdb.Command):
    """What echod does: connections, loops, workers, where."""

    def __init__(self):
        super().__init__("echod", gdb.COMMAND_STATUS, prefix=True)

    def invoke(self, argument, from_tty):
        gdb.execute("help echod")


unwinder = FiberUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)
unwinder.enabled = False
Echod()
Command("connections", show_connections)
Command("loops", show_loops)
Command("workers", show_workers)
Command("where", show_where, r"\d+", " N, with N as `echod connections` lists it")
