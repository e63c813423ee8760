# SPDX-License-Identifier: MIT
"""The proxies of Debian, each before one backend, over few connections that are used again, as lax as they can be set."""

import contextlib
import os
import select
import shutil
import tempfile

from support import ports, process

NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 512; }}
http {{ access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; ignore_invalid_headers off; underscores_in_headers on;
  upstream back {{ server 127.0.0.1:{backend} max_fails=0; keepalive 1; }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://back; proxy_http_version 1.1;
    proxy_request_buffering off; proxy_set_header Connection ""; }} }} }}
"""
HAPROXY = """global
  maxconn 500
defaults
  mode http
  timeout connect 10s
  timeout client 10s
  timeout server 10s
  retries 3
  retry-on conn-failure empty-response
frontend front
  bind 127.0.0.1:{port}
  option accept-invalid-http-request
  default_backend back
backend back
  http-reuse always
  server one 127.0.0.1:{backend} pool-max-conn 1
"""
APACHE = """ServerName localhost
PidFile {folder}/pid
ErrorLog {folder}/error.log
DefaultRuntimeDir {folder}
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
{user}
StartServers 1
ServerLimit 1
ThreadsPerChild 32
MaxRequestWorkers 32
MinSpareThreads 1
MaxSpareThreads 32
AllowEncodedSlashes NoDecode
ProxyPass / http://127.0.0.1:{backend}/ keepalive=On timeout=10 retry=0
"""
H2O = """listen: {{ host: 127.0.0.1, port: {port} }}
num-threads: 1
user: {name}
pid-file: {folder}/pid
error-log: {folder}/error.log
proxy.timeout.keepalive: 5000
proxy.preserve-host: ON
hosts: {{ default: {{ paths: {{ "/": {{ proxy.reverse.url: "http://127.0.0.1:{backend}/" }} }} }} }}
"""
LIGHTTPD = """server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{folder}"
server.errorlog = "{folder}/error.log"
server.modules = ( "mod_proxy" )
server.stream-request-body = 2
server.http-parseopts = ( "header-strict" => "disable", "host-strict" => "disable", "url-normalize" => "disable" )
proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => {backend} ) ) )
"""

PROXIES = {
    "nginx": (NGINX, ["nginx", "-p", "{folder}", "-e", "{folder}/error.log", "-c", "{path}"]),
    "haproxy": (HAPROXY, ["haproxy", "-db", "-f", "{path}"]),
    "apache2": (APACHE, ["apache2", "-X", "-f", "{path}"]),
    "h2o": (H2O, ["h2o", "-m", "worker", "-c", "{path}"]),
    "lighttpd": (LIGHTTPD, ["lighttpd", "-D", "-f", "{path}"]),
}


def wait_listening(child, port, what):
    for _ in range(2000):
        if ports.listens(port):
            return
        if child.poll() is not None:
            break
        select.select((), (), (), 0.01)
    raise AssertionError(f"{what} did not start")


@contextlib.contextmanager
def in_front(name, backend):
    """The port of the proxy before the backend's port."""
    text, argv = PROXIES[name]
    folder, port = tempfile.mkdtemp(prefix="echod-smuggling-"), ports.free()
    root = os.geteuid() == 0
    path = os.path.join(folder, "conf")
    with open(path, "w") as file:
        file.write(text.format(folder=folder, port=port, backend=backend, modules="/usr/lib/apache2/modules",
                               user="User www-data\nGroup www-data" if root else "",
                               name="root" if root else os.environ.get("USER", "nobody")))
    with open(os.path.join(folder, "output"), "wb") as output:
        child = process.spawn([process.need(argv[0])] + [item.format(folder=folder, path=path) for item in argv[1:]],
                              stdout=output, stderr=output)
    try:
        wait_listening(child, port, name)
        yield port
        assert child.poll() is None, f"{name} has ended"
    finally:
        process.end(child)
        shutil.rmtree(folder, ignore_errors=True)
