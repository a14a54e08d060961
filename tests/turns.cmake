# SPDX-License-Identifier: BSD-2-Clause
# How QEMU runs the CPUs of a machine. In turns, one thread of QEMU runs one CPU after the other, so
# that a CPU that waits for another CPU takes no processor time from that CPU. With threads, all
# CPUs run at the same time: tests that look for races need that. README.md lists them.
set(NOVA_ONE_THREAD -accel tcg,thread=single)
set(NOVA_THREADS -accel tcg,thread=multi)

# Makes the CPUs of all later boot tests of the folder take turns, except in a test with the QEMU
# argument ${NOVA_THREADS}.
macro(nova_take_turns)
  set(NOVA_TURNS ${NOVA_ONE_THREAD})
endmacro()
