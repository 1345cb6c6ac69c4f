--- The call "metrics", and the events that it counts.
--
-- This is a stand-in: until the matcher exists, a filter "hits" every posted
-- event of its channel. `/_sim` says so in these words.

local answer = require "sim.answer"
local dialect = require "cxone.dialect"
local json = require "weir.json"
local time = require "sim.time"

local metrics = {}
metrics.__index = metrics

metrics.declaration = {
  method = "stand-in",
  says = "hit_count counts the events posted to /_sim/events whose top-level channel "
    .. "equals the filter's. Matchers and pattern rules are not evaluated. match_ratio is "
    .. "hit_count divided by all events posted for the window, throughput_rate is "
    .. "hit_count divided by the window's seconds.",
}

local max_points = 10000
local max_seconds = 100000 -- different seconds that events may be kept for

---@param sim table
function metrics.new(sim)
  return setmetatable({ sim = sim, seconds = {}, kept = 0 }, metrics)
end

---Takes one event. What is no JSON object is counted as bad and matches
-- nothing.
---@param event any
---@param at number seconds since 1970
---@return boolean good
function metrics:take(event, at)
  if type(event) ~= "table" or answer.is_array(event) then
    self.sim:count("bad_events")
    return false
  end
  local second = math.floor(at)
  local bucket = self.seconds[second]
  if not bucket then
    if self.kept >= max_seconds then
      self.sim:count("bad_events")
      return false
    end
    bucket = { total = 0, channels = {} }
    self.seconds[second] = bucket
    self.kept = self.kept + 1
  end
  bucket.total = bucket.total + 1
  local channel = event.channel
  if type(channel) == "string" then
    bucket.channels[channel] = (bucket.channels[channel] or 0) + 1
  end
  self.sim.state:put("second", second, bucket)
  self.sim:count("events")
  return true
end

---Takes over what was in the file.
---@param items table<integer, table>
function metrics:restore(items)
  self.seconds, self.kept = items, 0
  for _ in pairs(items) do
    self.kept = self.kept + 1
  end
end

-- ---- what is asked for ----

local offset_only = { offset = true, either = true }
local instant_only = { instant = true, either = true }

---Reads a time: an offset from `base` ("-PT3600S") or an instant.
---@param text string
---@param base number
---@return number?
function metrics.read_time(text, base)
  local offset = time.parse_duration(text)
  return offset and base + offset or time.parse_iso(text)
end

local function read_window(self, query, now)
  local finish = query.end_time and time.parse_iso(query.end_time) or not query.end_time and now
  if not finish then
    return nil, "end_time: expected ISO 8601 in UTC"
  end
  local start = finish - dialect.metrics.window
  if query.start_time then
    local how = self.sim.config.metrics_start
    local offset = offset_only[how] and time.parse_duration(query.start_time)
    start = offset and finish + offset
      or (instant_only[how] and time.parse_iso(query.start_time))
    if not start then
      return nil, "start_time: expected " .. (how == "instant" and "ISO 8601 in UTC"
        or "an offset such as -PT3600S")
    end
  end
  if start >= finish then
    return nil, "start_time: expected before end_time"
  end
  return start, finish
end

local function read_names(query)
  local known, wanted = {}, {}
  for _, name in ipairs(dialect.metrics.names) do
    known[name] = true
  end
  if not query.metrics then
    return known
  end
  for name in query.metrics:gmatch("[^,]+") do
    if not known[name] then
      return nil, ("metrics: '%s' is none of %s"):format(name,
        table.concat(dialect.metrics.names, ", "))
    end
    wanted[name] = true
  end
  return wanted
end

-- ---- counting ----

local function point(names, hits, total, seconds)
  return {
    hit_count = names.hit_count and hits or nil,
    throughput_rate = names.throughput_rate and hits / seconds or nil,
    match_ratio = names.match_ratio and (total > 0 and hits / total or 0.0) or nil,
  }
end

local function count(self, channel, start, finish, interval)
  local points = math.ceil((finish - start) / interval)
  local hits, totals = {}, {}
  for i = 1, points do
    hits[i], totals[i] = 0, 0
  end
  for second, bucket in pairs(self.seconds) do
    if second >= math.floor(start) and second <= finish then
      local i = math.floor((second - start) / interval) + 1
      i = math.max(1, math.min(points, i))
      hits[i] = hits[i] + (bucket.channels[channel] or 0)
      totals[i] = totals[i] + bucket.total
    end
  end
  return hits, totals
end

local function make_series(names, hits, totals, start, interval)
  local series = {}
  for i = 1, #hits do
    local p = point(names, hits[i], totals[i], interval)
    p.time = time.iso(start + (i - 1) * interval)
    series[i] = p
  end
  return json.array(series)
end

local function sum(list)
  local total = 0
  for _, n in ipairs(list) do
    total = total + n
  end
  return total
end

---The call "metrics".
function metrics:read(context)
  local query = context.target.query
  if not query.filter_id then
    return answer.problem(400, "filter_id is missing")
  end
  local record = self.sim.filters.store:get(query.filter_id)
  if not record then
    return self.sim.filters.missing(query.filter_id)
  end
  local interval = time.parse_duration(query.interval or dialect.metrics.interval)
  if not interval or interval < 1 then
    return answer.problem(400, "interval: expected a duration such as PT5M")
  end
  local start, finish = read_window(self, query, context.now)
  if not start then
    return answer.problem(400, finish)
  end
  if (finish - start) / interval > max_points then
    return answer.problem(400, ("interval: more than %d points"):format(max_points))
  end
  local names, message = read_names(query)
  if not names then
    return answer.problem(400, message)
  end
  local hits, totals = count(self, record.definition.channel, start, finish, interval)
  local with_series = self.sim.config.series
  return answer.json(200, {
    filter_id = record.id,
    metrics = point(names, sum(hits), sum(totals), finish - start),
    series = with_series and make_series(names, hits, totals, start, interval) or nil,
  })
end

return metrics
