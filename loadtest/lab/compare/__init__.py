# SPDX-License-Identifier: MIT
"""The comparison: experiment.py reads the experiments and claims.py their claims, engine.py runs them, judge.py decides what the
figures say of a claim, noise.py how far they can be trusted, sentences.py puts them into words."""
