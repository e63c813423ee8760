# SPDX-License-Identifier: MIT
"""How the lab speaks: streams that may be closed, errors in one line, figures with their units, tables, how far it is."""
