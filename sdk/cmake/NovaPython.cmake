# SPDX-License-Identifier: BSD-2-Clause
# NOVA_PYTHON: the interpreter itself. The one in PATH may be a script that searches for it at each
# call, and tests call it by the thousand.
find_program(NOVA_PYTHON python3 REQUIRED)
execute_process(COMMAND "${NOVA_PYTHON}" -c "import sys; print(sys.executable)"
  OUTPUT_VARIABLE NOVA_PYTHON OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
