# SPDX-License-Identifier: BSD-2-Clause
# NOVA_PYTHON: the interpreter itself. The interpreter in PATH may be a script that searches for the
# real one at each call, and tests make thousands of calls.
find_program(NOVA_PYTHON python3 REQUIRED)
execute_process(COMMAND "${NOVA_PYTHON}" -c "import sys; print(sys.executable)"
  OUTPUT_VARIABLE NOVA_PYTHON OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
