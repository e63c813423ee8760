#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands in for echod in the lab's tests. FAKE_FAULT makes it fail: start, die, status, body, stubborn, later. What a request
costs can be told: FAKE_CPU_US of CPU time, FAKE_SWITCHES voluntary context switches, FAKE_DELAY_MS from request to answer.
/block/MS blocks it, and with it all other requests, for so many milliseconds."""

import asyncio
import os
import signal
import sys
import time

FAULT = os.environ.get("FAKE_FAULT", "")
MODES = ("thread", "event")
CPU, SWITCHES, DELAY = (float(os.environ.get(f"FAKE_{name}", 0)) for name in ("CPU_US", "SWITCHES", "DELAY_MS"))
LATER = 200  # requests after which the faults `die` and `later` begin


class Connection(asyncio.Protocol):
    answered = 0

    def __init__(self):
        self.data = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data += data
        answers = []
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].lower()
            size = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
            if len(self.data) < end + 4 + size:
                break
            body = self.data[end + 4:end + 4 + size] if head.startswith(b"post") else b"Hello, World!"
            self.data = self.data[end + 4 + size:]
            if head.startswith(b"get /block/"):
                time.sleep(int(head.split(b" ")[1].removeprefix(b"/block/")) / 1e3)
            answers.append(self.answer(body))
        if DELAY:
            asyncio.get_running_loop().call_later(DELAY / 1e3, self.transport.write, b"".join(answers))
        else:
            self.transport.write(b"".join(answers))
            if answers and b"\r\nconnection: close" in head:
                self.transport.close()

    @staticmethod
    def answer(body):
        Connection.answered += 1
        end = time.thread_time() + CPU / 1e6
        while time.thread_time() < end:
            pass
        for _ in range(int(SWITCHES)):
            time.sleep(1e-5)
        if FAULT == "die" and Connection.answered > LATER:
            os.kill(os.getpid(), signal.SIGABRT)
        late = FAULT == "later" and Connection.answered > LATER
        status = b"404 Not Found" if FAULT == "status" or late else b"200 OK"
        if FAULT == "body":
            body = body[:-1] + b"?"
        return b"HTTP/1.1 %s\r\nServer: fake\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


async def serve(port):
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    if FAULT == "stubborn":
        loop.add_signal_handler(signal.SIGTERM, lambda: None)
    else:
        loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_server(Connection, "127.0.0.1", port)
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()


def main(arguments):
    if "--version" in arguments:
        print("fake 1.0")
        return 0
    mode = arguments[arguments.index("--mode") + 1]
    if mode not in MODES:
        print(f"fake: --mode '{mode}': allowed: {', '.join(MODES)}", file=sys.stderr)
        return 2
    if FAULT == "start":
        print("fake: no", file=sys.stderr)
        return 1
    asyncio.run(serve(int(arguments[arguments.index("--port") + 1]) if "--port" in arguments else 0))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
