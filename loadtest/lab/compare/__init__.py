# SPDX-License-Identifier: MIT
"""Claims, and what the figures say of them: claims.py reads them, judge.py decides, noise.py knows how far figures can be
trusted, sentences.py puts the figures into words."""
