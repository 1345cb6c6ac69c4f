-- Measuring: hit rates of a filter, in whole and by interval.

local cxone = require "cxone"
local definitions = require "definitions"

local filters = cxone.connect().filters
local gold = filters:deploy(definitions.gold_chat, { interval = 0.2 })

local rates = filters:metrics(gold, { window = 1800, interval = "PT10M" })
print("hits", rates.hit_count)
print("share of events", rates.match_ratio)
print("a second", rates.throughput_rate)
for _, point in ipairs(rates.series or {}) do
  print(point.time, point.hit_count)
end
