# SPDX-License-Identifier: MIT
"""Headless Chromium and a page server for it, each on its own."""

import http.server
import os
import queue
import signal
import subprocess
import tempfile
import threading
from functools import partial

# Without the network parts: they would look for hosts that the machine need not reach.
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr",
         "--hide-scrollbars", "--force-device-scale-factor=1"]
PATIENCE = 120  # seconds after which a browser is held to be stuck


class Browser:
    """A browser at a page, as a context. What it writes goes to files, so that it cannot block."""

    def __init__(self, url, *flags):
        self._folder = tempfile.TemporaryDirectory()
        self._output = tempfile.TemporaryFile()
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            ["chromium", *FLAGS, f"--user-data-dir={self._folder.name}", *flags, url], stdin=subprocess.DEVNULL,
            stdout=self._output, stderr=self._errors, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop()
        self._output.close()
        self._errors.close()
        self._folder.cleanup()

    def _stop(self):
        """Ends the browser and the processes it started: they are a session of their own."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()

    def output(self):
        """What it printed, once it has ended by itself."""
        self._process.wait(PATIENCE)
        return self._text(self._output)

    def console(self):
        """Lines that pages wrote to the console, and refusals of their policies, so far."""
        return [line for line in self._text(self._errors).splitlines() if ":CONSOLE" in line]

    @staticmethod
    def _text(file):
        file.seek(0)
        return file.read().decode("utf-8", "replace")


class _Handler(http.server.SimpleHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.findings.put(body)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


class PageServer:
    """Serves a folder on a free port of loopback, and takes what pages post to it."""

    def __init__(self, folder):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=folder))
        self._server.findings = queue.Queue()
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path):
        return f"http://127.0.0.1:{self._server.server_port}/{path}"

    def findings(self):
        return self._server.findings.get(timeout=PATIENCE)
