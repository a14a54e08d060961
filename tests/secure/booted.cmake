# SPDX-License-Identifier: BSD-2-Clause
# VMMs that test the ultravisor, and the guest that they drive.
add_executable(secure-probe guest.c)
target_link_libraries(secure-probe PRIVATE nova_freestanding)
target_include_directories(secure-probe PRIVATE "${NOVA_ROOT}/roottask/include"
  "${NOVA_ROOT}/roottask/vmm/include")
target_compile_options(secure-probe PRIVATE -fno-stack-protector -mno-red-zone)
target_link_options(secure-probe PRIVATE -static -no-pie -Wl,-Ttext-segment=0x200000)

# nova_add_secure_test(<name> SOURCES <file>... EXPECT <regex>... [REJECT <regex>...]
#   [DESCRIPTION <file.in>] [BESIDE <program>...] [MEMORY <of the ultravisor>]): a VMM, and other
#   programs of its description.
function(nova_add_secure_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION;MEMORY" "SOURCES;EXPECT;REJECT;BESIDE")
  set(vmm secure-vmm-${name})
  set(memory 32M)
  if(arg_MEMORY)
    set(memory ${arg_MEMORY})
  endif()
  nova_add_program(${vmm} SOURCES ${arg_SOURCES} LINK Nova::novavmm)
  if(NOT arg_DESCRIPTION)
    set(arg_DESCRIPTION probe.nova.in)
  endif()
  configure_file(${arg_DESCRIPTION} ${name}.nova @ONLY)
  nova_add_system(secure-${name} DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/${name}.nova"
    PROGRAMS ultravisor ${vmm} ${arg_BESIDE} SEALED probe.seal GUEST secure-probe)
  nova_add_boot_test(secure.${name} SYSTEM secure-${name} CPU qemu64,+svm,+npt,+rdrand LABELS secure
    EXPECT ${arg_EXPECT} REJECT "not ok [0-9]" ${arg_REJECT})
endfunction()

nova_add_secure_test(statuses SOURCES statuses.c EXPECT "^vmm: 1[.][.]52$"
  REJECT "cannot continue")
nova_add_secure_test(hostile SOURCES hostile.c EXPECT "^vmm: 1[.][.]34$")
nova_add_secure_test(secrets SOURCES secrets.c EXPECT "^vmm: 1[.][.]10$")

# A program that never waits, with the priority of the VMM, on the CPU of the guest.
nova_add_program(secure-spinner SOURCES spinner.c)
nova_add_secure_test(beside SOURCES beside.c DESCRIPTION spinner.nova.in BESIDE secure-spinner
  EXPECT "^vmm: 1[.][.]3$")

# The ultravisor reports why it cannot start.
nova_add_boot_test(secure.no-guests SYSTEM secure-statuses CPU qemu64,-svm,+rdrand STATUS 1
  LABELS secure EXPECT "ultravisor: It cannot start: this CPU cannot run guests .--cpu qemu64")
nova_add_boot_test(secure.no-random SYSTEM secure-statuses CPU qemu64,+svm,+npt,-rdrand STATUS 1
  LABELS secure EXPECT "ultravisor: It cannot start: this CPU has no RDRAND, so keys could be")
