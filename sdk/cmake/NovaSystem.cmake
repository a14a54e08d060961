# SPDX-License-Identifier: BSD-2-Clause
# Systems: init, a system description and the programs that the description names, in NOVA's tree
# and in a project that found the SDK. This file needs NovaPrograms, and either NOVA_ROOT (the tree,
# where the tool nova-system is built) or NOVA_SYSTEM_TOOL (the path of the tool).

# The program that checks descriptions, built with the host's compiler because it runs here.
if(NOT NOVA_SYSTEM_TOOL AND NOT TARGET nova-system)
  find_program(NOVA_HOST_CC NAMES cc gcc clang REQUIRED)
  set(NOVA_SYSTEM_TOOL "${CMAKE_BINARY_DIR}/host/nova-system")
  set(nova_system_folder "${NOVA_ROOT}/roottask/system")
  set(nova_system_sources)
  foreach(source check image machine mounts pci program reader section tool value)
    list(APPEND nova_system_sources "${nova_system_folder}/${source}.c")
  endforeach()
  add_custom_command(OUTPUT "${NOVA_SYSTEM_TOOL}"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${CMAKE_BINARY_DIR}/host"
    COMMAND "${NOVA_HOST_CC}" -std=gnu11 -O1 -Wall -Wextra -Werror "-I${NOVA_ROOT}/roottask"
            -o "${NOVA_SYSTEM_TOOL}" ${nova_system_sources}
    DEPENDS ${nova_system_sources} "${nova_system_folder}/description.h"
            "${nova_system_folder}/reader.h"
    VERBATIM)
  add_custom_target(nova-system DEPENDS "${NOVA_SYSTEM_TOOL}")

  # The program that makes the ACPI tables of sealed guests, from the sources of novavmm.
  set(NOVA_ACPI_TOOL "${CMAKE_BINARY_DIR}/host/nova-acpi")
  set(nova_vmm_folder "${NOVA_ROOT}/roottask/vmm")
  set(nova_acpi_sources "${nova_vmm_folder}/acpi_tool.c"
    "${nova_vmm_folder}/src/device/acpi_tables.c" "${nova_vmm_folder}/src/device/dsdt.c"
    "${nova_vmm_folder}/src/guest_memory.c")
  set(nova_acpi_headers "${NOVA_ROOT}/hypervisor/abi/nova/abi/crd.h"
    "${NOVA_ROOT}/hypervisor/abi/nova/abi/types.h" "${nova_vmm_folder}/src/device/dsdt.h"
    "${nova_vmm_folder}/src/overlay.h")
  foreach(header acpi line memory overlay)
    list(APPEND nova_acpi_headers "${nova_vmm_folder}/include/novavmm/${header}.h")
  endforeach()
  add_custom_command(OUTPUT "${NOVA_ACPI_TOOL}"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${CMAKE_BINARY_DIR}/host"
    COMMAND "${NOVA_HOST_CC}" -std=gnu11 -O1 -Wall -Wextra -Werror "-I${nova_vmm_folder}/include"
            "-I${nova_vmm_folder}/src" "-I${NOVA_ROOT}/libnova/include"
            "-I${NOVA_ROOT}/hypervisor/abi" -o "${NOVA_ACPI_TOOL}" ${nova_acpi_sources}
    DEPENDS ${nova_acpi_sources} ${nova_acpi_headers}
    VERBATIM)
  add_custom_target(nova-acpi DEPENDS "${NOVA_ACPI_TOOL}")
endif()

# Returns the target for a name: a target of the project, else a target that comes with the SDK.
function(nova_find_program out system name)
  if(TARGET ${name})
    set(${out} ${name} PARENT_SCOPE)
  elseif(TARGET Nova::${name})
    set(${out} Nova::${name} PARENT_SCOPE)
  else()
    get_directory_property(known BUILDSYSTEM_TARGETS)
    nova_meant(question "${name}" ${known} ${NOVA_SERVICES})
    nova_mistake(nova_add_system ${system} "there is no program '${name}'.${question} Add it with \
nova_add_program before this line, or put files that are not programs after MODULES.")
  endif()
endfunction()

# The SDK's programs for systems, except init.
set(NOVA_SERVICES ahci disk e1000e files log memory names nvme partitions pci power ram-disk switch
  timer ultravisor virtio-blk virtio-net)

# nova_add_system(<name> DESCRIPTION <file> [PROGRAMS <target>...] [MODULES <file>...]
# [SEALED <file> [GUEST <target>]]) makes a system of init, a system description and the files that
# the description names. The build of <name> checks the description. The build stops with a message
# if the description has an error, names a file that is not given, or does not name a given file.
# `nova run <name>` boots the system. PROGRAMS includes the programs that a program with `grants
# children` starts; the description names them after `modules`. SEALED adds two modules: sealed.img,
# which `nova` seals at each boot of the system as <file> describes, and machine.key. GUEST is the
# kernel of this image: a target that nova_add_secure_guest() has made.
function(nova_add_system name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION;SEALED;GUEST" "PROGRAMS;MODULES")
  nova_check_arguments(nova_add_system "${name}" DESCRIPTION SEALED GUEST PROGRAMS MODULES)
  nova_check_name(nova_add_system "${name}")
  if(NOT arg_DESCRIPTION)
    nova_mistake(nova_add_system ${name}
      "DESCRIPTION is missing: name the file that describes the system, such as \
DESCRIPTION ${name}.nova.")
  endif()
  nova_check_files(nova_add_system ${name} DESCRIPTION "${arg_DESCRIPTION}")
  nova_check_files(nova_add_system ${name} MODULES ${arg_MODULES})
  get_filename_component(description "${arg_DESCRIPTION}" ABSOLUTE)
  set(files)
  set(guests)
  set(names)
  set(targets)
  foreach(program IN LISTS arg_PROGRAMS)
    nova_find_program(target ${name} "${program}")
    list(APPEND targets ${target})
    list(APPEND files "$<TARGET_FILE:${target}>")
  endforeach()
  foreach(module IN LISTS arg_MODULES)
    if(module MATCHES "^guest:(.*)") # a guest's software: `nova` makes it when it is booted
      list(APPEND guests "${module}")
      list(APPEND names "${CMAKE_MATCH_1}")
      continue()
    endif()
    get_filename_component(file "${module}" ABSOLUTE)
    list(APPEND files "${file}")
  endforeach()
  if("SEALED" IN_LIST arg_KEYWORDS_MISSING_VALUES)
    nova_mistake(nova_add_system ${name}
      "SEALED has no value: name the file that describes the sealed image, such as guest.seal.")
  endif()
  if(arg_GUEST AND NOT arg_SEALED)
    nova_mistake(nova_add_system ${name}
      "GUEST is the kernel of a sealed image: write SEALED and the file that describes this image, \
such as SEALED guest.seal.")
  endif()
  if(arg_SEALED)
    nova_check_files(nova_add_system ${name} SEALED "${arg_SEALED}")
    get_filename_component(file "${arg_SEALED}" ABSOLUTE)
    set(kernel)
    if(arg_GUEST AND NOT TARGET ${arg_GUEST})
      get_directory_property(known BUILDSYSTEM_TARGETS)
      nova_meant(question "${arg_GUEST}" ${known})
      nova_mistake(nova_add_system ${name}
        "there is no program '${arg_GUEST}' for GUEST.${question} Add it with \
nova_add_secure_guest before this line.")
    endif()
    if(arg_GUEST)
      set(kernel "\t$<TARGET_FILE:${arg_GUEST}>")
    endif()
    list(APPEND guests "sealed:${file}${kernel}" guest:machine.key)
    list(APPEND names sealed.img machine.key)
  endif()
  nova_find_program(init ${name} init)

  set(checked "${CMAKE_BINARY_DIR}/boot/${name}.checked")
  add_custom_command(OUTPUT "${checked}"
    COMMAND "${NOVA_SYSTEM_TOOL}" "${description}" ${files} ${names}
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${CMAKE_BINARY_DIR}/boot"
    COMMAND "${CMAKE_COMMAND}" -E touch "${checked}"
    DEPENDS "${description}" "${NOVA_SYSTEM_TOOL}" ${targets}
    COMMENT "Checking the system description of ${name}"
    VERBATIM)
  add_custom_target(${name} ALL DEPENDS "${checked}")
  add_dependencies(${name} ${init} ${targets} ${arg_GUEST})
  get_filename_component(file "${description}" NAME)
  nova_write_boot_list(${name} ROOTTASK "$<TARGET_FILE:${init}>\t${file}"
    MODULES "${description}" ${files} ${guests})
endfunction()
