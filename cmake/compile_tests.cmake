# SPDX-License-Identifier: MIT
# What clang's thread safety analysis accepts and refuses: tests/unit/compile/README.md says how its files are written.

find_program(CLANG clang)
if(NOT CLANG)
  message(STATUS "clang was not found: what its thread safety analysis refuses is not tested")
  return()
endif()

set(compile_command ${CLANG} -fsyntax-only -std=gnu17 -D_GNU_SOURCE= -I ${PROJECT_SOURCE_DIR}
  -Wall -Wextra -Wthread-safety -Wthread-safety-beta -Werror)

file(GLOB compile_sources CONFIGURE_DEPENDS tests/unit/compile/*.c)
foreach(source ${compile_sources})
  cmake_path(GET source STEM name)
  file(STRINGS ${source} refused REGEX "refused: ")
  string(REGEX REPLACE "^.*refused: (.*) \\*/$" "\\1" refused "${refused}")
  add_test(NAME accepted_${name} COMMAND ${compile_command} ${source})
  add_test(NAME refused_${name} COMMAND ${compile_command} -DWRONG ${source})
  set_tests_properties(refused_${name} PROPERTIES PASS_REGULAR_EXPRESSION "error: ${refused}")
  set_tests_properties(accepted_${name} refused_${name} PROPERTIES LABELS unit TIMEOUT 60)
endforeach()
