# SPDX-License-Identifier: BSD-2-Clause
"""Commands for gdb that list the kernel's objects. `nova debug` loads the module `session`. The
modules `target`, `symbols`, `commands` and `session` need gdb; the others also run without it."""
