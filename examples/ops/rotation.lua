--- What rotate_tier.lua does, step by step: find, measure, rotate, take back.

local err = require "weir.err"
local log = require "weir.log"
local poll = require "weir.poll"
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

--- Makes the filter a member of the group, unless it is one; `before` is called
-- before that is sent.
function rotation.join(tenant, group, record, before)
  for id in tenant.groups:members(group) do
    if id == record.id then return end
  end
  if before then before() end
  tenant.groups:assign(group, record)
end

--- The exit code of a run that has changed something and may have left it so.
rotation.NOT_UNDONE = 10

local Guard = {}
Guard.__index = Guard

--- Holds on to the way back: unless it is told to keep the change, the filter
-- feeds its old group again when the block that holds the guard is left, by
-- whatever way: an error, Ctrl-C, SIGTERM, os.exit.
function rotation.guard(tenant, record, from, to)
  return setmetatable({ tenant = tenant, record = record, from = from, to = to }, Guard)
end

--- Before it is sent: its answer may be lost, and then it may be done.
local function under_way(self, what)
  self.armed, self.waits_for = true, what
end

function Guard:rotate()
  under_way(self, "change")
  self.record = self.tenant.filters:update(self.record, { target_group_id = self.to })
  self.waits_for = nil
  self.tenant.filters:wait_active(self.record)
  return self.record
end

--- That it still feeds the new group: a rate says nothing of what somebody else
-- has made of the filter meanwhile.
function Guard:require_ours()
  local now = self.tenant.filters:get(self.record.id)
  if now.target_group_id == self.to then return end
  error(err.new {
    code = "conflict",
    message = ("somebody else has made filter %s feed %s meanwhile"):format(self.record.id,
      now.target_group_id),
    hint = "ask who, and run it again when it is agreed",
  }, 0)
end

function Guard:join()
  rotation.join(self.tenant, self.to, self.record, function() under_way(self, "membership") end)
  self.waits_for = nil
end

function Guard:keep()
  self.armed = false
end

--- Whether what the guard waits for may have been done, or be on its way still:
-- not where the tenant has refused it, or nothing was sent.
local function may_arrive(self, what, cause)
  return self.waits_for == what
    and (not err.is(cause) or cause.maybe_done or cause.code == "cancelled")
end

--- The filter as it is now. What was sent and not answered can arrive late: then
-- it is looked at again and again, as long as for a create whose answer was lost.
local function look(self, cause)
  local now = self.tenant.filters:get(self.record.id)
  if now.target_group_id ~= self.from or not may_arrive(self, "change", cause) then
    return now
  end
  local lost = self.tenant.dialect.lost
  log.warn(("the change was not answered: looking for %g s whether it arrives"):format(
    lost.timeout))
  poll.wait {
    what = "the change", interval = lost.interval, timeout = lost.timeout, done = { "arrived" },
    look = function()
      now = self.tenant.filters:get(self.record.id)
      return now.target_group_id ~= self.from and "arrived" or "not there"
    end,
  }
  if now.target_group_id ~= self.from then return now end
  error(err.new {
    code = "ambiguous",
    message = ("the change was sent and not answered; it may still arrive, and had not after %g s")
      :format(lost.timeout),
  }, 0)
end

--- Puts the filter back, if it still is where this run has put it. What somebody
-- else has made of it meanwhile stays. Returns the word and the rest of the line.
local function take_back(self, cause)
  local now = look(self, cause)
  if now.target_group_id == self.from and self.waits_for == "change" then
    return "unchanged", ("it feeds %s as before"):format(self.from)
  end
  if now.target_group_id == self.to then
    now = self.tenant.filters:update(now, { target_group_id = self.from },
      { on_conflict = "theirs" })
  end
  if now.target_group_id ~= self.from then
    return "left", ("it feeds %s, as somebody else wants it"):format(now.target_group_id)
  end
  return "undone", ("it feeds %s again"):format(self.from)
    .. (may_arrive(self, "membership", cause)
      and ("; it may have become a member of %s, which is not taken back"):format(self.to) or "")
end

function Guard:__close(cause)
  if not self.armed then return end
  self.armed = false
  -- Shielded: an interrupted run may still wait for this.
  local ok, word, rest = pcall(task.shield, task.timeout, 60, take_back, self, cause)
  if ok then
    print(("%-9s %s"):format(word, rest))
    return
  end
  log.error(("NOT UNDONE: filter %s (%s) may feed %s instead of %s"):format(
    self.record.name, self.record.id, self.to, self.from))
  error(err.new {
    code = "failed",
    message = ("not undone: filter %s may feed %s: %s"):format(self.record.id, self.to,
      err.is(word) and word.message or tostring(word)),
    hint = ("look at the filter, also some minutes later, and set its group to %s by hand")
      :format(self.from),
    cause = err.is(cause) and cause or nil,
    exit_code = rotation.NOT_UNDONE,
  }, 0)
end

return rotation
