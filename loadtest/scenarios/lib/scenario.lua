-- SPDX-License-Identifier: MIT
-- What every scenario shares: options, the hooks wrk calls, the check of the answers, the figures as one line of JSON.
--
-- Options are words after the URL (`size=4096 check=1`) or, in capitals, environment variables (`SIZE=4096`).
-- `check=1` compares status and body of every answer; wrk is slower then, so figures are taken without it. Without it
-- only the mean length of the answers is checked, which costs nothing. `gate=PATH` opens the connections, then holds the
-- first request back until that file exists: so the runner can wait until the server has accepted them all. `hold=PATH`
-- keeps the connections open after the last request until that file exists, and says by the file PATH.ended that nothing is
-- sent any more: so the runner can read what the server used for exactly these requests, whatever the reading costs.

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local histogram = dofile(here .. "histogram.lua")

local scenario = {}
local HEAD_MIN, HEAD_MAX = 17, 1024 -- bytes of an answer's head: a bare status line, far more than any server sends

local function refuse(message)
   io.stderr:write(message, "\n")
   os.exit(2)
end

local function parse_options(args)
   local options = {}
   for _, word in ipairs(args) do
      local name, value = word:match("^(%w+)=(.*)$")
      if not name then
         refuse("not name=value: " .. word)
      end
      options[name] = value
   end
   return options
end

-- The number given as option `name`, as environment variable, or else `default`.
function scenario.number(options, name, default)
   local text = options[name] or os.getenv(name:upper())
   if not text then
      return default
   end
   local number = tonumber(text)
   if not number or number < 0 or number ~= math.floor(number) then
      refuse(name .. ": not a whole number: " .. text)
   end
   return number
end

-- The URL's own path if it has one, else the scenario's.
function scenario.path(default)
   return wrk.path == "/" and default or wrk.path
end

local function system()
   local ffi = require "ffi"
   pcall(ffi.cdef, [[
      int usleep(unsigned int microseconds);
      struct lab_timespec { long seconds, nanoseconds; };
      int clock_gettime(int clock, struct lab_timespec *now);
   ]])
   return ffi
end

-- Seconds of CLOCK_MONOTONIC.
local function now()
   local ffi = system()
   local found = ffi.new("struct lab_timespec")
   ffi.C.clock_gettime(1, found)
   return tonumber(found.seconds) + tonumber(found.nanoseconds) / 1e9
end

local function wait_for(path)
   local ffi = system()
   local file = io.open(path)
   while not file do
      ffi.C.usleep(500)
      file = io.open(path)
   end
   file:close()
end

local function hold(path)
   io.open(path .. ".ended", "w"):close()
   wait_for(path)
end

-- A wrk `request` function that gives the burst, but not before the gate is open. wrk opens all connections of a thread
-- before its first call; only in the first thread there is an earlier one, with which it checks the request.
local function gated(burst, path, first_thread)
   local called = not first_thread
   return function()
      if called then
         wait_for(path)
         opened = now()
         request = function()
            return burst
         end
      end
      called = true
      return burst
   end
end

local function json_pairs(list)
   local parts = {}
   for _, pair in ipairs(list) do
      parts[#parts + 1] = ("[%d,%d]"):format(pair[1], pair[2])
   end
   return "[" .. table.concat(parts, ",") .. "]"
end

local function json(fields)
   local parts = {}
   for _, field in ipairs(fields) do
      local value = field[2]
      if type(value) == "table" then
         value = type(value[1][1]) == "number" and json_pairs(value) or json(value)
      elseif type(value) == "string" then
         value = ('"%s"'):format(value)
      elseif type(value) == "number" then
         value = ("%.10g"):format(value)
      else
         value = tostring(value)
      end
      parts[#parts + 1] = ('"%s":%s'):format(field[1], value)
   end
   return "{" .. table.concat(parts, ",") .. "}"
end

local function latency_fields(latencies)
   local fields = {
      { "p50", latencies:percentile(50) },
      { "p90", latencies:percentile(90) },
      { "p99", latencies:percentile(99) },
      { "p99.9", latencies:percentile(99.9) },
      { "max", latencies.max },
      { "samples", latencies.samples },
      { "corrected", latencies.corrected },
   }
   local buckets = latencies:buckets()
   if buckets and buckets[1] then
      fields[#fields + 1] = { "buckets", buckets }
   end
   return fields
end

-- Defines wrk's hooks for a scenario: { name, depth (1 if absent), prepare }. prepare(options) gives the bytes of one
-- request and the body that its answer must have.
function scenario.define(this)
   local threads = {}

   function setup(thread)
      threads[#threads + 1] = thread
      thread:set("number", #threads)
   end

   -- Runs once in each thread's own Lua state; what it leaves in globals, done() reads.
   function init(args)
      local options = parse_options(args)
      local one, body = this.prepare(options)
      depth = scenario.number(options, "depth", this.depth or 1)
      body_length = #body
      wrong = 0

      -- wrk formats the request once and sends the same bytes ever after; a `request` function would be called each time.
      local burst = one:rep(depth)
      wrk.format = function()
         return burst
      end
      burst_length = #burst
      held = options.hold or ""
      if options.gate then
         request = gated(burst, options.gate, number == 1)
      end
      if scenario.number(options, "check", 0) ~= 0 then
         response = function(status, _, answer)
            if status < 400 and (status ~= 200 or answer ~= body) then -- wrk counts the others: status
               wrong = wrong + 1
            end
         end
      end
   end

   function done(summary, latency)
      local ended = now()
      local began = ended - summary.duration / 1e6
      local wrong_bodies = 0
      for i, thread in ipairs(threads) do
         wrong_bodies = wrong_bodies + thread:get("wrong")
         local opened = thread:get("opened")
         began = opened and (i == 1 or opened < began) and opened or began
      end
      if threads[1]:get("held") ~= "" then
         hold(threads[1]:get("held"))
      end
      local length, depth = threads[1]:get("body_length"), threads[1]:get("depth")
      local mean = summary.requests > 0 and summary.bytes / summary.requests or 0
      local length_ok = summary.requests == 0 or mean >= length + HEAD_MIN and mean <= length + HEAD_MAX
      local errors = summary.errors

      if not length_ok then
         print(("  Wrong answers: %.0f bytes each on average, with a body of %d expected"):format(mean, length))
      elseif wrong_bodies > 0 then
         print(("  Wrong answers: %d"):format(wrong_bodies))
      end
      print(json {
         { "scenario", this.name },
         { "requests", summary.requests },
         { "bytes", summary.bytes },
         { "duration_us", summary.duration },
         { "elapsed_us", (ended - began) * 1e6 },
         { "burst_bytes", threads[1]:get("burst_length") },
         { "depth", depth },
         { "body_length", length },
         { "length_ok", length_ok },
         { "latency_us", latency_fields(histogram.read(latency, summary, depth)) },
         { "errors", {
            { "connect", errors.connect },
            { "read", errors.read },
            { "write", errors.write },
            { "timeout", errors.timeout },
            { "status", errors.status },
            { "body", wrong_bodies },
         } },
      })
   end
end

return scenario
