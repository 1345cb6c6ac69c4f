-- Deploys many filters to a server in trouble: soak.lua N JOBS. Each goes on
-- until it is done, as an operator's script would: whatever a deployment ends
-- in is handed to the next try. Prints what it did as JSON.

local cxone = require "cxone"
local err = require "weir.err"
local json = require "weir.json"
local task = require "weir.task"

local n, jobs = tonumber(arg[1]), tonumber(arg[2])
local group = "grp_soak"
local most_tries = 60

local tenant = cxone.connect {
  timeout = 4,
  limit = { rate = 1e6, burst = 1e6 },
  retry = { base = 0.02, cap = 2 },
  dialect = { lost = { interval = 0.3, timeout = 3 } },
}

local done = {
  retried = 0, ambiguous = 0, resumed = 0, tries = 0, codes = {},
  judged = 0, updated = 0, deleted = 0,
}

local function definition(name)
  return {
    name = name,
    description = "deployed by the soak",
    channel = "voice",
    matchers = {
      { attribute = "customer.tier", operator = "equals", value = "gold" },
    },
    pattern_rules = {
      { type = "prefix", field = "agent.skill_id", pattern = name },
    },
    target_group_id = group,
  }
end

--- Calls `fn(e)` until it does not raise, with the err of the try before.
-- What is not an err is a mistake of this script.
local function persist(fn)
  local e, met
  for try = 1, most_tries do
    done.tries = done.tries + 1
    local ok, result = pcall(fn, e)
    if ok then return result, met end
    if not err.is(result) or result.code == "cancelled" then error(result, 0) end
    e, met = result, met or {}
    met[e.code] = true
    done.codes[e.code] = (done.codes[e.code] or 0) + 1
    task.sleep(0.02 * try)
  end
  error(e, 0)
end

--- Where several filters have the name a person has to judge. Here that is
-- easy: nobody else uses these names, and one is as good as the other.
local function keep_one(ids)
  for i = 2, #ids do
    local ok, e = pcall(tenant.filters.delete, tenant.filters, ids[i])
    if not ok and not err.is(e, "not_found") then return end -- at the next try
  end
  done.judged = done.judged + 1
end

local function deploy(name)
  local record, met = persist(function(e)
    if e and e.id then done.resumed = done.resumed + 1 end
    if e and e.ids and #e.ids > 1 then keep_one(e.ids) end
    return tenant.filters:deploy(definition(name), {
      interval = 0.02, timeout = 5, resume = e,
    })
  end)
  if met then done.retried = done.retried + 1 end
  if met and met.ambiguous then done.ambiguous = done.ambiguous + 1 end
  return record
end

local function update(record)
  persist(function() -- from what is there now: an earlier try may be there
    return tenant.filters:update(record.id, { description = "updated by the soak" })
  end)
  done.updated = done.updated + 1
end

local function delete(record)
  persist(function(e)
    local ok, why = pcall(tenant.filters.delete, tenant.filters, record.id)
    if ok then return end
    -- An earlier try may have done it.
    if e and e.maybe_done and err.is(why, "not_found") then return end
    if e and e.maybe_done and err.is(why) then why.maybe_done = true end
    error(why, 0)
  end)
  done.deleted = done.deleted + 1
end

local work = {}
for i = 1, n do work[i] = i end
task.map(work, { limit = jobs }, function(i)
  local record = deploy(("soak_%06d"):format(i))
  persist(function() tenant.groups:assign(group, record) end)
  if i % 10 == 0 then update(record) end
  if i % 25 == 0 then delete(deploy(("gone_%06d"):format(i))) end
end)

done.client = tenant.client:stats()
done.tokens = tenant.auth:fetches()
print(json.encode(done))
