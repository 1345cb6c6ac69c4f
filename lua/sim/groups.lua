--- The calls on groups: assign and members. A group exists as soon as
-- somebody names it.

local answer = require "sim.answer"
local dialect = require "cxone.dialect"
local filters = require "sim.filters"
local json = require "weir.json"

local groups = {}
groups.__index = groups

local items = dialect.page.members.items

---@param sim table
function groups.new(sim)
  return setmetatable({ sim = sim, by_id = {} }, groups)
end

-- A group: its members by number of joining, and the number of each.
local function new_group()
  return { members = {}, number_of = {}, last = 0, size = 0 }
end

local function seat(group, number, id)
  group.last = math.max(group.last, number)
  group.members[number] = id
  group.number_of[id] = number
  group.size = group.size + 1
end

-- What the file has of a membership: by group and number.
local function key_of(gid, number)
  return ("%012d %s"):format(number, gid)
end

local function join(self, gid, group, id)
  if group.number_of[id] then
    return false
  end
  local number = group.last + 1
  seat(group, number, id)
  self.sim.state:put("member", key_of(gid, number), { group = gid, number = number, id = id })
  self.sim.state:put("group", gid, { last = number })
  return true
end

local function leave(self, gid, group, id)
  local number = group.number_of[id]
  if not number then
    return false
  end
  self.sim.state:drop("member", key_of(gid, number))
  group.members[number] = nil
  group.number_of[id] = nil
  group.size = group.size - 1
  return true
end

local function check_ids(self, ids)
  if not answer.is_array(ids) or #ids == 0 then
    return answer.problem(400, ("%s: expected a list of at least one id"):format(items),
      { { path = "/" .. items, message = "expected a non-empty list" } })
  end
  local errors = {}
  for i, id in ipairs(ids) do
    local path = ("/%s/%d"):format(items, i - 1)
    if type(id) ~= "string" then
      errors[#errors + 1] = { path = path, message = "expected text" }
    elseif not self.sim.filters.store:get(id) then
      errors[#errors + 1] = { path = path, message = ("no filter '%s'"):format(id) }
    end
  end
  return #errors > 0 and answer.problem(400, "unknown filters", errors) or nil
end

local function write_audit(self, context, action, id)
  local record = self.sim.filters.store:get(id)
  self.sim.audit:add(context, action, {
    filter_id = id,
    version = record and record.version,
  })
end

local function leave_all_but(self, context, group, ids)
  local wanted = {}
  for _, id in ipairs(ids) do
    wanted[id] = true
  end
  for number = 1, group.last do
    local id = group.members[number]
    if id and not wanted[id] then
      leave(self, context.params.gid, group, id)
      self.sim:count("members_removed")
      write_audit(self, context, "unassign", id)
    end
  end
end

---The call "assign".
function groups:assign(context)
  local body, problem = filters.read_body(context)
  problem = problem or check_ids(self, body[items])
  if problem then
    return problem
  end
  local gid = context.params.gid
  local group = self.by_id[gid] or new_group()
  self.by_id[gid] = group
  if self.sim.config.group_put == "replaces" then
    leave_all_but(self, context, group, body[items])
  end
  local added = {}
  for _, id in ipairs(body[items]) do
    if join(self, gid, group, id) then
      added[#added + 1] = id
      self.sim:count("members_added")
      write_audit(self, context, "assign", id)
    end
  end
  self.sim:count("assignments")
  return answer.json(200, { group_id = gid, added = json.array(added), size = group.size })
end

---The call "members".
function groups:members(context)
  local gid = context.params.gid
  local group = self.by_id[gid] or new_group()
  local function following(position)
    for number = position + 1, group.last do
      if group.members[number] then
        return number, group.members[number]
      end
    end
  end
  return self.sim.paging:answer(context, "group " .. gid, dialect.page.members, following)
end

---Takes over what was in the file.
---@param kept_groups table<string, table>
---@param kept_members table<string, table>
function groups:restore(kept_groups, kept_members)
  for gid, kept in pairs(kept_groups) do
    self.by_id[gid] = new_group()
    self.by_id[gid].last = kept.last
  end
  for _, member in pairs(kept_members) do
    seat(self.by_id[member.group], member.number, member.id)
  end
end

---A filter that was deleted belongs to no group.
---@param id string
function groups:forget(id)
  for gid, group in pairs(self.by_id) do
    if leave(self, gid, group, id) then
      self.sim:count("members_removed")
    end
  end
end

return groups
