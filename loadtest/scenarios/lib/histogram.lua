-- SPDX-License-Identifier: MIT
-- The latencies wrk measured, without the ones it invents.
--
-- Before done() is called, wrk 4 "corrects" its histogram: for every latency of at least twice the mean interval between
-- a connection's requests it adds made-up ones, an interval apart. A closed loop needs no such guess, and with pipelining
-- (an interval per request, a latency per burst) it makes the percentiles meaningless, down to 0. The histogram lies in
-- memory as a plain array, and the correction adds only below the latency it stems from, so it can be taken back from
-- the top down. What remains must be as many samples as there were bursts; if not (another wrk), wrk's own percentiles
-- are given and said to be corrected.

local histogram = {}
histogram.__index = histogram

local STEPS = 64 -- buckets for each doubling
local UNITS = { k = 1e3, M = 1e6, G = 1e9 }

-- The number of connections, which wrk does not tell its scripts.
local function connections_asked()
   local file = io.open("/proc/self/cmdline")
   if not file then
      return nil
   end
   local words = {}
   for word in file:read("*a"):gmatch("[^%z]+") do
      words[#words + 1] = word
   end
   file:close()
   local asked = "10"
   for i, word in ipairs(words) do
      if word == "-c" or word == "--connections" then
         asked = words[i + 1] or asked
      else
         asked = word:match("^%-c(%d.*)$") or word:match("^%-%-connections=(.*)$") or asked
      end
   end
   local number, unit = asked:match("^(%d+)(%a?)$")
   return number and tonumber(number) * (UNITS[unit] or 1)
end

-- A copy of wrk's array, indexed by microseconds, or nil where it is not what it should be.
local function raw_counts(latency)
   local ok, ffi = pcall(require, "ffi")
   if not ok then
      return nil
   end
   ffi.cdef("struct wrk_stats { uint64_t count, limit, min, max; uint64_t data[]; };")
   local stats = ffi.cast("struct wrk_stats **", latency)[0]
   local max = tonumber(stats.max)
   if max ~= latency.max or tonumber(stats.min) ~= latency.min or max >= tonumber(stats.limit) then
      return nil
   end
   local counts = ffi.new("double[?]", max + 1)
   for n = 0, max do
      counts[n] = tonumber(stats.data[n])
   end
   return counts, max
end

-- Undoes stats_correct() of wrk's stats.c.
local function take_back(counts, max, interval)
   for n = max, 2 * interval, -1 do
      local count = counts[n]
      if count > 0 then
         for m = n - interval, interval + 1, -interval do
            counts[m] = counts[m] - count
         end
      end
   end
end

local function total(counts, max)
   local sum = 0
   for n = 0, max do
      if counts[n] < 0 then
         return nil
      end
      sum = sum + counts[n]
   end
   return sum
end

local function uncorrected(latency, summary, depth)
   local connections = connections_asked()
   local rounds = connections and math.floor(summary.requests / connections) or 0
   local counts, max = raw_counts(latency)
   if rounds == 0 or not counts then
      return nil
   end
   local interval = math.floor(summary.duration / rounds)
   if interval < 1 then
      return nil
   end
   take_back(counts, max, interval)
   local samples = total(counts, max)
   local expected = summary.requests / depth - summary.errors.timeout
   if not samples or math.abs(samples - expected) > connections then
      return nil
   end
   return { counts = counts, max = max, samples = samples, corrected = false }
end

-- The latencies of a run in microseconds: max, samples, corrected, and percentile(p).
function histogram.read(latency, summary, depth)
   local own = summary.requests > 0 and uncorrected(latency, summary, depth)
   if not own then
      local max = summary.requests > 0 and latency.max or 0
      own = { wrk = latency, max = max, samples = summary.requests, corrected = true }
   end
   return setmetatable(own, histogram)
end

-- The smallest latency that p per cent of the samples do not exceed.
function histogram:percentile(p)
   if self.wrk then
      return self.max > 0 and self.wrk:percentile(p) or 0
   end
   local rank, seen = math.ceil(p / 100 * self.samples), 0
   for n = 0, self.max do
      seen = seen + self.counts[n]
      if seen >= rank and seen > 0 then
         return n
      end
   end
   return self.max
end

-- { upper end, count } of every bucket of loadtest/lab/results/histogram.py that is not empty; nil where only wrk's own are known.
function histogram:buckets()
   if self.wrk then
      return nil
   end
   local found, last = {}, nil
   for n = 0, self.max do
      if self.counts[n] > 0 then
         local width = 2 ^ math.max(0, select(2, math.frexp(n / STEPS)) - 1)
         local upper = math.max(1, math.ceil(n / width) * width)
         if last and last[1] == upper then
            last[2] = last[2] + self.counts[n]
         else
            last = { upper, self.counts[n] }
            found[#found + 1] = last
         end
      end
   end
   return found
end

return histogram
