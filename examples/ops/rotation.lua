--- What rotate_tier.lua does, step by step: find, measure, rotate, take back.

local err = require "weir.err"
local log = require "weir.log"
local task = require "weir.task"

local rotation = {}

-- Finding --------------------------------------------------------------------

local function matches_tier(record, tier)
  for _, matcher in ipairs(record.matchers or {}) do
    if matcher.attribute == "customer.tier" and matcher.operator == "equals"
      and matcher.value == tier then
      return true
    end
  end
  return false
end

--- The one filter of the tier that feeds one of the groups. None, or several, is
-- an error: nothing is rotated by a guess.
function rotation.find(tenant, tier, groups)
  local wanted, found = {}, {}
  for _, group in ipairs(groups) do wanted[group] = true end
  for record in tenant.filters:list() do
    if wanted[record.target_group_id] and matches_tier(record, tier) then
      found[#found + 1] = record
    end
  end
  if #found == 1 then return tenant.filters:get(found[1].id) end
  local names = {}
  for i, record in ipairs(found) do names[i] = ("%s (%s)"):format(record.name, record.id) end
  error(err.new {
    code = "validation",
    message = #found == 0
      and ("no filter of the tier '%s' feeds %s"):format(tier, table.concat(groups, " or "))
      or ("%d filters of the tier '%s' feed %s: %s"):format(#found, tier,
        table.concat(groups, " or "), table.concat(names, ", ")),
    hint = "name the tier and the groups as the tenant has them; nothing was changed",
  }, 0)
end

-- Measuring ------------------------------------------------------------------

--- Hits of the filter, and its share of all events, over so many seconds.
function rotation.rate(tenant, record, window)
  local metrics = tenant.filters:metrics(record, { window = window })
  local hits, share = tonumber(metrics.hit_count), tonumber(metrics.match_ratio)
  if not hits or not share then
    error(err.new { code = "protocol", message = "the tenant sent no hit rate of " .. record.name },
      0)
  end
  return { hits = hits, share = share }
end

function rotation.words(rate)
  return ("%d hits, %.1f %% of events"):format(rate.hits, 100 * rate.share)
end

function rotation.require_hits(rate, least)
  if rate.hits >= least then return end
  error(err.new {
    code = "validation",
    message = ("only %d hits; with fewer than %d a rate says nothing"):format(rate.hits, least),
    hint = "wait for events, look over a longer --window, or lower --min-hits; "
      .. "nothing was changed",
  }, 0)
end

function rotation.require_share(before, after, max_drop)
  local least = before.share * (1 - max_drop / 100)
  if after.share >= least then return end
  error(err.new {
    code = "validation",
    message = ("the filter's share of events fell from %.1f %% to %.1f %%; at least %.1f %% was "
      .. "asked for (--max-drop)"):format(100 * before.share, 100 * after.share, 100 * least),
  }, 0)
end

-- Changing -------------------------------------------------------------------

--- Makes the filter a member of the group, unless it is one.
function rotation.join(tenant, group, record)
  for id in tenant.groups:members(group) do
    if id == record.id then return end
  end
  tenant.groups:assign(group, record)
end

local Guard = {}
Guard.__index = Guard

--- Holds on to the way back: unless it is told to keep the change, the filter
-- feeds its old group again when the block that holds the guard is left, by
-- whatever way: an error, Ctrl-C, SIGTERM, os.exit.
function rotation.guard(tenant, record, from, to)
  return setmetatable({ tenant = tenant, record = record, from = from, to = to }, Guard)
end

function Guard:rotate()
  -- Before it is sent: its answer may be lost, and then it may be done.
  self.armed = true
  self.record = self.tenant.filters:update(self.record, { target_group_id = self.to })
  return self.record
end

function Guard:keep()
  self.armed = false
end

--- Puts the filter back, if it still is where this run has put it. What somebody
-- else has made of it meanwhile stays.
local function take_back(self)
  local now = self.tenant.filters:get(self.record.id)
  if now.target_group_id ~= self.to then
    return ("it feeds %s, which was left alone"):format(now.target_group_id)
  end
  now = self.tenant.filters:update(now, { target_group_id = self.from })
  return "it feeds " .. now.target_group_id .. " again"
end

function Guard:__close(cause)
  if not self.armed then return end
  self.armed = false
  -- Shielded: an interrupted run may still wait for this.
  local ok, what = pcall(task.shield, task.timeout, 60, take_back, self)
  if ok then
    print("undone    " .. what)
    return
  end
  log.error(("NOT UNDONE: filter %s (%s) may still feed %s instead of %s"):format(
    self.record.name, self.record.id, self.to, self.from))
  error(err.new {
    code = "failed",
    message = ("not undone: filter %s may still feed %s: %s"):format(self.record.id, self.to,
      err.is(what) and what.message or tostring(what)),
    hint = ("look at the filter, and set its group to %s by hand"):format(self.from),
    cause = err.is(cause) and cause or nil,
  }, 0)
end

return rotation
