# SPDX-License-Identifier: MIT
"""The load: wrk, swarm, callgrind's h2load and connections of our own, and what is read of a server under each."""
