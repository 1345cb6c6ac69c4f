--- Which filters have a name? In an outage many deployments ask that at once,
-- and the list may have hundreds of pages: it is read once for all who ask.
-- An answer never comes from a reading that began before the question, so that
-- what was there by then is in it.

local err = require "weir.err"
local task = require "weir.task"

-- What an err says by itself.
local fields = {
  "code", "message", "hint", "status", "method", "url", "request_id", "attempts",
  "because", "maybe_done", "sent", "cause", "detail",
}

local Census = {}
Census.__index = Census
Census.__name = "cxone.census"

local census = {}

function census.new(filters)
  return setmetatable({ filters = filters }, Census)
end

--- Reads the list for a round of askers; what goes wrong is for all of them.
local function read(self, round)
  if self.next == round then self.next = nil end -- whoever asks now is for the next
  local ok, e = pcall(function()
    for record in self.filters:list() do
      local ids = round.ids[record.name]
      if ids then ids[#ids + 1] = record.id end
    end
  end)
  if not ok and err.is(e, "cancelled") then error(e, 0) end
  round.done, round.error = true, not ok and e or nil
end

--- An err of the asker's own: each may add to it whom it is about.
local function copy(e)
  if not err.is(e) then return e end
  local own = {}
  for _, key in ipairs(fields) do own[key] = e[key] end
  return err.new(own)
end

local function ended(self, reader)
  if self.reader == reader then self.reader = nil end
end

--- One asker fewer. Nobody reads for nobody.
local function leave(self, round)
  round.askers = round.askers - 1
  if round.askers > 0 or round.done or not round.reader then return end
  round.reader:cancel()
  task.shield(round.reader.wait, round.reader)
  ended(self, round.reader)
end

--- The ids of the listed filters of that name. Raises what reading the list
-- met.
function Census:ids(name)
  local round = self.next or { ids = {}, askers = 0 }
  self.next = round
  round.ids[name] = round.ids[name] or {}
  round.askers = round.askers + 1
  local _ <close> = setmetatable({}, { __close = function() leave(self, round) end })
  while not round.done do
    if not self.reader then
      round.reader = task.spawn(read, self, round)
      self.reader = round.reader
    end
    local reader = self.reader
    reader:wait()
    ended(self, reader)
  end
  if round.error then error(copy(round.error), 0) end
  return round.ids[name]
end

return census
