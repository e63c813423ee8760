# SPDX-License-Identifier: MIT
# Finds the static library of Boost.Context as echod::boost_context, for the mode fiber: its two C functions change stacks. Without it
# that mode is left out. Headers are not needed. Sets BOOST_CONTEXT_VERSION.

find_library(BOOST_CONTEXT_LIBRARY libboost_context.a)
if(BOOST_CONTEXT_LIBRARY)
  cmake_path(GET BOOST_CONTEXT_LIBRARY PARENT_PATH folder)
  file(GLOB config ${folder}/cmake/boost_context-*)
  if(config MATCHES "boost_context-([0-9.]+)")
    set(BOOST_CONTEXT_VERSION ${CMAKE_MATCH_1})
  else()
    set(BOOST_CONTEXT_VERSION "(unknown version)")
  endif()
  message(STATUS "Boost.Context: ${BOOST_CONTEXT_VERSION}, ${BOOST_CONTEXT_LIBRARY}")
  add_library(echod::boost_context INTERFACE IMPORTED GLOBAL)
  target_link_libraries(echod::boost_context INTERFACE ${BOOST_CONTEXT_LIBRARY})
else()
  message(STATUS "Boost.Context: not found, so the mode fiber is left out")
endif()
