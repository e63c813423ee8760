-- SPDX-License-Identifier: MIT
-- GET of any path (path=PATH, or the URL's own) with the fields that a browser sends: a dozen, 700 bytes in all.
--
--   wrk -t1 -c64 -d5s -s loadtest/scenarios/browser.lua http://127.0.0.1:8080/

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local scenario = dofile(here .. "lib/scenario.lua")

local FIELDS = {
   ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
   ["Accept-Encoding"] = "gzip, deflate, br, zstd",
   ["Accept-Language"] = "en-GB,en-US;q=0.9,en;q=0.8",
   ["Cache-Control"] = "no-cache",
   ["Pragma"] = "no-cache",
   ["Sec-CH-UA"] = '"Chromium";v="124", "Not-A.Brand";v="99"',
   ["Sec-CH-UA-Mobile"] = "?0",
   ["Sec-Fetch-Dest"] = "document",
   ["Sec-Fetch-Mode"] = "navigate",
   ["Referer"] = "http://localhost/some/page/with/a/path?and=a&query=string",
   ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
      .. "Chrome/124.0.0.0 Safari/537.36",
}

scenario.define {
   name = "browser",
   prepare = function(options)
      return wrk.format("GET", options.path or scenario.path("/plaintext"), FIELDS), "Hello, World!"
   end,
}
