-- SPDX-License-Identifier: MIT
-- GET of any path (path=PATH, or the URL's own), with the body that its answer must have (expect=TEXT, else that of
-- /plaintext). close=1: without keep-alive, a connection for each request.
--
--   wrk -t1 -c64 -d5s -s loadtest/scenarios/get.lua http://127.0.0.1:8080/ path=/delay/10ms close=1

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local scenario = dofile(here .. "lib/scenario.lua")

scenario.define {
   name = "get",
   prepare = function(options)
      local close = scenario.number(options, "close", 0) ~= 0
      local path = options.path or scenario.path("/plaintext")
      return wrk.format("GET", path, close and { ["Connection"] = "close" } or {}), options.expect or "Hello, World!"
   end,
}
