# SPDX-License-Identifier: BSD-2-Clause
# nova_change_description(): descriptions of systems that differ from others by some words, so that
# a test boots the system of an example, or of another test, in a variant.

# nova_change_description(<variable> <name> <file> <word> <other>...)
# writes <name>.nova, which is the description <file> with <other> in each place of <word>, and sets
# <variable> to its path. Each <word> must be there.
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
