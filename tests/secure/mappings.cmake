# SPDX-License-Identifier: BSD-2-Clause
# gdb walks all mapping trees and capabilities of a system when its VMM calls certain functions.
if(NOVA_CONFIG STREQUAL "debug" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # Each row: the system; the VMM's file; its name in the description and the functions; the minimum
  # numbers of secure guests, virtual CPUs and shared pages that one walk must find; arguments of
  # the guest.
  set(ends vmm:honest_end,tap_end)
  set(walk_hostile secure-hostile secure-vmm-hostile ${ends} 1 1 0)
  set(walk_leaks secure-leaks secure-vmm-leaks ${ends} 1 1 0)
  set(walk_sharing secure-sharing secure-vmm-sharing ${ends} 1 1 1)
  set(walk_startup secure-startup secure-vmm-startup ${ends} 1 2 1)
  set(walk_share secure-share secure-vmm-share ${ends} 2 2 512)
  set(walk_pressure secure-pressure secure-vmm-pressure ${ends} 1 1 64)
  set(walk_moving secure-moving secure-vmm-moving ${ends} 1 1 0)
  set(walk_selves secure-selves secure-vmm-selves ${ends} 1 2 1)
  set(walk_views secure-views secure-vmm-views ${ends} 1 2 1)
  set(walk_dishonest secure-dishonest secure-vmm-dishonest ${ends} 1 1 0)
  # Two VMMs, after the first attack of the hostile VMM in which a page comes back.
  set(walk_two secure-two two-hostile hostile:repair 2 2 0)
  # Debian, when it switches itself off.
  set(walk_linux secure-linux secure-monitor monitor:nova_vm_end_with 1 1 500 run=poweroff,-f)
  set(walk_raced secure-raced secure-vmm-raced vmm:lose_page,lose_slot,lose_table,tap_end 1 1 0)
  set(further device exits overlap steps writer)
  foreach(name ${further})
    set(walk_${name} secure-${name} secure-vmm-${name} ${ends} 1 1 0)
  endforeach()
  list(APPEND further raced)
  list(TRANSFORM further PREPEND secure.mappings. OUTPUT_VARIABLE long)
  foreach(name hostile leaks sharing startup share pressure moving selves views dishonest two linux
      ${further})
    list(POP_FRONT walk_${name} system vmm)
    add_test(NAME secure.mappings.${name} COMMAND "${NOVA_PYTHON}" -B
      "${CMAKE_CURRENT_SOURCE_DIR}/mappings.py" "${CMAKE_BINARY_DIR}/boot/${system}.boot"
      "${NOVA_KERNEL}" "${NOVA_SYSTEM_TOOL}" "$<TARGET_FILE:${vmm}>" ${walk_${name}})
    set_tests_properties(secure.mappings.${name} PROPERTIES LABELS secure TIMEOUT 315
      PASS_REGULAR_EXPRESSION "No other PD has a secure frame or an object of a secure guest, \
and each portal of a secure guest leads to the ultravisor"
      FAIL_REGULAR_EXPRESSION "wrong: |not ok [0-9]")
  endforeach()
  set_tests_properties(${long} secure.mappings.linux secure.mappings.moving PROPERTIES
    LABELS endurance)
endif()
