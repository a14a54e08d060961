# SPDX-License-Identifier: BSD-2-Clause
"""Commands for gdb that list the kernel's objects; what is not `target` or `commands` runs without
gdb, too. `nova debug` loads load.py."""
