# SPDX-License-Identifier: MIT
"""From the measurements of all rounds to one row for each workload, number of connections and mode."""

from dataclasses import dataclass

from .stats import Sample

# Name of a figure in the summary, and where it is in a measurement.
FIGURES = {
    "requests_per_s": ("requests_per_s",),
    "p50_us": ("latency_us", "p50"),
    "p90_us": ("latency_us", "p90"),
    "p99_us": ("latency_us", "p99"),
    "p999_us": ("latency_us", "p99.9"),
    "max_us": ("latency_us", "max"),
    "cpu_us_per_request": ("cpu_us_per_request",),
    "cpu_user_share": ("cpu_user_share",),
    "switches_per_request": ("switches_per_request",),
    "voluntary_per_request": ("voluntary_per_request",),
    "involuntary_per_request": ("involuntary_per_request",),
    "server_cpus_busy": ("server_cpus_busy",),
    "client_cpu_share": ("client_cpu_share",),
    "others_cpu_share": ("others_cpu_share",),
    "threads": ("threads",),
    "pss_bytes": ("memory", "pss"),
    "rss_bytes": ("memory", "rss"),
}


@dataclass(frozen=True)
class Row:
    """What all rounds say of one mode. `failure` is set if any round failed: then there are no figures to trust."""

    workload: str
    connections: int
    mode: str
    failure: str | None
    client_limited: bool
    disturbed: bool
    figures: dict  # name to Sample; a figure that the kernel did not tell is absent

    def as_dict(self):
        figures = {name: sample.as_dict() for name, sample in self.figures.items()}
        return {"workload": self.workload, "connections": self.connections, "mode": self.mode,
                "failure": self.failure, "client_limited": self.client_limited,
                "disturbed": self.disturbed, **figures}


def _value(measurement, path):
    for key in path:
        measurement = measurement[key]
    return measurement


def _most(measurements, flag):
    """Whether something is true of more than half of the rounds: then it is true of the median."""
    return sum(measurement[flag] for measurement in measurements) * 2 > len(measurements)


def _row(key, measurements):
    failures = [m["failure"] for m in measurements if m["failure"]]
    if failures:
        return Row(*key, failures[0], False, False, {})
    figures = {}
    for name, path in FIGURES.items():
        values = [_value(m, path) for m in measurements]
        if None not in values:
            figures[name] = Sample(tuple(values))
    return Row(*key, None, _most(measurements, "client_limited"), _most(measurements, "disturbed"), figures)


def rows(measurements):
    """The rows in the order in which the first round measured them."""
    groups = {}
    for measurement in measurements:
        key = (measurement["workload"], measurement["connections"], measurement["mode"])
        groups.setdefault(key, []).append(measurement)
    return [_row(key, group) for key, group in groups.items()]
