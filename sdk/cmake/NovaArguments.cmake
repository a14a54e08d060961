# SPDX-License-Identifier: BSD-2-Clause
# Checks the arguments of the SDK's functions: an error stops the configuration with one sentence
# that names the function, its target and the remedy.

# nova_mistake(<function> <target> <sentence> [<place>]): the place is the file, and the line with
# the mistake, for a check after the call of the function.
function(nova_mistake function target sentence)
  set(place)
  if(ARGN)
    set(place "${ARGN}: ")
  endif()
  message(FATAL_ERROR "${place}${function}(${target}): ${sentence}")
endfunction()

# Returns the place of a call in the file <list>: the file, and the line with the word. If the call
# is not found, returns only the file. The call may name its target by a variable.
function(nova_find_place out function target list word)
  file(RELATIVE_PATH place "${CMAKE_SOURCE_DIR}" "${list}")
  file(READ "${list}" text)
  string(FIND "${text}" "${function}(${target}" call)
  if(call LESS 0)
    string(FIND "${text}" "${function}(\${" call)
  endif()
  if(NOT call LESS 0)
    string(SUBSTRING "${text}" ${call} -1 rest)
    string(FIND "${rest}" "${word}" at)
    if(at LESS 0)
      set(at 0)
    endif()
    math(EXPR at "${call} + ${at}")
    string(SUBSTRING "${text}" 0 ${at} before)
    string(REGEX MATCHALL "\n" ends "${before}")
    list(LENGTH ends line)
    math(EXPR line "${line} + 1")
    string(APPEND place ":${line}")
  endif()
  set(${out} "${place}" PARENT_SCOPE)
endfunction()

# Returns a blank and the question whether a similar word among the further arguments was meant;
# an empty string if there is no similar word.
function(nova_meant out word)
  list(JOIN ARGN "\n" known)
  execute_process(
    COMMAND "${NOVA_PYTHON}" -B -c "import sys; sys.path.insert(0, sys.argv[1])
from nova.errors import meant; print(end=meant(sys.argv[2], sys.argv[3].splitlines()))"
      "${NOVA_SDK}/lib" "${word}" "${known}"
    OUTPUT_VARIABLE question ERROR_QUIET)
  set(${out} "${question}" PARENT_SCOPE)
endfunction()

# nova_check_arguments(<function> <target> <keyword>...): checks the arguments that the caller has
# parsed by cmake_parse_arguments() with the prefix arg and these keywords.
function(nova_check_arguments function target)
  if(target IN_LIST ARGN)
    message(FATAL_ERROR "${function}: a name comes first, before ${target}.")
  endif()
  list(JOIN ARGN ", " known)
  foreach(word IN LISTS arg_UNPARSED_ARGUMENTS arg_SOURCES arg_LINK arg_PROGRAMS arg_MODULES)
    set(question)
    if(word IN_LIST arg_UNPARSED_ARGUMENTS OR word MATCHES "^[A-Z_]+$")
      nova_meant(question "${word}" ${ARGN})
    endif()
    # After a keyword with several values, a misspelt keyword looks like another value.
    if(word IN_LIST arg_UNPARSED_ARGUMENTS OR question)
      nova_mistake(${function} "${target}"
        "'${word}' is not understood.${question} Possible here: ${known}.")
    endif()
  endforeach()
endfunction()

# nova_check_name(<function> <target>): checks that the target can be made.
function(nova_check_name function target)
  if(TARGET ${target})
    nova_mistake(${function} ${target}
      "the name '${target}' is already taken: give one of the two another name.")
  elseif(NOT target MATCHES "^[A-Za-z0-9_.+-]+$" OR target MATCHES
      "^(all|clean|edit_cache|help|install|package|rebuild_cache|test)$")
    nova_mistake(${function} "${target}"
      "'${target}' cannot be a name: use letters, digits, _ and -, and no name of CMake's own.")
  endif()
endfunction()

# nova_check_languages(<function> <target> <file>...): checks that the project has the languages of
# its sources, because CMake leaves out sources of unknown languages.
function(nova_check_languages function target)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  foreach(file IN LISTS ARGN)
    set(language)
    if(file MATCHES "\\.[sS]$")
      set(language ASM)
    elseif(file MATCHES "\\.(cc|cpp|cxx|C)$")
      set(language CXX)
    endif()
    if(language AND NOT language IN_LIST languages)
      nova_mistake(${function} ${target}
        "'${file}' needs the language ${language}: add it to the LANGUAGES of project().")
    endif()
  endforeach()
endfunction()

# nova_check_files(<function> <target> <keyword> <file>...): checks, at the end of the folder, that
# the files exist or that a rule of this folder makes them.
function(nova_check_files function target keyword)
  foreach(file IN LISTS ARGN)
    if(NOT file MATCHES "^guest:|\\$<")
      cmake_language(EVAL CODE "cmake_language(DEFER CALL nova_check_file
        [[${function}]] [[${target}]] [[${keyword}]] [[${file}]] [[${CMAKE_CURRENT_LIST_FILE}]])")
    endif()
  endforeach()
endfunction()

function(nova_check_file function target keyword file list)
  foreach(folder "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_BINARY_DIR}")
    get_filename_component(path "${file}" ABSOLUTE BASE_DIR "${folder}")
    get_source_file_property(made "${path}" GENERATED)
    if(made OR EXISTS "${path}")
      return()
    endif()
  endforeach()
  nova_find_place(place ${function} ${target} "${list}" "${file}")
  if(keyword STREQUAL "MODULES" AND function STREQUAL "nova_add_system" AND
      (TARGET ${file} OR TARGET Nova::${file}))
    nova_mistake(${function} ${target} "'${file}' is a program: name it after PROGRAMS, not after \
MODULES." "${place}")
  endif()
  get_filename_component(folder "${file}" DIRECTORY)
  get_filename_component(name "${file}" NAME)
  get_filename_component(folder "${folder}" ABSOLUTE)
  file(GLOB there RELATIVE "${folder}" "${folder}/*")
  if(keyword STREQUAL "SEALED")
    list(FILTER there INCLUDE REGEX "\\.seal$")
  elseif(keyword STREQUAL "DESCRIPTION")
    list(FILTER there INCLUDE REGEX "\\.nova$")
  endif()
  nova_meant(question "${name}" ${there})
  if(NOT question)
    set(question " Create it, or correct the name.")
  endif()
  nova_mistake(${function} ${target} "the file '${file}' of ${keyword} is not there.${question}"
    "${place}")
endfunction()

# nova_check_libraries(<function> <target> <library>...): checks the names of SDK libraries; the
# linker checks all others.
function(nova_check_libraries function target)
  foreach(library IN LISTS ARGN)
    if(library MATCHES "^Nova::" AND NOT TARGET ${library})
      nova_meant(question "${library}" Nova::nova Nova::novanet Nova::novart
        Nova::novatls Nova::novavmm)
      nova_mistake(${function} ${target} "there is no library '${library}'.${question} The SDK has \
Nova::nova, Nova::novanet, Nova::novart, Nova::novatls and Nova::novavmm.")
    endif()
  endforeach()
endfunction()
