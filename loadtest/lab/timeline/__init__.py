# SPDX-License-Identifier: MIT
"""The timeline: the same few clients call each mode for half a second; what each thread and CPU did then becomes a picture."""
