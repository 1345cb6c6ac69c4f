-- What scripts/bench-repl runs.

local repl = require "weir.repl"

local known = tonumber((...)) or 10000
local times = 200

local function nothing() end

local own_print = print
local session = repl.start {
  interactive = true, color = false, fits = true,
  redact = function(text) return text end, report = tostring, print = print,
  write = nothing, raw = nothing, keep = nothing, trace = nothing,
  size = function() return 80, 24 end, now = os.time, files = function() return {} end,
}
session.finish()

-- As a listing would tell of them.
local notice = require "cxone.notice"
for i = 1, known do
  notice.tell("filter", {
    id = ("flt_%012x"):format(i * 2654435761 % (1 << 48)), name = ("filter %06d"):format(i),
    target_group_id = ("grp_%03d"):format(i % 500),
  })
end

local cases = {
  "tenant.filters:get('", "tenant.filters:get('flt_0", "tenant.filters:get('flt_00000000",
  "x = 'filter 00", "tenant.groups:members('grp_", "tenant.filters:", "tenant.filters:deploy { ",
  "weir.filter.new { matchers = { { operator = '", "require 'weir.", ":help ", "t",
}

own_print(("%d ids known; Tab after:%s median    worst   (ms)"):format(known, (" "):rep(25)))
local worst_of_all = 0
for _, text in ipairs(cases) do
  local took = {}
  for i = 1, times do
    local began = os.clock()
    session.complete(text, 80)
    took[i] = (os.clock() - began) * 1000
  end
  table.sort(took)
  worst_of_all = math.max(worst_of_all, took[times])
  own_print(("  %-46s %8.2f %8.2f"):format(text, took[times // 2], took[times]))
end
own_print(("worst of all: %.2f ms (the aim is 50)"):format(worst_of_all))
