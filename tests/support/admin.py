# SPDX-License-Identifier: MIT
"""Servers with an admin listener."""

from .wire import Wire


def start_with_admin(start, *flags, lines=2, **options):
    """A server and the address of its admin listener."""
    server = start("--admin-listen", "127.0.0.1:0", *flags, lines=lines, **options)
    return server, server.addresses[-1]


def ask(address, request):
    """The answer on a connection of its own."""
    with Wire(address) as wire:
        return wire.ask(request)
