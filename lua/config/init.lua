--- weir config show: the settings of a run that would begin now, and where each
-- of them comes from. Nothing is sent and no secret is fetched.

local json = require "weir.json"
local settings_of = require "cxone.config"
local text = require "weir.text"

local config = {}

local secret = { client_secret = true, access_key_secret = true }
local order = {
  "tenant", "client_id", "client_secret", "access_key_id", "access_key_secret", "base_url",
  "token_url", "scope",
}
-- Without these nothing is missing.
local optional = { access_key_id = true, access_key_secret = true }

--- Who is at an address is nobody's business, nor is what else it carries.
local function address(value)
  return (value:gsub("^(%a[%w+.-]*://)[^/?#]*@", "%1"):gsub("[?#].*$", ""))
end

local function default(value, from)
  return from and value or nil, from or "by default"
end

--- The rows: {name, value, origin}; no value where there is none.
local function rows_of(facts)
  local settings, sources, missing = settings_of.survey(nil, true)
  local rows = { { name = "context", value = facts.context, origin = facts.chosen_by } }
  for _, name in ipairs(order) do
    local value, origin = settings[name], sources[name]
    if value ~= nil or not optional[name] then
      if secret[name] and value ~= nil then value = "set, not shown" end
      if origin == "dialect" then origin = "by default" end
      rows[#rows + 1] = { name = name, value = value and address(value),
        origin = origin or settings.dialect.environment[name] and value == nil
          and "no " .. settings.dialect.environment[name] or nil }
    end
  end
  for _, name in ipairs { "proxy", "no_proxy", "trust" } do
    local _, origin = default(facts[name], facts[name .. "_from"])
    rows[#rows + 1] = { name = name, value = facts[name], origin = origin }
  end
  rows[#rows + 1] = { name = "contexts", value = facts.contexts,
    origin = facts.contexts and "XDG_CONFIG_HOME or HOME" or nil }
  return rows, missing
end

local function notes_of(facts, missing)
  local notes = {}
  if #missing > 0 then
    notes[1] = "not complete, so nothing can be sent: no " .. table.concat(missing, ", no ")
  end
  if facts.ignored then
    notes[#notes + 1] = ("%s in the environment does not count: %s names a context"):format(
      facts.ignored, facts.chosen_by)
  end
  if facts.passed_over then
    notes[#notes + 1] = ("the context '%s' is in use and does not count: the environment has "
      .. "settings; name it (--context %s) or unset them"):format(facts.passed_over,
      facts.passed_over)
  end
  return notes
end

local function pad(value, width)
  return value .. (" "):rep(width - text.width(value))
end

--- One line a row. `facts` is what the program knows of itself.
function config.show(facts)
  local rows, missing = rows_of(facts)
  local notes = notes_of(facts, missing)
  if facts.json then
    local list = json.array {}
    for i, row in ipairs(rows) do list[i] = row end
    return assert(json.encode({ settings = list, notes = json.array(notes) }, { indent = 2 }))
      .. "\n"
  end
  local width, lines = 0, {}
  for _, row in ipairs(rows) do width = math.max(width, text.width(row.value or "(none)")) end
  for _, row in ipairs(rows) do
    local value = row.value or "(none)"
    local line = pad(row.name, 18)
    if facts.origin and row.origin then
      line = line .. pad(value, width) .. "  " .. row.origin
    else
      line = line .. value
    end
    lines[#lines + 1] = line .. "\n"
  end
  for _, note in ipairs(notes) do lines[#lines + 1] = "note: " .. note .. "\n" end
  return table.concat(lines)
end

return config
