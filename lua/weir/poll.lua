--- weir.poll: look until a state, a failure or a deadline.

local core = require "weir.core.poll"
local dialect = require "cxone.dialect"
local err = require "weir.err"
local options = require "weir.options"
local task = require "weir.task"
local misuse = require "weir.core".misuse
local note_trace = require "weir.core.task".note_trace

local poll = {}

local known = {
  look = "any", client = "any", field = "string", reason = "string",
  done = "table", failed = "table", interval = "number", timeout = "number",
  on_look = "function", what = "string",
}

--- What a look function gave: a word with an optional reason, or a document
-- that has both. Anything else is the script's mistake.
local function read_look(opts, word, reason)
  local document
  if type(word) == "table" then
    document = word
    word, reason = document[opts.field or "status"], document[opts.reason or "reason"]
  end
  if type(word) ~= "string" then
    misuse(string.format(
      "poll.wait: look must return a word, or a table with the word in '%s'; got %s",
      opts.field or "status", type(document or word)))
  end
  return word, type(reason) == "string" and reason or nil, document
end

--- Looks, but no longer than there is time. Returns true and what the look
-- gave, or false if it was cut off. What it raises is raised.
local function look_in_time(look, info)
  local given
  local ok, e = pcall(task.timeout, info.left, function()
    given = table.pack(xpcall(look, note_trace, info))
  end)
  if ok and given[1] then return true, given[2], given[3] end
  if ok then error(given[2], 0) end
  if err.is(e, "timeout") then return false end
  error(e, 0)
end

--- Looks until the word is one of `done`. Returns the last document (the word
-- itself where a look gave no document) and `{looks =, waited = seconds}`; or
-- nil and the err: "failed" with the server's reason, "timeout" with the last
-- word, or what a look met.
function poll.wait(opts)
  opts = options.check("poll.wait", opts, known)
  local look, on_look = opts.look, opts.on_look
  local by_hand = type(look) == "function"
  if not by_hand and type(look) ~= "string" then
    misuse("poll.wait: 'look' must be a path or a function, got " .. type(look))
  end
  local wait <close> = core.open {
    client = not by_hand and opts.client or nil,
    path = not by_hand and look or nil,
    what = opts.what, field = opts.field, reason = opts.reason,
    -- A script that names neither waits for what filters end in; one that
    -- names its own words means these alone.
    done = opts.done or dialect.status.done,
    failed = opts.failed or (not opts.done and dialect.status.failed) or nil,
    interval = opts.interval, timeout = opts.timeout,
    pause = on_look ~= nil,
  }
  local document
  while true do
    local state, word, info, seen = core.next(wait)
    if not state then return nil, word end
    if state == "look" then
      local in_time, first, second = look_in_time(look, info)
      if in_time and first == nil and second ~= nil then return nil, second end
      if in_time then
        local reason
        word, reason, document = read_look(opts, first, second)
        core.answer(wait, word, reason)
        if on_look then on_look(word, info) end
      else
        core.cut(wait)
      end
    elseif state == "looked" then
      on_look(word, info)
    else
      if seen == nil then seen = document end
      if seen == nil then seen = word end
      return seen, info
    end
  end
end

return poll
