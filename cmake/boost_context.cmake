# SPDX-License-Identifier: MIT
# Finds the static library of Boost.Context as echod::boost_context, for the mode fiber: its two C functions change stacks. Without it
# that mode is left out. Headers are not needed.

find_library(BOOST_CONTEXT_LIBRARY libboost_context.a)
if(BOOST_CONTEXT_LIBRARY)
  message(STATUS "Boost.Context: ${BOOST_CONTEXT_LIBRARY}")
  add_library(echod::boost_context INTERFACE IMPORTED GLOBAL)
  target_link_libraries(echod::boost_context INTERFACE ${BOOST_CONTEXT_LIBRARY})
else()
  message(STATUS "Boost.Context: not found, so the mode fiber is left out")
endif()
