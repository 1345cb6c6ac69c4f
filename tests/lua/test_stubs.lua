-- weir.stubs: what the stubs say, as data.

local lu = require "luaunit"
local stubs = require "weir.stubs"
local types = require "weir.stub_types"

local tests = {}

local text = [[
---@meta demo

---What the module is for.
---
---```lua
---demo.run()
---```
---@class (exact) demo: base, other
---@field count? integer  how many
---@field [integer] string
---@field kind demo.kind
---@overload fun(x: string): demo
local demo = {}

---@class base
---@field inherited fun(x: integer): string?

---Words.
---@alias demo.kind
---| "fast" # at once
---| "slow"

---@alias demo.either string|integer

---Runs.
---
---```lua
---demo.run("x", { deep = true })
---```
---and is done.
---@param what string[]|fun(a: string, b?: integer): boolean, string  that which runs
---@param opts? {deep?: boolean, names: table<string, integer[]>}
---@param ... any
---@return boolean? ok whether it did
---@return demo.kind
function demo.run(what, opts, ...) end

function demo:undocumented(a) end

-- An ordinary comment ends nothing.
return demo
]]

local db = stubs.read { demo = text }

function tests.test_classes()
  local class = db.classes.demo
  lu.assertEquals({ class.doc, class.examples, class.parents, class.exact, class.order },
    { "What the module is for.", { "demo.run()" }, { "base", "other" }, true,
      { "count", "kind", "run", "undocumented" } })
  lu.assertEquals({ class.fields.count.optional, class.fields.count.doc }, { true, "how many" })
  lu.assertEquals(class.index.type.name, "string")
  lu.assertEquals(class.overloads[1].params[1].name, "x")
  lu.assertEquals(db.modules, { demo = "demo" })
  lu.assertFalse(db.classes.base.exact)
end

function tests.test_functions()
  local run = db.classes.demo.fields.run
  lu.assertEquals(run.doc, "Runs.\n\nand is done.")
  lu.assertEquals(run.examples, { 'demo.run("x", { deep = true })' })
  lu.assertEquals({ run.params[1].text, run.params[1].doc },
    { "string[]|fun(a: string, b?: integer): boolean, string", "that which runs" })
  lu.assertEquals({ run.params[2].optional, run.params[3].name, run.method },
    { true, "...", false })
  lu.assertEquals({ run.returns[1].text, run.returns[1].name, run.returns[1].doc,
    run.returns[2].text }, { "boolean?", "ok", "whether it did", "demo.kind" })
  lu.assertEquals(stubs.signature(run, "demo"), "demo.run(what, opts?, ...)")
  lu.assertEquals(stubs.signature(db.classes.demo.fields.undocumented, "d"), "d:undocumented(a)")
end

function tests.test_aliases()
  lu.assertEquals(db.aliases["demo.kind"].doc, "Words.")
  lu.assertEquals(db.aliases["demo.kind"].values[1].doc, "at once")
  lu.assertEquals(db.aliases["demo.kind"].type.kind, "union")
  lu.assertEquals(#db.aliases["demo.either"].type.list, 2)
end

function tests.test_members_are_inherited()
  lu.assertNotNil(stubs.member(db, "demo", "inherited"))
  lu.assertNil(stubs.member(db, "demo", "nothing"))
  lu.assertNil(stubs.member(db, "nobody", "nothing"))
  lu.assertEquals(stubs.member_names(db, "demo"),
    { "count", "kind", "run", "undocumented", "inherited" })
  local ring = stubs.read { a = "---@class a: b\n\n---@class b: a\n---@field x string\n" }
  lu.assertNotNil(stubs.member(ring, "a", "x"))
  lu.assertNil(stubs.member(ring, "a", "y"))
end

function tests.test_types()
  local cases = {
    { "string", "name", 7 }, { "string|nil rest", "union", 11 }, { "string[][] x", "array", 11 },
    { "{a: string, b?: {c: integer}} x", "record", 30 }, { "table<string, integer> x", "map", 23 },
    { '"a|b" x', "literal", 6 }, { "fun() x", "fun", 6 }, { "(string|integer)[] x", "array", 19 },
    { "fun(...): boolean x", "fun", 18 }, { "true", "literal", 5 }, { "-1.5 x", "literal", 5 },
  }
  for _, case in ipairs(cases) do
    local type, after = types.read(case[1])
    lu.assertEquals({ type.kind, after }, { case[2], case[3] }, case[1])
  end
end

function tests.test_text_that_is_no_stub_is_no_trouble()
  for _, each in ipairs {
    "", "---@", "---@class", "---@param", "---@field x", "---|", "---@alias", "---@return {",
    "---@param x {a: ", "---@return fun(", "function x.y(", "return", "---@class a: a\nlocal a\n",
    "---@return table<", "---@return \"", "---@return (((((", "\0\xff", "---```lua\n---x",
  } do
    stubs.read { x = each }
  end
end

function tests.test_our_own_are_read()
  local own = stubs.load()
  lu.assertEquals(stubs.signature(own.classes["cxone.filters"].fields.deploy, "tenant.filters"),
    "tenant.filters:deploy(definition, opts?)")
  for _, name in ipairs(require "weir.modules") do
    lu.assertNotNil(own.modules["weir." .. name], name)
  end
end

return tests
