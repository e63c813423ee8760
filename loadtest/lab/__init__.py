# SPDX-License-Identifier: MIT
"""The lab: starts servers, loads them, measures what they cost and says what the figures allow to be said.

Its folders, each of which imports only what stands below it (scripts/layers.py holds the table):

    compare, bench    the two commands that measure
    top               the command that watches
    timeline          the command that draws what threads and CPUs did; compare uses it, too
    methods, report   the ways to measure; the pages and files that tell of it
    load, servers     what asks; what answers
    results           figures, their statistics, results.json
    machine           processes, CPUs, sockets, signals; what the commands share
    text              errors, streams, units, tables
"""
