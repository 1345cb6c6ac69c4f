---@meta weir.etag

---Changing a document that others change too, and the three-way merge.
---@class weir.etag
local etag = {}

---What both sides changed to different values. An absent side is nil, a JSON
---null is `weir.null`.
---@class weir.etag.conflict
---@field path string     JSON pointer (RFC 6901): `"/matchers/0/value"`
---@field base any
---@field mine any
---@field theirs any
---@field element? table  in a list merged one by one: the keys of the element

---What is known of the documents; a dialect's `filter` table is one. A table
---is read once: changes of it after its first use count for nothing.
---@class weir.etag.rules
---@field server_fields? string[]  never sent, never in conflict
---@field lists? {field: string, keys: string[]}[]  lists that merge element by element

---`"fail"` (the default), `"mine"`, `"theirs"`, or a function that is called for
---each conflict and returns the value to use (nil leaves the field out). The
---function runs in the calling task and may wait.
---@alias weir.etag.on_conflict
---| "fail"
---| "mine"
---| "theirs"
---| fun(conflict: weir.etag.conflict): any

---@class weir.etag.report
---@field mine string[]    paths that only mine changed
---@field theirs string[]  paths that only theirs changed
---@field same string[]    paths that both changed to the same value
---@field conflicts weir.etag.conflict[]  decided by `on_conflict`

---@class weir.etag.update_options
---@field base? table        the state last seen; default: it is read first
---@field etag? string       its ETag; default: its member `etag`, else it is read
---@field on_conflict? weir.etag.on_conflict
---@field attempts? integer  PUTs in all; default 8
---@field rules? weir.etag.rules

---@class weir.etag.update_info
---@field attempts integer  PUTs sent; 0: nothing was to change
---@field merged string[]   paths that others had changed meanwhile
---@field decided weir.etag.conflict[]  conflicts that `on_conflict` settled
---@field etag? string      the ETag of the new state, where the server told it

---Changes the document at `path`: PUT with If-Match; where others were faster
---(409, 412) it reads what is there now, merges field by field and tries again.
---Unknown fields are kept, the server's are never sent, and where nothing is
---left to change nothing is sent.
---
---`change` is a table of fields to set (`weir.null` sets null), or a function
---that gets a copy of the current state and returns it changed.
---
---Errors: `"conflict"` with `err.conflicts`, or when every attempt met a newer
---state; `"protocol"` (no usable ETag, no JSON object); or what the call met. In a
---run that may change nothing (`--dry-run`) `"denied"`, with `err.state`: what
---would have been sent.
---
---```lua
---local record = tenant.filters:create {
---  name = "gold_chat", channel = "chat", target_group_id = "grp_chat",
---}
---local path = tenant.dialect.paths.filters .. "/" .. record.id
---local state, info = weir.etag.update(tenant.client, path, { description = "new" }, {
---  base = record, rules = tenant.dialect.filter,
---})
---if not state then
---  for _, c in ipairs(info.conflicts or {}) do print(c.path, c.mine, c.theirs) end
---end
---```
---@param client weir.client.Client
---@param path string
---@param change table|fun(current: table): table?
---@param opts? weir.etag.update_options
---@return table? state as the server now has it
---@return weir.etag.update_info|weir.err.Err info
function etag.update(client, path, change, opts) end

---Merges three tables: what only one side changed against `base` is taken from
---that side, member by member through nested objects; lists as a whole, but
---those of the rules element by element. Numbers are compared exactly; absent
---and `weir.null` are two values.
---
---Errors: `"conflict"` with `err.conflicts`; documents that cannot be merged
---are raised.
---
---```lua
---local merged = weir.etag.merge({ a = 1, b = 1 }, { a = 2, b = 1 }, { a = 1, b = 3 })
----- { a = 2, b = 3 }
---```
---@param base table
---@param mine table
---@param theirs table
---@param opts? {on_conflict?: weir.etag.on_conflict, rules?: weir.etag.rules}
---@return table? merged
---@return weir.etag.report|weir.err.Err report
function etag.merge(base, mine, theirs, opts) end

return etag
