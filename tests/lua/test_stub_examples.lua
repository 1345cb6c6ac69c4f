-- The type stubs and what they describe: what they name exists, and every
-- example in them runs.

local cxone = require "cxone"
local lu = require "luaunit"
local model = require "weir.repl.model"
local sim = require "weir.sim"

local tests = {}

local m = model.new { tenant = "cxone.tenant" }

--- Every module that the stubs name is there, and has what they say.
function tests.test_what_the_stubs_name_exists()
  for _, fn in ipairs(m.functions) do
    local name = not fn.method and m:module_of(fn.owner)
    if name then
      lu.assertEquals(type(require(name)[fn.name]), "function", name .. "." .. fn.name)
    end
  end
end

--- Every example of every stub, as an input of a session runs it.
function tests.test_every_example_runs()
  local count, failed = 0, {}
  local function run(where, example)
    count = count + 1
    sim.reset()
    sim.config { activation = { looks = 0 } }
    local tenant = cxone.connect { retry = { base = 0.01 } }
    local env = setmetatable({ tenant = tenant, print = function() end }, { __index = _G })
    env.io = setmetatable({ write = function() end }, { __index = io })
    local fn, e = load(example, "=" .. where, "t", env)
    local ok, own_arg = nil, arg
    _G.arg = { [0] = "example.lua", "emea" }
    if fn then ok, e = pcall(fn) end
    _G.arg = own_arg
    if not ok then failed[#failed + 1] = where .. ": " .. tostring(e) end
  end
  for name, class in pairs(m.classes) do
    for i, example in ipairs(class.examples) do run(name .. " " .. i, example) end
  end
  for _, fn in ipairs(m.functions) do
    for i, example in ipairs(fn.examples) do run(m:name_of(fn) .. " " .. i, example) end
  end
  sim.reset()
  table.sort(failed)
  lu.assertEquals(failed, {})
  lu.assertTrue(count > 20)
end

return tests
