# SPDX-License-Identifier: MIT
"""The lab: starts servers, loads them, measures what they cost and says what the figures allow to be said."""
