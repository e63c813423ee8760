# SPDX-License-Identifier: MIT
# The trace points as USDT probes (common/base/trace.h), where the header for them is there. Sets probe_definitions.

include(CheckIncludeFile)

check_include_file(sys/sdt.h ECHOD_HAS_SDT)
if(ECHOD_HAS_SDT)
  set(probe_definitions ECHOD_PROBES)
else()
  set(probe_definitions "")
  message(STATUS "sys/sdt.h: not found, so there are no USDT probes")
endif()
