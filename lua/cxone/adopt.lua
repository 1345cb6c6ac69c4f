--- After a create whose answer was lost: was it done?
--
-- What can be known. A create that nobody answered was done, or was not, or
-- is still on its way: neither a broken connection nor a 502, a 504 or a time
-- that ran out tells which. There are two proofs: that nothing was sent or the
-- server refused to take it on (those the core repeats by itself), and the
-- filter itself. That it is not found proves nothing.
--
-- So a deployment creates at most once. It looks for the filter by its name,
-- over some seconds: one that is there alone, with our definition, is the one
-- that was created, and is adopted. Otherwise it ends as "ambiguous".
--
-- Creating again is a decision, and the script's: `deploy(definition, {resume
-- = e})` looks once more, and creates only if there still is none. Then it has
-- created at least once, and if the first create arrives after all there are
-- two. They are counted when the filter is active. Of two that say the same,
-- the one whose id the create's answer told goes (this deployment made it, and
-- has shown it to nobody), and the other is adopted. What arrives still later
-- no client can see; only a server that takes a name once could tell.

local census = require "cxone.census"
local err = require "weir.err"
local filter = require "weir.filter"
local log = require "weir.log"
local null = require "weir.core".null
local path = require "cxone.path"
local poll = require "weir.poll"
local task = require "weir.task"

local adopt = {}

-- As many ids as an error names.
local most_named = 10

-- One for each tenant.
local censuses = setmetatable({}, { __mode = "k" })

-- What a look met that was cut off when the time was up.
local too_slow = err.new {
  code = "timeout", message = "reading the list took longer than that",
}

-- Reading what is there --------------------------------------------------------

--- The record of a filter, or nil if it has gone meanwhile.
local function fetch(tenant, id)
  local response, e = tenant.client:get(
    path.fill(tenant.dialect.paths.filter, { id = id }))
  if not response and e.code == "not_found" then return nil end
  if not response then error(e, 0) end
  local record
  record, e = response:json()
  if record == nil then error(e, 0) end
  record.etag = record.etag or response.headers.etag
  return record
end

--- Whether there is a filter of that id.
function adopt.is_there(tenant, id)
  return fetch(tenant, id) ~= nil
end

--- The ids of the listed filters that have the name, or nil where the server
-- has no such list for us.
local function ids_in_list(tenant, name)
  local of_tenant = censuses[tenant] or census.new(tenant.filters)
  censuses[tenant] = of_tenant
  local ok, result = pcall(of_tenant.ids, of_tenant, name)
  if ok then return result end
  local no_list = { [403] = true, [404] = true, [405] = true, [501] = true }
  if not (err.is(result) and no_list[result.status]) then error(result, 0) end
end

--- The records of that name, and whether these are all there are: a filter
-- that was just created need not be a member of its group yet.
local function find(tenant, f)
  local ids = ids_in_list(tenant, f.name)
  local complete = ids ~= nil
  if not ids then
    ids = {}
    for id in tenant.groups:members(f.target_group_id) do
      ids[#ids + 1] = id
    end
  end
  local records = task.map(ids, { limit = 8 }, function(id)
    return fetch(tenant, id) or false
  end)
  local found = {}
  for _, record in ipairs(records) do
    if record and record.name == f.name then found[#found + 1] = record end
  end
  return found, complete
end

--- What a record says of the definition; null and "" say as little as nothing.
local function definition_of(fields, record)
  local out = {}
  for _, key in ipairs(fields) do
    local value = record[key]
    if value ~= nil and value ~= null and value ~= "" then out[key] = value end
  end
  return out
end

local function same(tenant, record, f)
  local fields = tenant.dialect.filter.fields
  local theirs = definition_of(fields, record)
  return filter.check(theirs, tenant.schema) == true
    and filter.new(theirs, tenant.schema)
      == filter.new(definition_of(fields, f:table()), tenant.schema)
end

-- What to say --------------------------------------------------------------------

local function id_list(records)
  local ids = {}
  for i, record in ipairs(records) do ids[i] = record.id end
  table.sort(ids)
  local more = #ids > most_named and string.format(", and %d more", #ids - most_named)
  return ids, table.concat(ids, ", ", 1, math.min(#ids, most_named)) .. (more or "")
end

--- The ambiguous err that `lost` becomes by what was found.
local function ambiguous(f, lost, records, message, hint, cause)
  local e = err.new {
    code = "ambiguous",
    message = string.format("filter '%s' may have been created, and %s", f.name, message),
    hint = hint,
    method = lost.method,
    url = lost.url,
    status = lost.status,
    attempts = lost.attempts,
    request_id = lost.request_id,
    because = lost.because or lost.code ~= "ambiguous" and lost.code or nil,
    sent = lost.sent,
    maybe_done = true,
    cause = cause or lost.code and lost or nil,
  }
  e.ids = id_list(records)
  return e
end

--- The one record that is ours, or nil if there is none of the name. Raises
-- where a person has to judge.
local function judge(tenant, f, lost, records)
  local _, ids = id_list(records)
  if #records > 1 then
    error(ambiguous(f, lost, records,
      string.format("there are %d filters of that name: %s", #records, ids),
      "keep the one that is wanted and delete the others"), 0)
  elseif records[1] and not same(tenant, records[1], f) then
    error(ambiguous(f, lost, records,
      string.format("%s has that name and another definition", ids),
      "find out whose filter that is, or deploy under another name"), 0)
  end
  return records[1]
end

-- Looking ------------------------------------------------------------------------

--- Looks until the filter is there or the time is up. Returns the record, or
-- nil, whether all filters were looked at, and what the last look met.
local function look(tenant, f, lost)
  local record, complete, trouble
  local answer, e = poll.wait {
    what = string.format("filter '%s', whose answer was lost", f.name),
    interval = tenant.dialect.lost.interval,
    timeout = tenant.dialect.lost.timeout,
    done = { "found" },
    look = function()
      -- What it is if this look is cut off and none was done before.
      trouble = complete == nil and too_slow or nil
      local ok, records, all = pcall(find, tenant, f)
      if not ok and (not err.is(records) or records.code == "cancelled") then
        error(records, 0)
      elseif not ok then
        -- A server in trouble may be better at the next look.
        trouble = records
        return "not to be seen"
      end
      trouble, complete = nil, all
      record = judge(tenant, f, lost, records)
      return record and "found" or "not there"
    end,
  }
  if not answer and e.code ~= "timeout" then error(e, 0) end
  if record then
    local what = lost.code and "the answer to creating filter '%s' was lost"
      or "filter '%s' may have been created before"
    log.warn(string.format(what .. "; %s has its name and definition and is taken for it",
      f.name, record.id))
  end
  return record, complete, trouble
end

local function say_failed(f, lost, trouble)
  error(ambiguous(f, lost, {}, "looking for it failed: " .. trouble.message,
    "look for it by its name before deploying it again", trouble), 0)
end

--- What became of the create that ended in `lost`? Returns the filter's
-- record, or raises: `lost` itself if it has more to say than that the answer
-- was lost, else an ambiguous err with `ids`.
function adopt.find(tenant, f, lost)
  local record, _, trouble = look(tenant, f, lost)
  if record then return record end
  if trouble then say_failed(f, lost, trouble) end
  local seen = string.format("no filter of that name has turned up within %g s",
    tenant.dialect.lost.timeout)
  local hint = "it may still arrive: deploy it with resume = this err, or look "
    .. "for its name"
  if lost.code ~= "ambiguous" then
    lost.hint = string.format("it may have been created all the same, but %s", seen)
    error(lost, 0)
  end
  error(ambiguous(f, lost, {}, seen, hint), 0)
end

--- The same before the filter is created again. Returns nil where that may be
-- done: none is there, and all were looked at.
function adopt.find_before(tenant, f, lost)
  local record, complete, trouble = look(tenant, f, lost)
  if trouble then say_failed(f, lost, trouble) end
  if not record and not complete then
    error(ambiguous(f, lost, {}, "without a list of all filters none can be ruled out",
      "find out, then deploy it without resume"), 0)
  end
  return record
end

-- Making room ----------------------------------------------------------------------

local function twins_of(tenant, f, record)
  local twins = {}
  for _, other in ipairs((find(tenant, f))) do
    if other.id ~= record.id and same(tenant, other, f) then
      twins[#twins + 1] = other
    end
  end
  return twins
end

--- Deletes what this deployment made, unless somebody has changed it since.
local function take_back(tenant, f, lost, record, twin)
  local ids = { record, twin }
  local _, both = id_list(ids)
  local ok, e = pcall(function()
    local now = fetch(tenant, record.id)
    if now and not same(tenant, now, f) then
      error(err.new { code = "conflict", message = "somebody has changed it" }, 0)
    end
    if now then tenant.filters:delete(now) end
  end)
  if not ok and (not err.is(e) or e.code == "cancelled") then error(e, 0) end
  if not ok then
    error(ambiguous(f, lost, ids,
      string.format("there are two of that name, %s; deleting %s failed: %s", both, record.id,
        e.message), "keep the one that is wanted", e), 0)
  end
  log.warn(string.format("the first create of filter '%s' has arrived after all, as %s: the second "
    .. "one, %s, is deleted", f.name, twin.id, record.id))
end

--- After the filter was created once more, and `record` is what is taken for
-- it: is it there once? If the create that was lost has arrived, that is kept,
-- and the other goes again if it is `ours`, by the word of the create's answer.
-- Returns the record that stays.
function adopt.settle(tenant, f, lost, record, ours)
  local twins = twins_of(tenant, f, record)
  if #twins == 1 and ours then
    take_back(tenant, f, lost, record, twins[1])
    record = twins[1]
    twins = twins_of(tenant, f, record)
  end
  if #twins > 0 then
    twins[#twins + 1] = record
    judge(tenant, f, lost, twins)
  end
  return record
end

return adopt
