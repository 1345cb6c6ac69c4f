--- After a create whose answer was lost: was it done?
--
-- The server is asked: which filters have that name? Exactly one, with our
-- definition, is the one that was created, and is adopted. Several, or one
-- that is defined otherwise, are for a person to judge: the err names them.
--
-- None is no proof. The request may still be on its way, and would then come
-- after a second one. So the looks are spread over a few seconds, and only if
-- the connection broke (a server that went away, not one that is slow) and
-- the list of all filters was there to be read is the filter created once
-- more; then all of that name are counted again, so that a first request
-- which came late after all is told and not left to be found by chance.

local err = require "weir.err"
local filter = require "weir.filter"
local log = require "weir.log"
local null = require "weir.core".null
local path = require "cxone.path"
local task = require "weir.task"

local adopt = {}

-- As many ids as an error names.
local most_named = 10

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

--- The ids of the listed filters that have the name, or nil where the server
-- has no such list for us.
local function ids_in_list(tenant, name)
  local ids = {}
  local ok, e = pcall(function()
    for record in tenant.filters:list() do
      if record.name == name then ids[#ids + 1] = record.id end
    end
  end)
  if ok then return ids end
  local no_list = { [403] = true, [404] = true, [405] = true, [501] = true }
  if not (err.is(e) and no_list[e.status]) then error(e, 0) end
end

--- The records of that name, and whether these are all there are: a filter
-- that was just created need not be a member of its group yet.
local function find(tenant, f)
  local ids = ids_in_list(tenant, f.name)
  local complete = ids ~= nil
  if not ids then
    ids = {}
    if f.target_group_id then
      for id in tenant.groups:members(f.target_group_id) do
        ids[#ids + 1] = id
      end
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
  return filter.check(theirs) == true
    and filter.new(theirs) == filter.new(definition_of(fields, f:table()))
end

-- What to say --------------------------------------------------------------------

local function id_list(records)
  local ids = {}
  for i, record in ipairs(records) do ids[i] = record.id end
  table.sort(ids)
  local more = #ids > most_named and (", and %d more"):format(#ids - most_named)
  return ids, table.concat(ids, ", ", 1, math.min(#ids, most_named)) .. (more or "")
end

--- Raises the ambiguous err that `lost` becomes by what was found.
local function give_up(f, lost, records, message, hint, cause)
  local e = err.new {
    code = "ambiguous",
    message = ("creating filter '%s': its answer was lost, and %s")
      :format(f.name, message),
    hint = hint,
    method = lost.method,
    url = lost.url,
    status = lost.status,
    attempts = lost.attempts,
    request_id = lost.request_id,
    because = lost.because,
    sent = lost.sent,
    maybe_done = true,
    cause = cause or lost,
  }
  e.name = f.name
  e.ids = id_list(records)
  error(e, 0)
end

local function refuse_several(f, lost, records)
  if #records < 2 then return end
  local _, ids = id_list(records)
  give_up(f, lost, records,
    ("there are %d filters of that name: %s"):format(#records, ids),
    "keep the one that is wanted and delete the others")
end

--- The one record that is ours, or nil if there is none of the name. Raises
-- where a person has to judge.
local function judge(tenant, f, lost, records)
  refuse_several(f, lost, records)
  if #records == 0 then return nil end
  local _, ids = id_list(records)
  if not same(tenant, records[1], f) then
    give_up(f, lost, records,
      ("%s has that name and another definition"):format(ids),
      "find out whose filter that is, or deploy under another name")
  end
  return records[1]
end

-- Deciding -----------------------------------------------------------------------

--- True where the request cannot well be under way any more: the connection
-- broke before any answer. A time that ran out says nothing of the kind.
local function came_to_nothing(lost)
  return (lost.because == "transport" and not lost.status) or lost.status == 502
end

--- Looks several times; returns the record that is ours, or nil and whether
-- all filters were looked at.
local function look(tenant, f, lost)
  local looks, interval = tenant.dialect.lost.looks, tenant.dialect.lost.interval
  local complete
  for i = 1, looks do
    if i > 1 then task.sleep(interval) end
    local ok, records, all = pcall(find, tenant, f)
    if not ok then
      give_up(f, lost, {}, "looking for it failed: "
        .. (err.is(records) and records.message or tostring(records)),
        "look for it by its name before deploying it again", records)
    end
    local record = judge(tenant, f, lost, records)
    if record then return record end
    complete = all
  end
  return nil, complete
end

local function say_adopted(f, record)
  log.warn(("the answer to creating filter '%s' was lost; %s has its name and "
    .. "definition and is taken for it"):format(f.name, record.id))
  return record
end

--- Decides what became of the create that ended in `lost` (an ambiguous err),
-- and returns the filter's record or raises an ambiguous err with `name` and
-- `ids`. `create()` creates it once more and returns the record, or nil and
-- an err.
function adopt.settle(tenant, f, lost, create)
  local record, complete = look(tenant, f, lost)
  if record then return say_adopted(f, record) end
  local seconds = (tenant.dialect.lost.looks - 1) * tenant.dialect.lost.interval
  if not complete or not came_to_nothing(lost) then
    give_up(f, lost, {}, ("no filter of that name has turned up within %g s")
      :format(seconds), "it may still arrive: look for its name before "
      .. "deploying it again")
  end
  log.warn(("the answer to creating filter '%s' was lost, and no filter of that "
    .. "name turned up within %g s: creating it again"):format(f.name, seconds))
  local e
  record, e = create()
  if record == nil and e.code ~= "ambiguous" then error(e, 0) end
  if record == nil then
    record = look(tenant, f, e)
    if record then return say_adopted(f, record) end
    give_up(f, e, {}, "so was that of a second try; no filter of that name has "
      .. "turned up", "look for its name before deploying it again")
  end
  refuse_several(f, lost, (find(tenant, f)))
  return record
end

return adopt
