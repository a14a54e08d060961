# SPDX-License-Identifier: BSD-2-Clause
"""Commands for gdb that list the kernel's objects; all modules but `target` and `commands` also run
without gdb. `nova debug` loads load.py."""
