--- The requests seen, the last thousand of them: enough to see what a client
-- did, without bodies, tokens or secrets.

local time = require "sim.time"
local words = require "sim.words"

local log = {}
log.__index = log

local size = 1000

function log.new()
  return setmetatable({ list = {}, last = 0 }, log)
end

local secret_words = { "secret", "token", "password", "key", "authorization", "code" }

local function is_secret(name)
  name = name:lower()
  for _, word in ipairs(secret_words) do
    if name:find(word, 1, true) then
      return true
    end
  end
  return false
end

local function show_query(query)
  local shown = {}
  for _, name in ipairs(words.sorted(query)) do
    shown[name] = is_secret(name) and "[redacted]" or query[name]
  end
  return shown
end

---@param context table
---@param a sim.Answer
---@return table entry
function log:add(context, a)
  local entry = {
    number = self.last + 1,
    time = time.iso(context.now),
    method = context.request.method,
    path = context.target and context.target.path or nil,
    query = context.target and show_query(context.target.query) or nil,
    call = context.call and context.call.name or nil,
    client = context.client,
    token = context.token,
    if_match = context.request.headers["if-match"],
    user_agent = context.request.headers["user-agent"],
    status = a.status,
    delay = a.delay,
    dropped = a.wire and a.wire.cut or nil,
    faults = #context.faults > 0 and context.faults or nil,
    request_id = context.request_id,
  }
  -- What came in raw may hold any bytes; JSON holds UTF-8.
  for key, value in pairs(entry) do
    if type(value) == "string" and not utf8.len(value) then
      entry[key] = "[not UTF-8]"
    end
  end
  self.last = self.last + 1
  self.list[(self.last - 1) % size + 1] = entry
  return entry
end

---@return table[] # oldest first
function log:entries()
  local entries = {}
  for number = math.max(1, self.last - size + 1), self.last do
    entries[#entries + 1] = self.list[(number - 1) % size + 1]
  end
  return entries
end

---@return integer # how many are no longer kept
function log:forgotten()
  return math.max(0, self.last - size)
end

function log:clear()
  self.list, self.last = {}, 0
end

return log
