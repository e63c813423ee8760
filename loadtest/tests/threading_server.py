#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A server with a thread, or with --fork a process, for each connection. Its answers' bodies say which thread it was."""

import signal
import socketserver
import sys
import threading


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            body = str(threading.get_native_id()).encode()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


class Processes(socketserver.ForkingTCPServer):
    request_queue_size = 128


def main(arguments):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with (Processes if "--fork" in arguments else Threads)(("127.0.0.1", 0), Handler) as server:
        print(f"listening on 127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
