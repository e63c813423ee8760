# SPDX-License-Identifier: MIT
# How every source is compiled and linked: sanitizers for the whole build, warnings and hardening as the target echod_flags.

include(CheckCCompilerFlag)

if(ECHOD_SANITIZE)
  add_compile_options(-fsanitize=${ECHOD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ECHOD_SANITIZE})
endif()

# For what is built here, llhttp included: its source has loops for SSE4.2.
if(ECHOD_ARCH)
  add_compile_options(-march=${ECHOD_ARCH})
endif()

add_library(echod_flags INTERFACE)

# Programs look for leaks without the sanitizer's own variables, which takes less time: tests/sanitizers/leak_roots.c.
if(ECHOD_SANITIZE MATCHES "address" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_library(echod_leak_roots OBJECT tests/sanitizers/leak_roots.c)
  target_compile_definitions(echod_leak_roots PRIVATE _GNU_SOURCE=)
  target_link_libraries(echod_flags INTERFACE $<TARGET_OBJECTS:echod_leak_roots>)
endif()

target_compile_options(echod_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wold-style-definition -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(echod_flags INTERFACE -Wlogical-op -Wduplicated-cond -Wduplicated-branches)
else()
  target_compile_options(echod_flags INTERFACE -Wthread-safety -Wthread-safety-beta)
endif()
if(ECHOD_WERROR)
  target_compile_options(echod_flags INTERFACE -Werror)
endif()

if(ECHOD_HARDEN)
  target_compile_options(echod_flags INTERFACE
    -fstack-protector-strong -U_FORTIFY_SOURCE $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
  target_link_options(echod_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
  foreach(flag stack-clash-protection cf-protection)
    string(MAKE_C_IDENTIFIER "ECHOD_HAS_${flag}" known)
    check_c_compiler_flag(-f${flag} ${known})
    if(${known})
      target_compile_options(echod_flags INTERFACE -f${flag})
    endif()
  endforeach()
endif()

# A release carries no tables for unwinding, which C does not need, no stubs for calls that are bound at start-up anyway, no
# padding, and its relocations packed where the linker can.
include(CheckLinkerFlag)
set(ECHOD_FOR_SIZE -Os)
target_compile_options(echod_flags INTERFACE "$<$<CONFIG:Release>:-fno-asynchronous-unwind-tables;-fno-plt;-falign-functions=1>")
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND ECHOD_FOR_SIZE -fno-ipa-sra -fno-caller-saves)
  target_compile_options(echod_flags INTERFACE "$<$<CONFIG:Release>:-falign-jumps=1;-falign-loops=1>")
endif()
check_linker_flag(C -Wl,-z,pack-relative-relocs ECHOD_HAS_PACKED_RELOCATIONS)
if(ECHOD_HAS_PACKED_RELOCATIONS)
  target_link_options(echod_flags INTERFACE $<$<CONFIG:Release>:-Wl,-z,pack-relative-relocs>)
endif()

# Debug information changes no instruction, and cmake/split_debug.cmake moves it out of the program. With it come the tables for
# unwinding that the program itself does not carry: in .debug_frame, if the linker's own compilations are told not to make others.
target_compile_options(echod_flags INTERFACE $<$<CONFIG:Release>:-g>)
target_link_options(echod_flags INTERFACE "$<$<CONFIG:Release>:-g;-fno-asynchronous-unwind-tables>")

# A static executable is position independent by -static-pie; the -pie of the ordinary one must not join it.
if(ECHOD_STATIC)
  target_link_options(echod_flags INTERFACE -static-pie)
else()
  include(CheckPIESupported)
  check_pie_supported(LANGUAGES C)
endif()

if(ECHOD_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES C)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

# Both steps are built in the same folder: a profile is found by the path of the object it belongs to. What the training never
# ran is compiled for size.
if(ECHOD_PGO)
  set(ECHOD_PROFILE ${PROJECT_BINARY_DIR}/profile)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "ECHOD_PGO: only GCC's profiles are known here, not those of ${CMAKE_C_COMPILER_ID}")
  elseif(ECHOD_PGO STREQUAL "train")
    set(pgo_flags -fprofile-generate=${ECHOD_PROFILE} -fprofile-update=atomic)
  elseif(NOT ECHOD_PGO STREQUAL "use")
    message(FATAL_ERROR "ECHOD_PGO: '${ECHOD_PGO}' is neither train nor use")
  elseif(NOT EXISTS ${ECHOD_PROFILE})
    message(FATAL_ERROR "ECHOD_PGO: there is no profile in ${ECHOD_PROFILE}; ./dev build pgo makes it")
  else()
    set(pgo_flags -fprofile-use=${ECHOD_PROFILE} -fprofile-correction -Wno-missing-profile)
  endif()
  target_compile_options(echod_flags INTERFACE ${pgo_flags})
  target_link_options(echod_flags INTERFACE ${pgo_flags})
endif()
