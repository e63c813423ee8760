# SPDX-License-Identifier: MIT
"""TCP sockets by their local port, asked of the kernel over netlink (sock_diag(7)): /proc/net/tcp takes twenty times as long,
and holds up the sockets that it lists."""

import socket
import struct

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY, _DONE, _ERROR = 20, 3, 2
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_STATES = sum(1 << state for state in (1, 2, 4, 5, 8, 9, 10, 11))  # all that a process can have: no TIME_WAIT, no SYN_RECV
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_REQUEST = struct.Struct("=BBBBI48s")  # struct inet_diag_req_v2
_PORT_AT, _INODE_AT = 4, 68  # in struct inet_diag_msg
_MOST = 1 << 20  # bytes of a reply


def _messages(reply):
    """(type, body) of each message in a reply."""
    offset = 0
    while offset + _HEADER.size <= len(reply):
        length, kind, *_ = _HEADER.unpack_from(reply, offset)
        if length < _HEADER.size:
            return
        yield kind, reply[offset + _HEADER.size:offset + length]
        offset += (length + 3) & ~3


def _inode(body, port):
    """The inode of a socket that has this port and belongs to a process, else 0: one that waits to be accepted has none."""
    if len(body) < _INODE_AT + 4 or struct.unpack_from(">H", body, _PORT_AT)[0] != port:
        return 0
    return struct.unpack_from("=I", body, _INODE_AT)[0]


def _count(family, port):
    """While other sockets come and go the kernel may list one twice: each inode counts once."""
    request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, _STATES, bytes(48))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asking:
        asking.send(_HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _DUMP, 1, 0) + request)
        inodes = set()
        while True:
            for kind, body in _messages(asking.recv(_MOST)):
                if kind == _ERROR:
                    raise OSError("sock_diag refused")
                if kind == _DONE:
                    return len(inodes - {0})
                inodes.add(_inode(body, port))


def accepted(port):
    """How many sockets of processes have this local port, the listening one included; None where the kernel does not tell."""
    try:
        return _count(socket.AF_INET, port) + _count(socket.AF_INET6, port)
    except OSError:
        return None
