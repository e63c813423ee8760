# SPDX-License-Identifier: MIT
"""Runs a program in an unpacked image as a container runtime would: new namespaces, PID 1 in its own, a read-only root,
the image's user, no capability and no way to get one; mode uring under its seccomp profile.

Needs root, no more. The program is the only child of the one that calls contain(); see contained-echod.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct

from seccomp_profile import Profile

_libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
CAPABILITIES = range(64)
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

URING_PROFILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "seccomp", "uring.json")
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Image:
    """An image as `image_unpack` of scripts/image.sh leaves it in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.root = os.path.join(folder, "root")
        with open(os.path.join(folder, "inspect.json")) as file:
            said = json.load(file)
        self.config = said["Docker"]["config"] if isinstance(said, dict) else said[0]["Config"]

    @property
    def user(self):
        """(user, group) as numbers; ValueError if they are names, which an empty root cannot look up."""
        user, _, group = self.config["User"].partition(":")
        return int(user), int(group or user)

    @property
    def environment(self):
        return dict(entry.split("=", 1) for entry in self.config["Env"])

    def command(self, arguments):
        """What the runtime executes when these are given behind the image's name."""
        return [*(self.config["Entrypoint"] or []), *(arguments or self.config["Cmd"] or [])]


def checked(result):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _mount(source, target, kind, flags, data=""):
    checked(_libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()))


def _set_up_root(root, volumes):
    """The image's files as the root, read-only but for the volumes, folders of the host under their name."""
    for folder in ("proc", *(path.lstrip("/") for path in volumes)):
        os.makedirs(os.path.join(root, folder), exist_ok=True)  # as the runtime makes mount points
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    _mount(root, root, "", MS_BIND)
    _mount("none", root, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    _mount("proc", os.path.join(root, "proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for path in volumes:
        _mount(path, os.path.join(root, path.lstrip("/")), "", MS_BIND)
    os.chdir(root)
    os.chroot(".")


def _give_up_rights(user, group):
    for capability in CAPABILITIES:
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # those the kernel does not know are refused
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    checked(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def _mode(argv, environment):
    """The mode that the server will run in, if it is given."""
    words = [word for argument in argv for word in argument.split("=", 1)]
    return words[words.index("--mode") + 1] if "--mode" in words else environment.get("ECHOD_MODE")


def start(image, argv, environment, user=None, network=False, volumes=()):
    """Forks; the child becomes PID 1 of a new PID namespace and executes argv. Returns its process id out here.

    `network`: with an own loopback, and no other interface. The calling process has left its own namespaces for good.
    """
    load_filter = Profile.read(URING_PROFILE).compile() if _mode(argv, environment) == "uring" else None
    own_network = CLONE_NEWNET if network else 0
    checked(_libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | own_network))
    child = os.fork()
    if child != 0:
        return child
    try:
        if network:
            _raise_loopback()
        _set_up_root(image.root, volumes)
        _give_up_rights(*(user or image.user))
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if load_filter:
            load_filter()
        os.execve(argv[0], argv, environment)
    except OSError as error:
        os.write(2, f"container: {argv[0]}: {error}\n".encode())
    os._exit(127)


def wait(child):
    """Passes signals on to the child, and ends as it ends."""
    for number in FORWARDED:
        signal.signal(number, lambda number, _frame: os.kill(child, number))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        if -status in FORWARDED:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


def own_network():
    """Moves the calling process to a network of its own, which has a loopback and nothing else."""
    checked(_libc.unshare(CLONE_NEWNET))
    _raise_loopback()


def enter_network(namespace):
    """Moves the calling thread to the network of an open /proc/PID/ns/net."""
    checked(_libc.setns(namespace, CLONE_NEWNET))
