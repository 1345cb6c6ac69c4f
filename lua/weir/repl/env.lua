--- The names of a session: what was assigned, then the tenant, then Lua's and
-- weir's own. A name that nobody defined raises, with the nearest one.

local misuse = require "weir.core".misuse
local text = require "weir.text"

local env = {}

local MAX_NAMES = 60 -- as many as a suggestion is chosen from

local function nearest(name, vars, frame)
  local names = frame and frame:names() or {}
  for _, t in ipairs { vars, _G } do
    for key in next, t do
      if type(key) == "string" and #names < MAX_NAMES then names[#names + 1] = key end
    end
  end
  names[#names + 1] = "tenant"
  return text.nearest(name, names)
end

--- Makes the environment. `connect()` returns the tenant when it is first asked
-- for; `frame` (or nil) is where a script has stopped: its variables come
-- before all others. The second result maps the names that were ever assigned
-- to true.
function env.new(connect, frame)
  local vars, declared = {}, {}
  setmetatable(vars, {
    __name = "session",
    __index = function(_, name)
      if frame then
        local found, value = frame:get(name)
        if found then return value end
      end
      if name == "tenant" then
        local tenant = connect()
        rawset(vars, name, tenant)
        return tenant
      end
      local value = _G[name]
      if value ~= nil or declared[name] then return value end
      local near = nearest(tostring(name), vars, frame)
      return misuse(string.format("undeclared name '%s'%s", tostring(name),
        near and string.format(" (did you mean '%s'?)", near) or ""))
    end,
    __newindex = function(_, name, value)
      if frame and frame:set(name, value) then return end
      declared[name] = true
      rawset(vars, name, value)
    end,
  })
  return vars, declared
end

return env
