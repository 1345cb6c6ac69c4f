-- A run through every module, for sweep.py: it says what it did in lines that
-- are the same in every run, waits for nothing long, and lets no error pass
-- that it did not provoke. Whatever allocation fails on the way, the lines
-- printed must be the first of these, and each change done at most once.

local cxone = require "cxone"
local weir = require "weir"
local auth, client, err, etag = weir.auth, weir.client, weir.err, weir.etag
local filter, http, json, log = weir.filter, weir.http, weir.json, weir.log
local page, poll, regex, task, yaml = weir.page, weir.poll, weir.regex, weir.task, weir.yaml

-- The err with that code which `fn` raises; any other goes on up.
local function raised(code, fn, ...)
  local ok, e = pcall(fn, ...)
  assert(not ok, "nothing was raised")
  if not err.is(e, code) then error(e, 0) end
  return e
end

-- The same for what returns nil and the err.
local function failed(code, value, e)
  assert(value == nil, "it succeeded")
  if not err.is(e, code) then error(e, 0) end
  return e
end

local function say(...)
  print(...)
  io.stdout:flush()
end

local tenant = cxone.connect()
local sim = tenant.base_url .. "/_sim"

local definition = {
  name = "torture",
  description = "every module, with memory running out",
  channel = "voice",
  matchers = {
    { attribute = "customer.tier", operator = "in", value = { "gold", "platinum" } },
    { attribute = "interaction.seconds", operator = "greater_than", value = 300 },
  },
  pattern_rules = {
    { type = "regex", field = "agent.skill_id", pattern = "^skill_premium_.*$" },
    { type = "cidr", field = "client.address", pattern = "10.0.0.0/8" },
  },
  target_group_id = "grp_torture",
}

-- json, yaml
local text = assert(json.encode({ list = json.array { 1, 2.5, json.null }, name = "\u{e4}\"\n" },
  { indent = 2 }))
local value = assert(json.decode(text))
say("json", #text, value.list[2], value.list[3] == json.null)
failed("syntax", json.decode('{"a": [1, 2'))
failed("limit", json.decode(("["):rep(200)))
text = assert(yaml.encode(value))
value = assert(yaml.decode("base: &b {x: 1, y: [no, 0x10]}\nother: *b\ntext: |\n  lines\n"))
say("yaml", #text, value.other.x, value.base.y[1], value.text)
failed("syntax", yaml.decode("a: [1"))

-- regex
local re = assert(regex.compile("^(?<kind>[a-z]+)_(\\d+)$", "i"))
say("regex", assert(re:match("Skill_42")).kind, re:test("nothing"), re:find("a_1"))
failed("syntax", regex.compile("(unclosed"))
local portable, findings = regex.portable("(?i)a\\Kb(?<n>c)")
say("portable", portable, #findings)

-- filter
local ok, problems = filter.check {
  name = "", channel = "vioce", matchers = { { attribute = "a", operator = "equal", value = 1 } },
  pattern_rules = { { type = "regex", field = "f", pattern = "(" } },
}
say("filter", ok, #problems)
local f = filter.new(definition)
say("with", #f:with({ description = "changed" }):json(2))

-- log
log.secret("s3cret-of-the-script")
log.warn("torture: a token is s3cret-of-the-script", { n = 1, list = { 1, 2 } })

-- http
local answer = assert(http.get(sim .. "/config", { headers = { ["X-Torture"] = "1" } }))
say("http", answer.status, answer.headers["content-type"], type(assert(answer:json())))
failed("transport", http.get("http://127.0.0.1:1/", { connect_timeout = 5 }))
failed("limit", http.get(sim, { max_bytes = 1 }))
assert(http.request { method = "POST", url = sim .. "/faults",
  json = { kind = "concurrent_edit", call = "update", field = "description", value = "theirs" } })

-- err
local e = err.new { code = "failed", message = "made here", cause = err.new {
  code = "io", message = "below" }, detail = { 1, 2 } }
say("err", tostring(e), e.cause.code)

-- the road: deploy, assign, update with a conflict merged, export
local deployed = tenant.filters:deploy(definition, { interval = 0.001 })
say("deployed", deployed.status, deployed.name)
raised("validation", tenant.filters.validate, tenant.filters, { name = "x" })
tenant.groups:assign("grp_torture", deployed)
local updated, info = tenant.filters:update(deployed, function(d)
  d.matchers[2].value = 240
end)
say("updated", updated.matchers[2].value, updated.description, table.concat(info.merged, " "))
say("exported", #tenant.filters:export(deployed))
say("metrics", tenant.filters:metrics(deployed).hit_count)

-- etag, by itself
local merged, report = etag.merge({ a = 1, b = 2 }, { a = 3, b = 2 }, { a = 1, b = 4 })
say("merged", merged.a, merged.b, #report.mine, #report.theirs)
local nothing, conflict = etag.merge({ a = 1 }, { a = 2 }, { a = 3 })
failed("conflict", nothing, conflict)

-- page
local ids = {}
for id in tenant.groups:members("grp_torture") do ids[#ids + 1] = id end
local entries = 0
for _ in tenant.audit:entries { filter_id = deployed.id } do entries = entries + 1 end
local all = assert(page.collect(tenant.client, "/api/v2/event-processing/filters",
  { items = "filters", size = 1 }))
say("page", #ids, entries, #all)

-- poll
local word = 0
assert(poll.wait { look = function()
  word = word + 1
  return word < 3 and "PENDING" or "ACTIVE"
end, interval = 0.001 })
failed("timeout", poll.wait {
  look = function() return "PENDING" end, interval = 0.001, timeout = 0,
})
say("poll", word)

-- client and auth
local other = client.new { base_url = tenant.base_url, auth = auth.bearer("not-a-token"),
  retry = { attempts = 2, base = 0.001 }, limit = { rate = 1000 } }
failed("auth", other:get("/api/v2/event-processing/filters/none"))
failed("not_found", tenant.client:get("/api/v2/event-processing/filters/none"))
say("client", other:stats().requests)

-- task: several at once, errors, cancelling, a timeout, a shield
local doubled = task.map({ 1, 2, 3 }, { limit = 2 }, function(n)
  task.sleep(0)
  return n * 2
end)
local a, b = task.all { function() return 1 end, function() return "two" end }
say("tasks", table.concat(doubled, " "), a, b)
raised("timeout", task.timeout, 0.001, function() task.sleep(60) end)
local sleeper = task.spawn(task.sleep, 60)
sleeper:cancel()
raised("cancelled", sleeper.join, sleeper)
local failing = task.spawn(function()
  error(err.new { code = "failed", message = "on purpose" })
end)
raised("failed", failing.join, failing)
local got = {}
for n in coroutine.wrap(function()
  for i = 1, 2 do
    task.sleep(0)
    coroutine.yield(i)
  end
end) do got[#got + 1] = n end
say("coroutine", #got, task.shield(function() return "kept" end))
local pages = task.map({ 1, 2 }, function()
  return assert(http.get(sim .. "/config")).status
end)
say("at once", table.concat(pages, " "))

-- what a script writes: the whole file or none
local export = tenant.filters:export(deployed)
local file <close> = assert(io.open("export.yaml", "w"))
assert(file:write(export))
assert(file:close())
tenant.filters:delete(updated)
say("deleted")
