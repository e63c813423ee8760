# SPDX-License-Identifier: MIT
"""The bench's workloads in every mode without a measurement, for a program whose build keeps a profile."""

from ..load.wrk import Run, problems
from ..machine import cpus
from ..text.errors import LabError

_SECONDS = 0.4


def train(entries, workloads, progress):
    """LabError if an answer is wrong."""
    pinning = cpus.pinning()
    for entry in entries:
        with entry.start(None).start() as server:
            server.wait_ready()
            for workload in workloads:
                progress.show(f"training: {entry.name}, {workload.name}")
                _run(server, workload, pinning)
                progress.step()
            server.stop()


def _run(server, workload, pinning):
    length = workload.check(server)
    with Run(workload, server.url, workload.connections, _SECONDS, pinning.client) as run:
        run.open_gate()
        run.sleep_until(_SECONDS)
        server.check_alive()
        figures, _ = run.finish()
    if wrong := problems(figures, length, workload.connections):
        raise LabError(f"{server.name}, {workload.name}: {wrong}")
