--- Faults: what goes wrong, how often, and for which calls. The kinds are in
-- kinds.lua.
--
-- A fault fires on requests that were allowed (token, scope), so that a
-- count is not used up by requests that would have failed anyway.

local keys = require "sim.keys"
local kinds = require "sim.kinds"
local router = require "sim.router"
local words = require "sim.words"

local faults = {}
faults.__index = faults

local call_names = { any = true }
for name in pairs(router.calls) do
  call_names[name] = true
end

-- What every kind may say besides its own keys.
local common = {
  kind = keys.text,
  call = keys.word(table.unpack(words.sorted(call_names))), -- "any": the token call as well
  method = keys.text,
  target = keys.text, -- text that the path contains, as it was sent
  count = keys.integer(1, math.maxinteger), -- how many times; default 1
  probability = keys.number(0, 1, "0…1"), -- then without end, unless counted
  after = keys.integer(0, math.maxinteger), -- lets so many requests pass first
  every = keys.integer(1, math.maxinteger), -- the n-th, the 2n-th …
}

local short_names = { p = "probability" }

local listings = { list = true, members = true, audit = true }

-- ---- reading them ----

local function key_of(kind, name)
  return common[name] or kind.keys[name]
end

local function unknown_key(kind, name)
  local known = {}
  for key in pairs(common) do known[key] = true end
  for key in pairs(kind.keys) do known[key] = true end
  return words.unknown("key of fault " .. kind.name, name, known)
end

local function check(given)
  if type(given) ~= "table" or given[1] ~= nil then
    return nil, "fault: expected an object such as {kind='rate', count=1}"
  end
  local kind = kinds.by_name[given.kind]
  if not kind then
    return nil, words.unknown("fault kind", given.kind, kinds.by_name)
  end
  local fault = {}
  for _, given_name in ipairs(words.sorted(given)) do
    local name = short_names[given_name] or given_name
    local key = key_of(kind, name)
    if not key then
      return nil, unknown_key(kind, given_name)
    end
    local value = key.check(given[given_name])
    if value == nil then
      local message = key.words and words.unknown("value", given[given_name], key.words)
        or "expected " .. key.expects
      return nil, ("fault %s: %s: %s"):format(kind.name, name, message)
    end
    fault[name] = value
  end
  if fault.probability == 0 then
    return nil, ("fault %s: probability: expected more than 0, up to 1"):format(kind.name)
  end
  fault.call = fault.call or kind.call
  if not (fault.count or fault.probability or fault.every or kind.endless
      or fault.to == "loop") then
    fault.count = 1
  end
  return fault
end

local plain_words = { ["true"] = true, ["false"] = false }

-- "+3" and "0x10" are numbers to Lua; to who writes them here they are not.
local function read_value(kind, name, value)
  local key = kind and key_of(kind, short_names[name] or name)
  if key and key.is_text then
    return value
  elseif plain_words[value] ~= nil then
    return plain_words[value]
  elseif key == keys.retry_after then
    return value:find("^%d+$") and tonumber(value) or value
  end
  return tonumber(value) or value
end

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
    fault[key] = read_value(kinds.by_name[kind], key, value)
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
    if name == "token" or (kinds.by_name[fault.kind].listing and not listings[name]) then
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
  local number = fault.seen - (fault.after or 0)
  if number <= 0 or (fault.every and number % fault.every ~= 0)
    or (fault.probability and not self.sim.chances.chance(fault.probability)) then
    return false
  end
  fault.fired = fault.fired + 1
  return true
end

-- Of a large body the header fields come first and by themselves; the kinds
-- that fire on them must not fire a second time on the whole.
local function is_its_turn(fault, request)
  if kinds.by_name[fault.kind].head then
    return not request.seen
  end
  return not request.head_only
end

---Fires what fits, in the order in which the faults were added, up to the
-- first that answers by itself.
---@return table? answer
---@return table[] fired
function faults:before(context)
  local fired = {}
  for _, fault in ipairs(self.list) do
    if is_its_turn(fault, context.request) and fires(self, fault, context) then
      fired[#fired + 1] = fault
      context.faults[#context.faults + 1] = fault.kind
      self.sim:count("faults")
      self.sim:count("faults_" .. fault.kind)
      local before = kinds.by_name[fault.kind].before
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
    local spoil = kinds.by_name[fault.kind].spoil
    if spoil then
      spoil(fault, context, a)
    end
  end
end

return faults
