# SPDX-License-Identifier: MIT
"""What all tests written in Python share: servers, raw connections, answers, documents, checks, and the pytest plugin."""
