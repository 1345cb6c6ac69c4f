--- Faults: what goes wrong, how often, and for which calls.
--
-- A fault fires on requests that were allowed (token, scope), so that a
-- count is not used up by requests that would have failed anyway.

local answer = require "sim.answer"
local router = require "sim.router"
local time = require "sim.time"
local words = require "sim.words"

local faults = {}
faults.__index = faults

-- What every kind may say besides its own keys.
local common = {
  kind = "string",
  call = "string",          -- "update"; "any" means the token call as well
  method = "string",
  target = "string",        -- text that the path contains, as it was sent
  count = "integer",        -- how many times; default 1
  probability = "number",   -- chance of each; then without end, unless counted
  after = "integer",        -- lets so many requests pass first
}

-- Each kind's own keys; `before` may answer instead of the call, `spoil`
-- changes the call's answer.
local kinds = {}

local function seconds_or_date(fault, now)
  local seconds = fault.retry_after or 1
  return fault.date and time.http_date(now + seconds)
    or ("%d"):format(math.ceil(seconds))
end

kinds.rate = { keys = { retry_after = "number", date = "boolean" } }
function kinds.rate.before(fault, context)
  local a = answer.problem(429, "too many requests")
  a.headers["Retry-After"] = seconds_or_date(fault, context.now)
  return a
end

kinds.status = {
  keys = {
    status = "integer", message = "string", retry_after = "number",
    date = "boolean",
  },
}
function kinds.status.before(fault, context)
  local a = answer.problem(fault.status or 500, fault.message or "simulated fault")
  if fault.retry_after then
    a.headers["Retry-After"] = seconds_or_date(fault, context.now)
  end
  return a
end

kinds.invalid = { keys = { path = "string", message = "string" } }
function kinds.invalid.before(fault)
  local path, message = fault.path or "", fault.message or "simulated fault"
  return answer.problem(400, "the filter is not valid", { { path = path, message = message } })
end

kinds.slow = { keys = { seconds = "number" } }
function kinds.slow.spoil(fault, _, a)
  a.delay = (a.delay or 0) + (fault.seconds or 1)
end

kinds.drop = { keys = {} }
function kinds.drop.before()
  return { status = 500, headers = {}, drop = "before" }
end

kinds.lost = { keys = { at = "string" } }
function kinds.lost.spoil(fault, _, a)
  a.drop = fault.at or "before"
end

kinds.truncate = { keys = {} }
function kinds.truncate.spoil(_, _, a)
  a.drop = "mid_body"
end

kinds.invalid_json = { keys = { body = "string" } }
function kinds.invalid_json.spoil(fault, _, a)
  a.body = fault.body or '{"filters": [{"id": '
end

kinds.expired = { keys = {} }
function kinds.expired.before(_, context)
  return context.sim.tokens:revoke(context)
end

kinds.concurrent_edit = {
  keys = { field = "string", value = "any", actor = "string" },
  call = "update",
}
function kinds.concurrent_edit.before(fault, context)
  return context.sim.filters:edit_by_other(context, fault)
end

kinds.endless_cursor = { keys = {}, endless = true, listing = true }
function kinds.endless_cursor.spoil(_, context, a)
  context.sim.paging:repeat_page(context, a)
end

kinds.redirect = { keys = { location = "string", status = "integer" } }
function kinds.redirect.before(fault)
  return answer.json(fault.status or 302, nil, {
    Location = fault.location or "https://elsewhere.invalid/",
  })
end

local listings = { list = true, members = true, audit = true }

-- ---- reading them ----

local function right_type(value, expected)
  if expected == "any" then
    return true
  elseif expected == "integer" then
    return math.type(value) == "integer"
  end
  return type(value) == expected
end

local drops = { before = true, after_headers = true, mid_body = true }

-- What a type alone does not say.
local function check_values(fault)
  if fault.call and fault.call ~= "any" and not router.calls[fault.call] then
    return words.unknown("call", fault.call, router.calls)
  elseif fault.count and fault.count < 1 then
    return "count: expected 1 or more"
  elseif fault.after and fault.after < 0 then
    return "after: expected 0 or more"
  elseif fault.probability and not (fault.probability > 0 and fault.probability <= 1) then
    return "probability: expected more than 0, up to 1"
  elseif fault.status and (fault.status < 300 or fault.status > 599) then
    return "status: expected 300 to 599"
  elseif fault.at and not drops[fault.at] then
    return words.unknown("place", fault.at, drops)
  elseif (fault.seconds or 0) < 0 or (fault.seconds or 0) > 3600 then
    return "seconds: expected 0 to 3600"
  elseif (fault.location or ""):find("%c") then
    return "location: control characters"
  elseif fault.retry_after and not (fault.retry_after > -1e9 and fault.retry_after < 1e9) then
    return "retry_after: expected a number of seconds"
  end
end

local function check(given)
  if type(given) ~= "table" or given[1] ~= nil then
    return nil, "fault: expected an object such as {kind='rate', count=1}"
  end
  local kind = kinds[given.kind]
  if not kind then
    return nil, words.unknown("fault kind", given.kind, kinds)
  end
  local fault = {}
  for key, value in pairs(given) do
    local expected = common[key] or kind.keys[key]
    if not expected then
      local known = {}
      for name in pairs(common) do known[name] = true end
      for name in pairs(kind.keys) do known[name] = true end
      return nil, words.unknown("key of fault " .. given.kind, key, known)
    elseif not right_type(value, expected) then
      return nil, ("fault %s: %s: expected %s"):format(given.kind, key, expected)
    end
    fault[key] = value
  end
  local message = check_values(fault)
  if message then
    return nil, ("fault %s: %s"):format(given.kind, message)
  end
  fault.call = fault.call or kind.call
  if not fault.count and not fault.probability and not kind.endless then
    fault.count = 1
  end
  return fault
end

local plain_words = { ["true"] = true, ["false"] = false }

---Reads a fault as a command line gives it: "rate:count=2,call=create", or a
-- JSON object where a value needs a comma.
---@param text string
---@return table? fault
---@return string? message
function faults.parse(text)
  if text:find("^%s*{") then
    local fault, err = require "weir.json".decode(text)
    return fault, not fault and ("fault: %s"):format(err.message) or nil
  end
  local kind, rest = text:match("^([^:]*):?(.*)$")
  local fault = { kind = kind }
  for pair in rest:gmatch("[^,]+") do
    local key, value = pair:match("^([^=]+)=(.*)$")
    if not key then
      return nil, ("fault '%s': expected key=value, found '%s'"):format(
        kind, pair)
    end
    local as_text = common[key] == "string"
      or (kinds[kind] and kinds[kind].keys[key] == "string")
    if plain_words[value] ~= nil then
      value = plain_words[value]
    elseif not as_text then
      value = tonumber(value) or value
    end
    fault[key] = value
  end
  return fault
end

-- ---- keeping them ----

---@param sim table
function faults.new(sim)
  return setmetatable({ sim = sim, list = {}, next_id = 1 }, faults)
end

---@param given table|string
---@return table? fault
---@return string? message
function faults:add(given)
  local message
  if type(given) == "string" then
    given, message = faults.parse(given)
  end
  if given == nil then
    return nil, message
  end
  local fault
  fault, message = check(given)
  if not fault then
    return nil, message
  end
  fault.id = self.next_id
  fault.fired = 0
  fault.seen = 0
  self.next_id = self.next_id + 1
  self.list[#self.list + 1] = fault
  return fault
end

function faults:clear()
  self.list = {}
end

local function fits(fault, context)
  local name = context.call.name
  if fault.call == nil then
    if name == "token" or (kinds[fault.kind].listing and not listings[name]) then
      return false
    end
  elseif fault.call ~= "any" and fault.call ~= name then
    return false
  end
  return (not fault.method or fault.method:upper() == context.request.method)
    and (not fault.target or context.target.path:find(fault.target, 1, true) ~= nil)
end

local function fires(self, fault, context)
  if (fault.count and fault.fired >= fault.count) or not fits(fault, context) then
    return false
  end
  fault.seen = fault.seen + 1
  if fault.seen <= (fault.after or 0)
    or (fault.probability and not self.sim.chances.chance(fault.probability)) then
    return false
  end
  fault.fired = fault.fired + 1
  return true
end

---Fires what fits, in the order in which the faults were added, up to the
-- first that answers by itself.
---@return table? answer
---@return table[] fired
function faults:before(context)
  local fired = {}
  for _, fault in ipairs(self.list) do
    if fires(self, fault, context) then
      fired[#fired + 1] = fault
      context.faults[#context.faults + 1] = fault.kind
      self.sim:count("faults")
      local before = kinds[fault.kind].before
      local a = before and before(fault, context)
      if a then
        return a, fired
      end
    end
  end
  return nil, fired
end

---Lets the fired ones change the answer.
function faults.spoil(fired, context, a)
  for _, fault in ipairs(fired) do
    local spoil = kinds[fault.kind].spoil
    if spoil then
      spoil(fault, context, a)
    end
  end
end

return faults
