--- weir.needs: what a script needs, declared in its first statement. The host
-- has read it before anything ran (weir.needs_read); calling it only tells
-- what was granted.

local as_json = require "weir.declared".as_json
local core = require "weir.core.needs"
local misuse = require "weir.core".misuse

local needs = {}

--- What the run may do: `{net =, read =, write =, env =, mutate =}`. Raises
-- unless the declaration is the one that was read before the run.
local function call(_, declaration)
  if type(declaration) ~= "table" then
    misuse("weir.needs: expected a table, got " .. type(declaration))
  end
  local same = core.is_declared(as_json(declaration))
  if same == nil then
    misuse("weir.needs: nothing was declared; it must be the first statement of the script that "
      .. "is run, written as weir.needs { … } with constants, so that it can be read before "
      .. "anything runs")
  elseif not same then
    misuse("weir.needs: this is not what the script's first statement declares")
  end
  return core.granted()
end

--- What the run may do, or nil if it is not confined.
function needs.granted()
  return core.granted()
end

return setmetatable(needs, { __call = call })
