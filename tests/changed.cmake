# SPDX-License-Identifier: BSD-2-Clause
# nova_change_description(): replaces words in the description of a system, so that a test can boot
# a variant of the system of an example, or of the system of another test.

# nova_change_description(<variable> <name> <file> <word> <other>...)
# writes <name>.nova, a copy of the description <file> in which <other> replaces each <word>, and
# sets <variable> to its path. <file> must contain each <word>.
function(nova_change_description variable name file)
  set(description "${CMAKE_CURRENT_BINARY_DIR}/${name}.nova")
  file(READ "${file}" text)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  set(changes ${ARGN})
  while(changes)
    list(POP_FRONT changes word other)
    string(FIND "${text}" "${word}" place)
    if(place EQUAL -1)
      message(FATAL_ERROR "nova_change_description(${name}): ${file} does not contain '${word}'.")
    endif()
    string(REPLACE "${word}" "${other}" text "${text}")
  endwhile()
  file(CONFIGURE OUTPUT "${description}" CONTENT "${text}" @ONLY)
  set(${variable} "${description}" PARENT_SCOPE)
endfunction()
