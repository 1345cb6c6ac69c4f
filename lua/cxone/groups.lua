--- tenant.groups: which filters feed which group.

local lazy = require "weir.lazy"
local dry = lazy "cxone.dry"
local notice = require "cxone.notice"
local options = require "weir.options"
local page = require "weir.page"
local path = require "cxone.path"
local misuse = require "weir.core".misuse

local Groups = {}
Groups.__index = Groups
Groups.__name = "cxone.groups"

local groups = {}

-- How often members are read and put again when the answer was lost.
local attempts = 4

function groups.new(tenant)
  return setmetatable({ tenant = tenant }, Groups)
end

local function as_ids(filters)
  if type(filters) ~= "table" or filters.id then filters = { filters } end
  local ids = {}
  for i, filter in ipairs(filters) do
    ids[i] = type(filter) == "table" and filter.id or filter
    if type(ids[i]) ~= "string" or ids[i] == "" then
      misuse(string.format("groups:assign: element %d is not a filter or its id", i))
    end
  end
  return ids
end

--- Where a tenant's PUT replaces the members, the members are read first and
-- the union is sent; nobody is dropped from the group by being forgotten.
local function union(self, gid, ids)
  local seen, all = {}, {}
  local function add(id)
    if not seen[id] then
      seen[id] = true
      all[#all + 1] = id
    end
  end
  for id in self:members(gid) do add(id) end
  for _, id in ipairs(ids) do add(id) end
  return all
end

--- A member that is added twice is a member once, so this may be repeated as it
-- is; but not where it replaces the members, since others add some, too.
local function put(self, gid, ids, as_it_is)
  local d = self.tenant.dialect
  return self.tenant.client:put(path.fill(d.paths.group_filters, { gid = gid }),
    { json = { [d.page.members.items] = ids }, idempotent = as_it_is, discard = true })
end

--- Adds filters (an id, a record, or a list of these) to the group. Those that
-- are members already stay so; an answer that was lost is asked for again.
function Groups:assign(gid, filters)
  local ids, replaces = as_ids(filters), self.tenant.dialect.switches.group_put == "replaces"
  for attempt = 1, attempts do
    local done, e = put(self, gid, replaces and union(self, gid, ids) or ids, not replaces)
    if done then return end
    if e.code == "denied" and dry.kept(e) then return dry.of(self.tenant):join(gid, ids) end
    if not (replaces and e.maybe_done) or attempt == attempts then error(e, 0) end
  end
end

--- Iterates over the ids of the group's filters, however many there are.
function Groups:members(gid, opts)
  opts = options.check("groups:members", opts,
    { page_size = "number", max_pages = "number", max_items = "number" })
  local d, overlay = self.tenant.dialect, rawget(self.tenant, "overlay")
  notice.tell("groups", gid)
  local function listing()
    return page.each(self.tenant.client, path.fill(d.paths.group_filters, { gid = gid }), {
      items = d.page.members.items,
      size = opts.page_size or d.page.members.size,
      size_param = d.page.size_param,
      max_pages = opts.max_pages, max_items = opts.max_items,
      cursor_param = d.page.cursor_param,
      next = d.page.next,
    })
  end
  if overlay then return notice.each("filters", overlay:ids(gid, listing())) end
  return notice.each("filters", listing())
end

return groups
