# SPDX-License-Identifier: MIT
"""Seccomp profiles in the format of the OCI, which Docker and Kubernetes read, and filters made of them by libseccomp, as
container runtimes do."""

import ctypes
import errno
import json
import os

ACTIONS = {"SCMP_ACT_ALLOW": 0x7FFF0000, "SCMP_ACT_ERRNO": 0x00050000}  # the errno is in the low bits
COMPARISONS = {"SCMP_CMP_EQ": 4, "SCMP_CMP_MASKED_EQ": 7}


class _Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("first", ctypes.c_uint64), ("second", ctypes.c_uint64)]


def _library():
    found = ctypes.CDLL("libseccomp.so.2")
    found.seccomp_init.restype = ctypes.c_void_p
    found.seccomp_init.argtypes = [ctypes.c_uint32]
    found.seccomp_load.argtypes = [ctypes.c_void_p]
    found.seccomp_arch_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    found.seccomp_arch_resolve_name.restype = ctypes.c_uint32
    found.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p]
    return found


def _checked(result):
    if result < 0 and result != -errno.EEXIST:
        raise OSError(-result, os.strerror(-result))


def _architecture(library, name):
    return library.seccomp_arch_resolve_name(name.removeprefix("SCMP_ARCH_").lower().encode())


def number(name, architecture):
    """Of a system call: negative where the architecture does not have it, -1 if there is none of that name."""
    library = _library()
    return library.seccomp_syscall_resolve_name_arch(_architecture(library, architecture), name.encode())


class Profile:
    def __init__(self, content):
        self.content = content

    @classmethod
    def read(cls, path):
        with open(path) as file:
            return cls(json.load(file))

    @classmethod
    def allowing(cls, names):
        """All other calls fail with EPERM."""
        return cls({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": list(names), "action": "SCMP_ACT_ALLOW"}]})

    @classmethod
    def forbidding(cls, name, error):
        """This call fails with that errno, and no other."""
        return cls({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": error}]})

    @property
    def allowed(self):
        """The names of the calls that are allowed, whatever their arguments."""
        return {name for rule in self.content["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}

    def compile(self):
        """A function that puts the calling thread, and all that it starts, under the filter for good. It needs no file any more."""
        library = _library()
        context = library.seccomp_init(self._action(self.content["defaultAction"], self.content.get("defaultErrnoRet")))
        for name in self.content.get("architectures", ()):
            _checked(library.seccomp_arch_add(context, _architecture(library, name)))
        for rule in self.content["syscalls"]:
            comparisons = [_Comparison(item["index"], COMPARISONS[item["op"]], item["value"], item["valueTwo"])
                           for item in rule.get("args", ())]
            array = (_Comparison * len(comparisons))(*comparisons)
            for name in rule["names"]:
                call = library.seccomp_syscall_resolve_name(name.encode())
                if call != -1:  # runtimes leave out what they do not know, too
                    _checked(library.seccomp_rule_add_array(context, self._action(rule["action"], rule.get("errnoRet")), call,
                                                            len(comparisons), array))
        return lambda: _checked(library.seccomp_load(context))

    @staticmethod
    def _action(name, error):
        if name == "SCMP_ACT_ERRNO":
            return ACTIONS[name] | (errno.EPERM if error is None else error)
        return ACTIONS[name]
