# SPDX-License-Identifier: BSD-2-Clause
"""The Python part of the command `nova`; Python 3.10, nothing but its standard library."""
