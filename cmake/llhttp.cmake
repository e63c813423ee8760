# SPDX-License-Identifier: MIT
# Finds llhttp 9.2.1 or newer as echod::llhttp (older releases have known request-smuggling defects), or fetches its release.
# Packages carry no CMake version file, so the version is read from the header.

set(LLHTTP_WANTED 9.2.1)
set(LLHTTP_COMMIT 610a87d755f6bae466cd871c2ba97574ccac5483) # tag release/v9.2.1

function(llhttp_version_of header result)
  set(version "")
  foreach(part MAJOR MINOR PATCH)
    file(STRINGS ${header} line REGEX "define LLHTTP_VERSION_${part} ")
    string(REGEX MATCH "[0-9]+" number "${line}")
    list(APPEND version ${number})
  endforeach()
  list(JOIN version "." version)
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

# The static library, as a target of the package or as a file beside the shared one; else, or if asked for, the shared one.
function(llhttp_find)
  find_package(llhttp QUIET)
  find_path(LLHTTP_INCLUDE_DIR llhttp.h)
  find_library(LLHTTP_STATIC libllhttp.a)
  find_library(LLHTTP_SHARED llhttp)
  mark_as_advanced(llhttp_DIR LLHTTP_INCLUDE_DIR LLHTTP_STATIC LLHTTP_SHARED)

  foreach(target llhttp::llhttp_static llhttp::llhttp_shared)
    if(TARGET ${target})
      get_target_property(include_dir ${target} INTERFACE_INCLUDE_DIRECTORIES)
      break()
    endif()
  endforeach()
  if(NOT include_dir)
    set(include_dir ${LLHTTP_INCLUDE_DIR})
  endif()
  if(NOT EXISTS "${include_dir}/llhttp.h")
    return()
  endif()
  llhttp_version_of(${include_dir}/llhttp.h version)
  if(version VERSION_LESS LLHTTP_WANTED)
    message(STATUS "llhttp: passing over ${version} in ${include_dir}, ${LLHTTP_WANTED} is needed")
    return()
  endif()

  add_library(echod::llhttp INTERFACE IMPORTED GLOBAL)
  target_include_directories(echod::llhttp INTERFACE ${include_dir})
  if(ECHOD_LLHTTP_SHARED AND ECHOD_STATIC)
    message(FATAL_ERROR "llhttp: ECHOD_STATIC needs a static one, and ECHOD_LLHTTP_SHARED asks for the shared one")
  elseif(ECHOD_LLHTTP_SHARED AND LLHTTP_SHARED)
    set(library ${LLHTTP_SHARED})
  elseif(TARGET llhttp::llhttp_static)
    set(library llhttp::llhttp_static)
  elseif(LLHTTP_STATIC)
    set(library ${LLHTTP_STATIC})
  elseif(ECHOD_STATIC)
    message(FATAL_ERROR "llhttp: ${version} is here as a shared library only, and ECHOD_STATIC needs a static one")
  elseif(TARGET llhttp::llhttp_shared)
    set(library llhttp::llhttp_shared)
  else()
    set(library ${LLHTTP_SHARED})
  endif()
  target_link_libraries(echod::llhttp INTERFACE ${library})
  message(STATUS "llhttp: ${version}, ${library}")
endfunction()

function(llhttp_fetch)
  message(STATUS "llhttp: fetching release ${LLHTTP_WANTED}")
  include(FetchContent)
  # SOURCE_SUBDIR names no folder with a CMakeLists.txt: only the sources are wanted, not their install rules.
  FetchContent_Declare(llhttp
    GIT_REPOSITORY https://github.com/nodejs/llhttp.git
    GIT_TAG ${LLHTTP_COMMIT}
    SOURCE_SUBDIR src)
  FetchContent_MakeAvailable(llhttp)
  add_library(echod_llhttp STATIC
    ${llhttp_SOURCE_DIR}/src/api.c ${llhttp_SOURCE_DIR}/src/http.c ${llhttp_SOURCE_DIR}/src/llhttp.c)
  target_include_directories(echod_llhttp SYSTEM PUBLIC ${llhttp_SOURCE_DIR}/include)
  add_library(echod::llhttp ALIAS echod_llhttp)
  message(STATUS "llhttp: ${LLHTTP_WANTED}, static, built from the fetched release")
endfunction()

if(NOT ECHOD_LLHTTP_FETCH)
  llhttp_find()
endif()
if(NOT TARGET echod::llhttp)
  llhttp_fetch()
endif()
