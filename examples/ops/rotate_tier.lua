#!/usr/bin/env weir
-- Rotates the filter of a customer tier from one group to another. Its hit rate
-- is looked at before and after; when it falls too far, when anything fails, and
-- when the run is interrupted in the middle, the filter feeds its old group again.
-- Running it a second time changes nothing.

weir.needs { net = { "tenant" }, mutate = true }

local args = weir.args {
  name = "rotate_tier",
  about = "Rotates a tier's filter between two groups, and back if its hit rate falls.",
  { name = "tier", help = "whose filter: the one that matches customer.tier with this" },
  { name = "--from", default = "grp_premium_a", help = "the group that it feeds now" },
  { name = "--to", default = "grp_premium_b", help = "the group that it shall feed" },
  { name = "--window", type = "seconds", default = 3600, min = 60,
    help = "what a hit rate is taken over" },
  { name = "--min-hits", type = "integer", default = 10, min = 1,
    help = "with fewer, a rate says nothing: nothing is changed" },
  { name = "--max-drop", type = "number", default = 20, min = 0, max = 100,
    help = "how many percent of its share the filter may lose" },
  { name = "--settle", type = "seconds", default = 5, min = 0,
    help = "between the change and the second look, which sees --window back" },
}

local cxone = require "cxone"
local err = require "weir.err"
local rotation = require "rotation"

if args.from == args.to then
  error(err.new { code = "usage", message = "--from and --to name the same group" }, 0)
end

local tenant = cxone.connect()
local record = rotation.find(tenant, args.tier, { args.from, args.to })
print(("filter    %s (%s) feeds %s"):format(record.name, record.id, record.target_group_id))

local before = rotation.rate(tenant, record, args.window)
print("before    " .. rotation.words(before))
rotation.require_hits(before, args.min_hits)

if record.target_group_id == args.to then
  -- An earlier run came this far. What it may have left to do is done now; but
  -- what the rate was before it, nobody knows any more.
  rotation.join(tenant, args.to, record)
  print(("done      nothing to rotate: it feeds %s already; its rate was not compared"):format(
    args.to))
  return
end

local guard <close> = rotation.guard(tenant, record, args.from, args.to)
record = guard:rotate()
print("rotated   it feeds " .. record.target_group_id)

weir.task.sleep(args.settle)
local after = rotation.rate(tenant, record, args.window)
print("after     " .. rotation.words(after))
rotation.require_share(before, after, args.max_drop)
guard:require_ours()

guard:join()
guard:keep()
print("done      " .. record.name .. " feeds " .. args.to)
