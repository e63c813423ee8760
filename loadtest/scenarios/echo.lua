-- SPDX-License-Identifier: MIT
-- POST /echo with a body of 1 KiB (size=BYTES or SIZE=BYTES for another size), one request at a time on each connection.
--
--   wrk -t1 -c64 -d5s -s loadtest/scenarios/echo.lua http://127.0.0.1:8080/ size=1024

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local scenario = dofile(here .. "lib/scenario.lua")

-- Letters in a fixed order, so that a shifted or truncated answer differs.
local function pattern(size)
   local alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
   return alphabet:rep(math.ceil(size / #alphabet)):sub(1, size)
end

scenario.define {
   name = "echo",
   prepare = function(options)
      local body = pattern(scenario.number(options, "size", 1024))
      local headers = { ["Content-Type"] = "text/plain" }
      return wrk.format("POST", scenario.path("/echo"), headers, body), body
   end,
}
