# SPDX-License-Identifier: MIT
"""The proxies of Debian, each before one backend, over few connections that are used again, as lax as they can be set."""

import contextlib
import os

from support import proxy

NGINX = proxy.nginx(upstream="server 127.0.0.1:{backend} max_fails=0; keepalive 1;", server="proxy_request_buffering off;",
                    http="ignore_invalid_headers off; underscores_in_headers on;")
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

PROXIES = {"nginx": NGINX, "haproxy": HAPROXY, "apache2": APACHE, "h2o": H2O, "lighttpd": LIGHTTPD}


@contextlib.contextmanager
def in_front(name, backend):
    """The port of the proxy before the backend's port."""
    root = os.geteuid() == 0
    with proxy.running(name, PROXIES[name], backend=backend, modules="/usr/lib/apache2/modules",
                       user="User www-data\nGroup www-data" if root else "",
                       name="root" if root else os.environ.get("USER", "nobody")) as (_, port):
        yield port
