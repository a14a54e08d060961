# SPDX-License-Identifier: BSD-2-Clause
"""The Python part of the command `nova`. It needs Python 3.10; only the modules that seal images
need a package besides the standard library, python3-cryptography."""
