-- SPDX-License-Identifier: MIT
-- GET /plaintext, 16 requests sent at once on each connection (depth=N or DEPTH=N for another number).
-- A latency is that of a whole burst: from the first request's sending to the last answer.
--
--   wrk -t1 -c64 -d5s -s loadtest/scenarios/pipeline.lua http://127.0.0.1:8080/ depth=16

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local scenario = dofile(here .. "lib/scenario.lua")

scenario.define {
   name = "pipeline",
   depth = 16,
   prepare = function()
      return wrk.format("GET", scenario.path("/plaintext")), "Hello, World!"
   end,
}
