# SPDX-License-Identifier: MIT
"""What is measured: programs that the lab compiles and starts."""
