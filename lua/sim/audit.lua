--- Who did what: entries come from what was really done, never from what was
-- asked for.

local dialect = require "cxone.dialect"
local json = require "weir.json"
local time = require "sim.time"

local audit = {}
audit.__index = audit

---@param sim table
function audit.new(sim)
  return setmetatable({ sim = sim, list = {} }, audit)
end

---Writes an entry.
---@param context table
---@param action string "create", "update", "delete", "assign", …
---@param what {filter_id: string, version: integer?, changed: string[]?, actor: string?}
function audit:add(context, action, what)
  local number = #self.list + 1
  self.list[number] = {
    id = ("aud_%06d"):format(number),
    time = time.iso(context.now),
    actor = what.actor or context.client,
    action = action,
    filter_id = what.filter_id,
    group_id = context.params.gid,
    version = what.version,
    changed = what.changed and json.array(what.changed),
    request_id = context.request_id,
  }
  self.sim.state:put("audit", number, self.list[number])
end

---Takes over what was in the file.
---@param items table<integer, table>
function audit:restore(items)
  self.list = items
end

---The call "audit": newest first, unless a switch says otherwise.
function audit:entries(context)
  local list = self.list
  local wanted = context.target.query.filter_id
  local oldest_first = self.sim.config.audit_order == "oldest"

  -- Positions are entry numbers, so entries that come while somebody reads
  -- neither repeat nor hide any.
  local function following(position)
    local from, to, step = position + 1, #list, 1
    if not oldest_first then
      from, to, step = (position == 0 and #list + 1 or position) - 1, 1, -1
    end
    for i = from, to, step do
      if not wanted or list[i].filter_id == wanted then
        return i, list[i]
      end
    end
  end

  return self.sim.paging:answer(context, "audit " .. (wanted or ""),
    dialect.page.audit, following)
end

return audit
