# SPDX-License-Identifier: MIT
"""Run by gdb, without any knowledge of echod's drivers: which connections do the arguments of the threads' frames lead to?

An argument leads to a request if it points to a struct with the member `session`, and the session has a request in progress. Each
is printed as a line: the connection's number, and the request's target.
"""

import gdb


def frames():
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        frame = gdb.newest_frame()
        while frame is not None and frame.is_valid():
            yield frame
            frame = frame.older()


def arguments(frame):
    try:
        block = frame.block()
    except RuntimeError:  # without debug information
        return
    while block is not None:
        for symbol in block:
            if symbol.is_argument:
                yield symbol.value(frame)
        if block.function is not None:
            return
        block = block.superblock


def session_of(argument):
    """The session in the struct that an argument points to; None if it points to no such thing."""
    if argument.type.strip_typedefs().code != gdb.TYPE_CODE_PTR:
        return None
    target = argument.type.strip_typedefs().target().strip_typedefs()
    if target.code != gdb.TYPE_CODE_STRUCT:
        return None
    if target.name == "session":
        return argument.dereference()
    names = [field.name for field in target.fields()]
    return argument["session"] if "session" in names else None


def request_of(argument):
    """(number, target) of the request that an argument leads to, or None."""
    if argument.is_optimized_out:
        return None
    try:
        session = session_of(argument)
        if session is None or not int(session["exchange"]):
            return None
        target = session["exchange"]["request"]["target"]
        return int(session["number"]), target["data"].string(length=int(target["length"]))
    except (gdb.error, UnicodeDecodeError):  # what the argument was has left its register
        return None


gdb.execute("set print frame-arguments none")
found = {request for frame in frames() for argument in arguments(frame) if (request := request_of(argument))}
for number, path in sorted(found):
    print("request", number, path)
