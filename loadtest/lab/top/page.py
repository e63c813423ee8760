# SPDX-License-Identifier: MIT
"""A page of metrics in Prometheus's text format."""

import math

from prometheus_client.parser import text_string_to_metric_families

from ..text.errors import LabError


class Page:
    """`at`: when it came, in seconds of the monotonic clock; `took`: seconds from the request to it."""

    def __init__(self, text, at, took):
        self.at = at
        self.took = took
        self._samples = {}
        try:
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if math.isfinite(sample.value) and not math.isnan(float(sample.labels.get("le", 0))):
                        self._samples.setdefault(sample.name, []).append(sample)
        except (ValueError, IndexError, KeyError) as error:  # what the parser raises depends on the fault
            raise LabError(f"the metrics cannot be read: {error}") from None

    def total(self, name, **labels):
        """The sum of a metric's values that have these labels; None if there is none."""
        values = [sample.value for sample in self._samples.get(name, ())
                  if all(sample.labels.get(label) == value for label, value in labels.items())]
        return sum(values) if values else None

    def label(self, name, label):
        """What the first value of a metric has for this label; None if there is none."""
        return next((sample.labels.get(label) for sample in self._samples.get(name, ())), None)

    def buckets(self, name):
        """Of a histogram, the counts by upper bound: each bucket's own count, in order."""
        ends = {}
        for sample in self._samples.get(f"{name}_bucket", ()):
            end = float(sample.labels.get("le", math.inf))
            ends[end] = ends.get(end, 0) + sample.value
        below, own = 0, {}
        for end, count in sorted(ends.items()):
            own[end], below = count - below, count
        return own
