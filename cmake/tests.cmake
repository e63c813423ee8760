# SPDX-License-Identifier: MIT
# The unit tests: each test_*.c in tests/unit/ is a Criterion program, each stress_*.c a plain one that exits 0. Its folder is
# that of what it tests: base, http, session and handlers are linked with echod_common, server with the server's modules,
# swarm with the load client's. Those in failing/ are linked with what makes allocations fail. Each may use support/.

find_program(VALGRIND valgrind)
set(valgrind_command ${VALGRIND} --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible
  --errors-for-leak-kinds=definite,possible --suppressions=${PROJECT_SOURCE_DIR}/tests/unit/valgrind.supp
  --trace-children=yes --child-silent-after-fork=no --read-inline-info=no)

find_path(CRITERION_INCLUDE_DIR criterion/criterion.h)
find_library(CRITERION_LIBRARY criterion)

file(GLOB test_helpers CONFIGURE_DEPENDS tests/unit/support/*.c)
add_library(echod_test_helpers OBJECT ${test_helpers})
target_link_libraries(echod_test_helpers PUBLIC echod_common PRIVATE echod_flags)

# The programs of the stage valgrind that have one process for all of their tests: see tests/unit/one_process.c.
if(VALGRIND AND NOT ECHOD_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(with_valgrind ON)
  add_custom_target(valgrind_tests)
  add_library(echod_one_process OBJECT EXCLUDE_FROM_ALL tests/unit/one_process.c)
  target_compile_definitions(echod_one_process PRIVATE _GNU_SOURCE=)
  target_include_directories(echod_one_process SYSTEM PRIVATE ${CRITERION_INCLUDE_DIR})
  target_link_libraries(echod_one_process PRIVATE echod_flags)
endif()

# Criterion runs each case in a child and looks only at how the case ended, so that what a memory checker says when the
# child exits must be seen in the output. Every such line begins with the checker's ==PID==.
set(checker_complains "==[0-9]+==")

# The tests of a program once more, under Valgrind. What bytes from the network pass through comes first, and takes the time of one process:
# AddressSanitizer does not see a read of memory that was never written. The others need a process for each test.
function(echod_add_valgrind_test name source library)
  if(source MATCHES "/unit/(server|swarm|base/test_(block|budget|clock|scoreboard|sync))")
    add_test(NAME valgrind_${name}
      COMMAND ${valgrind_command} $<TARGET_FILE:${name}> --verbose --jobs 1 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set(label valgrind-rest)
  else()
    add_executable(valgrind_${name} EXCLUDE_FROM_ALL ${source})
    set_target_properties(valgrind_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    target_include_directories(valgrind_${name} SYSTEM PRIVATE ${CRITERION_INCLUDE_DIR})
    target_link_libraries(valgrind_${name} PRIVATE ${library} echod_test_helpers echod_one_process Threads::Threads echod_flags)
    add_test(NAME valgrind_${name}
      COMMAND ${valgrind_command} $<TARGET_FILE:valgrind_${name}> WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    add_dependencies(valgrind_tests valgrind_${name})
    set(label valgrind)
  endif()
  set_tests_properties(valgrind_${name} PROPERTIES LABELS ${label} TIMEOUT 1200 ENVIRONMENT PROPERTY_ROUNDS=100
    FAIL_REGULAR_EXPRESSION ${checker_complains})
endfunction()

function(echod_add_test source library)
  cmake_path(GET source STEM name)
  add_executable(${name} ${source})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${library} echod_test_helpers Threads::Threads echod_flags)
  if(name MATCHES "^stress_")
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS stress TIMEOUT 300 PROCESSORS 2)
    return()
  endif()

  target_include_directories(${name} SYSTEM PRIVATE ${CRITERION_INCLUDE_DIR})
  target_link_libraries(${name} PRIVATE ${CRITERION_LIBRARY})
  set(jobs 1)
  if(name MATCHES "^test_(split_invariance|session_memory)$") # the longest by far
    set(jobs 2)
  endif()
  add_test(NAME ${name} COMMAND ${name} --verbose --jobs ${jobs} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 900 PROCESSORS ${jobs}
    FAIL_REGULAR_EXPRESSION ${checker_complains})
  if(name MATCHES "^test_(split_invariance|session_memory)$" AND ECHOD_SANITIZE MATCHES "address")
    # Each run frees less than this. AddressSanitizer would keep 256 MiB from being used again, all of them cold.
    set_tests_properties(${name} PROPERTIES ENVIRONMENT_MODIFICATION "ASAN_OPTIONS=path_list_append:quarantine_size_mb=16")
  endif()
  if(with_valgrind)
    echod_add_valgrind_test(${name} ${source} ${library})
  endif()
endfunction()

# Criterion's allocator aborts under ThreadSanitizer: there the stress programs stand for it.
set(common_tests "")
foreach(folder base http session handlers)
  file(GLOB tests CONFIGURE_DEPENDS tests/unit/${folder}/test_*.c tests/unit/${folder}/stress_*.c)
  list(APPEND common_tests ${tests})
endforeach()
file(GLOB server_tests CONFIGURE_DEPENDS tests/unit/server/test_*.c)
if(NOT "echod::boost_context" IN_LIST mode_libraries)
  list(FILTER server_tests EXCLUDE REGEX "/test_fiber\\.c$")
endif()
if(NOT "echod::liburing" IN_LIST mode_libraries)
  list(FILTER server_tests EXCLUDE REGEX "/test_ring\\.c$")
endif()
file(GLOB swarm_tests CONFIGURE_DEPENDS tests/unit/swarm/test_*.c)
if(NOT ECHOD_SWARM OR ECHOD_SANITIZE MATCHES "thread")
  set(swarm_tests "")
endif()
if(ECHOD_SANITIZE MATCHES "thread")
  list(FILTER common_tests INCLUDE REGEX "/stress_[^/]*$")
  set(server_tests "")
elseif(NOT CRITERION_INCLUDE_DIR OR NOT CRITERION_LIBRARY)
  message(FATAL_ERROR "Criterion was not found: the unit tests need version 2.4 or newer, with its headers")
endif()
foreach(source ${common_tests})
  echod_add_test(${source} echod_common)
endforeach()
foreach(source ${server_tests})
  echod_add_test(${source} echod_server)
endforeach()
# Programs whose allocations fail on demand: the tests of tests/unit/failing/, and the server as the integration cases run it.
add_library(echod_failing_allocations OBJECT tests/failing/failing.c)
target_link_libraries(echod_failing_allocations PRIVATE echod_flags)
target_include_directories(echod_failing_allocations PRIVATE ${PROJECT_SOURCE_DIR})
target_link_options(echod_failing_allocations INTERFACE
  -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=reallocarray)

add_executable(echod_failing server/main.c tests/failing/environment.c)
set_target_properties(echod_failing PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_link_libraries(echod_failing PRIVATE echod_failing_allocations echod_server echod_flags)

# The server whose rings' operations fail on demand.
if("echod::liburing" IN_LIST mode_libraries)
  add_executable(echod_ring_faults server/main.c tests/failing/completions.c)
  set_target_properties(echod_ring_faults PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_link_libraries(echod_ring_faults PRIVATE echod_server echod_flags)
  foreach(call queue_init_params register_buf_ring enable_rings submit submit_and_get_events submit_and_wait submit_and_wait_timeout)
    target_link_options(echod_ring_faults PRIVATE -Wl,--wrap=io_uring_${call})
  endforeach()
endif()

if(NOT ECHOD_SANITIZE MATCHES "thread")
  file(GLOB failing_tests CONFIGURE_DEPENDS tests/unit/failing/test_*.c)
endif()
foreach(source ${failing_tests})
  echod_add_test(${source} echod_failing_allocations)
endforeach()
foreach(source ${swarm_tests})
  echod_add_test(${source} echod_swarm)
endforeach()

# That tests/sanitizers/leak_roots.c hides no leak, and makes none of what a variable keeps.
if(TARGET echod_leak_roots)
  add_executable(leaks tests/sanitizers/leaks.c)
  set_target_properties(leaks PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_link_libraries(leaks PRIVATE echod_flags)
  add_test(NAME leaks_are_found COMMAND leaks lost)
  set_tests_properties(leaks_are_found PROPERTIES LABELS unit PASS_REGULAR_EXPRESSION "LeakSanitizer: detected memory leaks")
  add_test(NAME what_is_kept_is_no_leak COMMAND leaks)
  set_tests_properties(what_is_kept_is_no_leak PROPERTIES LABELS unit FAIL_REGULAR_EXPRESSION ${checker_complains})
endif()

if(CMAKE_C_FLAGS_DEBUG MATCHES "--coverage")
  target_sources(echod PRIVATE tests/coverage/exit.c)
  target_link_options(echod PRIVATE -Wl,--wrap=_exit)
endif()
