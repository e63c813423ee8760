# SPDX-License-Identifier: MIT
# The fuzz targets: each tests/fuzz/fuzz_*.c is a libFuzzer program where ECHOD_FUZZ is on, and where the unit tests are built a
# program that replays the inputs committed for it: those of corpus/ and of regressions/.

file(GLOB fuzz_targets CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
add_library(echod_fuzz_helpers OBJECT tests/fuzz/fuzz.c
  tests/unit/support/answer.c tests/unit/support/invariants.c tests/unit/support/log_sink.c
  tests/unit/support/transcript.c)
target_link_libraries(echod_fuzz_helpers PUBLIC echod_common PRIVATE echod_flags)

# What a target needs beyond the core.
set(fuzz_library_options echod_server)
set(fuzz_library_listen_spec echod_server)
set(fuzz_library_response echod_swarm)

function(echod_add_fuzz source)
  cmake_path(GET source STEM program)
  string(REPLACE "fuzz_" "" name ${program})
  set(library ${fuzz_library_${name}})
  if(library AND NOT TARGET ${library})
    return()
  endif()
  if(NOT ECHOD_FUZZ)
    set(program replay_${name})
    set(driver tests/fuzz/replay.c)
  endif()
  add_executable(${program} ${source} ${driver})
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  target_link_libraries(${program} PRIVATE echod_fuzz_helpers echod_common ${library} Threads::Threads echod_flags)
  if(ECHOD_FUZZ)
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
  else()
    add_test(NAME ${program} COMMAND ${program} tests/fuzz/corpus/${name} tests/fuzz/regressions/${name}
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${program} PROPERTIES LABELS unit TIMEOUT 300)
  endif()
endfunction()

foreach(source ${fuzz_targets})
  echod_add_fuzz(${source})
endforeach()
