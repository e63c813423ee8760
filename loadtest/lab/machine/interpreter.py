# SPDX-License-Identifier: MIT
"""The interpreter that a command runs with: Debian's packages are seen by /usr/bin/python3 only, which need not be the first in PATH.
Imports nothing of the lab."""

import importlib.util
import os
import sys

_DEBIAN = "/usr/bin/python3"
_PACKAGES = {"jinja2": "python3-jinja2", "jsonschema": "python3-jsonschema", "prometheus_client": "python3-prometheus-client",
             "rich": "python3-rich"}


def ensure(*modules):
    """Goes on with Debian's interpreter if this one misses a module; ends with a line that says what to install if that one does."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if not missing:
        return
    if os.access(_DEBIAN, os.X_OK) and not os.environ.get("ECHOD_LAB_INTERPRETER"):
        os.execve(_DEBIAN, [_DEBIAN, *sys.orig_argv[1:]], {**os.environ, "ECHOD_LAB_INTERPRETER": _DEBIAN})
    packages = " ".join(_PACKAGES[name] for name in missing)
    sys.exit(f"{os.path.basename(sys.argv[0]).removesuffix('.py')}: Python modules are missing: {', '.join(missing)} (Debian: "
             f"{packages}); ./dev installs them")
