# SPDX-License-Identifier: MIT
"""How tests are handed out to the worker processes of pytest-xdist."""

from xdist.scheduler import LoadScheduling

AT_ONCE = 4  # tests that a worker has before it: enough that it never waits for the next one


class FewAtOnce(LoadScheduling):
    """LoadScheduling gives each worker an eighth of all tests in a row. The longest come first, and one worker would get them all."""

    def _send_tests(self, node, num):
        super()._send_tests(node, min(num, max(0, AT_ONCE - len(self.node2pending[node]))))
