--- The simulator's time: the real one, or one that stands still until it is
-- moved. Everything but the lateness of answers goes by it.

local time = require "sim.time"

local clock = {}
clock.__index = clock

local default_start = time.parse_iso("2025-01-01T00:00:00Z")
clock.latest = time.parse_iso("9999-12-31T23:59:59Z")

---Reads an instant: ISO 8601 in UTC, or seconds since 1970.
---@param value any
---@return number?
function clock.instant(value)
  local seconds = type(value) == "string" and (time.parse_iso(value) or tonumber(value)) or value
  return type(seconds) == "number" and seconds >= 0 and seconds <= clock.latest and seconds or nil
end

---Reads a length of time: seconds, or "PT90S".
---@param value any
---@return number?
function clock.length(value)
  local seconds = type(value) == "string" and time.parse_duration(value) or value
  return type(seconds) == "number" and seconds >= 0 and seconds <= clock.latest and seconds or nil
end

---@param real fun(): number seconds since 1970
---@param setting any "real", "manual" or an instant; nil: "real"
---@return table? clock
---@return string? message
function clock.new(real, setting)
  local self = setmetatable({ real = real, mode = "real", offset = 0 }, clock)
  if setting == nil or setting == "real" then
    return self
  end
  local at = setting == "manual" and default_start or clock.instant(setting)
  if not at then
    return nil, "clock: expected real, manual, or an instant such as 2025-01-01T00:00:00Z"
  end
  self.mode, self.at = "manual", at
  return self
end

---@return number # seconds since 1970
function clock:now()
  return self.mode == "manual" and self.at or self.real() + self.offset
end

---@param at number
function clock:set(at)
  if self.mode == "manual" then
    self.at = at
  else
    self.offset = at - self.real()
  end
end

---From standing to running and back, at the time that it is.
---@param mode "real"|"manual"
function clock:switch(mode)
  local now = self:now()
  self.mode = mode
  self:set(now)
end

---@return table # for `restore`
function clock:save()
  return { mode = self.mode, at = self.at, offset = self.offset }
end

---Goes on where another one was, in this one's mode if that was asked for.
---@param saved table
---@param keep_mode boolean
function clock:restore(saved, keep_mode)
  local mode = self.mode
  self.mode, self.at, self.offset = saved.mode, saved.at, saved.offset
  if keep_mode and mode ~= self.mode then
    self:switch(mode)
  end
end

return clock
