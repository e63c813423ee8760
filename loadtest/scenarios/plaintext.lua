-- SPDX-License-Identifier: MIT
-- GET /plaintext, one request at a time on each connection.
--
--   wrk -t1 -c64 -d5s -s loadtest/scenarios/plaintext.lua http://127.0.0.1:8080/

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local scenario = dofile(here .. "lib/scenario.lua")

scenario.define {
   name = "plaintext",
   prepare = function()
      return wrk.format("GET", scenario.path("/plaintext")), "Hello, World!"
   end,
}
