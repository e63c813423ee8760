# SPDX-License-Identifier: MIT
"""What the lab says while it runs."""
