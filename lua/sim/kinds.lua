--- All kinds of faults: by name, and as a list to be read.

local words = require "sim.words"

local kinds = {}

---@class sim.Kind
---@field name string
---@field about string one line
---@field keys table<string, sim.Key> its own, besides those of every fault
---@field before (fun(fault: table, context: table): sim.Answer?)? may answer in place of the call
---@field spoil fun(fault: table, context: table, a: sim.Answer)? changes the call's answer
---@field call string? the call it is for, unless said
---@field listing boolean? for listings only, unless said
---@field endless boolean? without a count, it never ends
---@field head boolean? fires on the header fields, before a large body is read

---@type table<string, sim.Kind>
kinds.by_name = {}

---@type sim.Kind[]
kinds.list = {}

for _, part in ipairs { "answer", "wire", "body" } do
  for _, kind in ipairs(require("sim.kinds_" .. part)) do
    kinds.by_name[kind.name] = kind
    kinds.list[#kinds.list + 1] = kind
  end
end

---One line a kind, with its keys.
---@return string
function kinds.describe()
  local lines = {}
  for _, kind in ipairs(kinds.list) do
    lines[#lines + 1] = ("  %-16s %s"):format(kind.name, kind.about)
    local own = {}
    for _, name in ipairs(words.sorted(kind.keys)) do
      own[#own + 1] = name .. "=" .. kind.keys[name].short
    end
    if #own > 0 then
      lines[#lines + 1] = (" "):rep(21) .. table.concat(own, ", ")
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

return kinds
