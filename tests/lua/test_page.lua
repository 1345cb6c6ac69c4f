-- weir.page against the embedded simulator. Run with --sim.

local cxone = require "cxone"
local json = require "weir.json"
local lu = require "luaunit"
local page = require "weir.page"
local sim = require "weir.sim"
local task = require "weir.task"

local tests = {}
local tenant = cxone.connect()
local client, dialect = tenant.client, tenant.dialect
local path = dialect.paths.filters

local function fill(n)
  sim.reset()
  for i = 1, n do
    assert(client:post(path, { json = {
      name = "f" .. i, channel = "voice", target_group_id = "g",
      matchers = { { attribute = "a", operator = "equals", value = i } },
      pattern_rules = json.array {},
    } }))
  end
end

local function names(opts)
  opts.items = "filters"
  local list = {}
  for filter in page.each(client, path, opts) do list[#list + 1] = filter.name end
  return list
end

function tests.test_every_item_once_and_in_order_whatever_the_page_size()
  fill(7)
  for size = 1, 8 do
    local got = names { size = size }
    table.sort(got)
    lu.assertEquals(got, { "f1", "f2", "f3", "f4", "f5", "f6", "f7" })
  end
  lu.assertEquals(#names { query = { page_size = 3 } }, 7)
end

function tests.test_an_empty_listing()
  fill(0)
  lu.assertEquals(names {}, {})
  local all = page.collect(client, path, { items = "filters" })
  lu.assertEquals(json.encode(all), "[]")
end

function tests.test_leaving_the_loop_early_leaves_nothing_under_way()
  fill(4)
  local first
  for filter in page.each(client, path, { items = "filters", size = 1 }) do
    if first then break end
    first = filter.name
  end
  lu.assertIsString(first)
  pcall(function()
    for _ in page.each(client, path, { items = "filters", size = 1 }) do error("out") end
  end)
  -- The runner counts what is left.
end

function tests.test_listings_within_a_listing_and_in_tasks()
  fill(3)
  local n = 0
  for _ in page.each(client, path, { items = "filters", size = 1 }) do
    for _ in page.each(client, path, { items = "filters", size = 2 }) do n = n + 1 end
  end
  lu.assertEquals(n, 9)
  local counts = task.map({ 1, 2, 3 }, function(size) return #names { size = size } end)
  lu.assertEquals(counts, { 3, 3, 3 })
end

function tests.test_a_failure_is_raised_by_each_and_returned_by_collect()
  fill(1)
  local ok, e = pcall(names, { cursor_param = "nonsense", query = { page_size = 0 } })
  lu.assertFalse(ok)
  lu.assertEquals(e.code, "validation")
  local list, err = page.collect(client, "/nowhere", { items = "filters" })
  lu.assertNil(list)
  lu.assertEquals(err.code, "not_found")
end

function tests.test_items_under_another_name_are_a_protocol_error()
  fill(1)
  local list, e = page.collect(client, path, { items = "entries" })
  lu.assertNil(list)
  lu.assertEquals(e.code, "protocol")
  lu.assertStrContains(e.message, "'entries' should be an array and is absent")
end

function tests.test_an_endless_cursor_is_named()
  fill(3)
  sim.fault { kind = "endless_cursor" }
  local seen = 0
  local ok, e = pcall(function()
    for _ in page.each(client, path, { items = "filters", size = 2 }) do seen = seen + 1 end
  end)
  sim.clear_faults()
  lu.assertFalse(ok)
  lu.assertEquals(e.code, "protocol")
  lu.assertStrContains(e.message, "came a second time")
  lu.assertTrue(seen >= 2)
end

function tests.test_pages_have_a_ceiling()
  fill(3)
  local list, e = page.collect(client, path, { items = "filters", size = 1, max_pages = 2 })
  lu.assertNil(list)
  lu.assertEquals(e.code, "limit")
end

function tests.test_mistakes_are_told_at_the_scripts_line()
  lu.assertErrorMsgContains("page.each: 'items' is missing", page.each, client, path, {})
  lu.assertErrorMsgContains("did you mean 'items'", page.each, client, path,
    { items = "a", itms = "b" })
  lu.assertErrorMsgContains("page.collect", page.collect, "no client", path, { items = "a" })
end

return tests
