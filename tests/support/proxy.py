# SPDX-License-Identifier: MIT
"""Proxies in front of servers: nginx, haproxy and others, each started with a configuration of the test's own."""

import contextlib
import os
import shutil
import tempfile

from . import ports, process
from .checks import check, until
from .settings import patience

# How each runs in the foreground.
COMMANDS = {
    "nginx": ["nginx", "-p", "{folder}", "-e", "{folder}/error.log", "-c", "{path}"],
    "haproxy": ["haproxy", "-db", "-f", "{path}"],
    "haproxy master": ["haproxy", "-W", "-f", "{path}"],
    "apache2": ["apache2", "-X", "-f", "{path}"],
    "h2o": ["h2o", "-m", "worker", "-c", "{path}"],
    "lighttpd": ["lighttpd", "-D", "-f", "{path}"],
}


def nginx(upstream, server="", http="", processes="master_process off"):
    """nginx's configuration, for `running`: a proxy that keeps its connections to the upstream's servers. `upstream`, `server`
    and `http` are what those blocks say beyond that."""
    return f"""daemon off; {processes}; pid {{folder}}/pid; error_log {{folder}}/error.log warn;
events {{{{ worker_connections 512; }}}}
http {{{{ access_log off; client_body_temp_path {{folder}}/t1; proxy_temp_path {{folder}}/t2; fastcgi_temp_path {{folder}}/t3;
  uwsgi_temp_path {{folder}}/t4; scgi_temp_path {{folder}}/t5; {http}
  upstream back {{{{ {upstream} }}}}
  server {{{{ listen 127.0.0.1:{{port}}; {server}
    location / {{{{ proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection ""; }}}} }}}} }}}}
"""


@contextlib.contextmanager
def running(name, text, /, folder=None, port=None, **values):
    """The proxy's process and its port, once it listens. `name`: a row of COMMANDS; `text`: its configuration, in which {folder},
    {port} and `values` are filled in. Its files are in `folder`, or in one that is removed at the end."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = tempfile.mkdtemp(prefix="echod-proxy-")
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        port, path = port or ports.free(), os.path.join(folder, "conf")
        with open(path, "w") as file:
            file.write(text.format(folder=folder, port=port, **values))
        program, *rest = (item.format(folder=folder, path=path) for item in COMMANDS[name])
        with open(os.path.join(folder, "output"), "wb") as output:  # a pipe that nobody reads would stop it
            child = process.spawn([process.need(program), *rest], stdout=output, stderr=output)
        stack.callback(process.end, child)
        until(lambda: child.poll() is not None or ports.listens(port), f"{name} listens", patience(30))
        check(child.poll() is None, f"{name} did not start: {said(folder)}")
        yield child, port
        check(child.poll() is None, f"{name} has ended: {said(folder)}")


def said(folder):
    """What the proxy has written of itself and its errors."""
    found = []
    for name in ("output", "error.log"):
        with contextlib.suppress(FileNotFoundError), open(os.path.join(folder, name), errors="replace") as file:
            found.append(file.read())
    return "".join(found)
