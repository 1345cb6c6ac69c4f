---@meta cxone

---The client that scripts use. What the world does wrong is raised as an err
---(see `weir.err`), so a script without a single `if` stops at the first failure.
---
---```lua
---local tenant = require "cxone".connect()
---local record = tenant.filters:deploy {
---  name = "gold_chat", channel = "chat", target_group_id = "grp_chat",
---  matchers = { { attribute = "customer.tier", operator = "equals", value = "gold" } },
---}
---print(record.id, record.status)
---```
---
---In a run that may change nothing (`--dry-run`, or without `mutate` in
---`weir.needs`) what would be sent is said, and the tenant then looks as if it had
---been: a filter that would be created has an id such as `dry-run-1` and is ACTIVE.
---@class cxone
cxone = {} -- luacheck: ignore 121

---What a connection may be given; the limits are those of each request.
---@class cxone.connect_options: weir.http.limits
---@field tenant? string             default: CXONE_TENANT
---@field client_id? string          default: CXONE_CLIENT_ID
---@field client_secret? string|weir.secret.Secret      default: CXONE_CLIENT_SECRET
---@field access_key_id? string      default: CXONE_ACCESS_KEY_ID; with it the password grant
---@field access_key_secret? string|weir.secret.Secret  default: CXONE_ACCESS_KEY_SECRET
---@field token? string|weir.secret.Secret  a bearer token as it is, instead of a grant
---@field auth? weir.auth.Auth            an auth of your own, instead of a grant
---@field base_url? string           default: CXONE_BASE_URL, else from the tenant's name
---@field token_url? string          default: CXONE_TOKEN_URL
---@field scope? string
---@field limit? {rate?: number, burst?: number}  requests a second; default 100
---@field retry? {attempts?: integer, base?: number, cap?: number}  seconds; default 4, 0.5, 20
---@field timeout? number            seconds of one call with all its attempts; default 120
---@field attempt_timeout? number    seconds of one request; default 30
---@field max_depth? integer         of documents; default 128
---@field max_nodes? integer         values in one document; default 10,000,000
---@field allow_plain_http? boolean  http beyond this machine
---@field dialect? table             what differs from `cxone.dialect`, the local check too

---Connects to a tenant; sends nothing before the first call. Under `--sim` the
---simulator answers, whatever the options say. Raises "config" naming all that
---is missing. In a confined run the host's secrets go to the tenant that the host
---knows; with other addresses "denied", unless `env` grants each by its name.
---@param options? cxone.connect_options
---@return cxone.tenant
function cxone.connect(options) end

---@class (exact) cxone.tenant
---@field name string
---@field base_url string
---@field simulated boolean?  true under `--sim`
---@field context string?     the context that the tenant's settings come from
---@field dialect table
---@field schema weir.filter.schema  what its definitions are checked by
---@field auth weir.auth.Auth
---@field client weir.client.Client
---@field filters cxone.filters
---@field groups cxone.groups
---@field audit cxone.audit

---What defines a filter.
---@class cxone.definition
---@field name string
---@field description? string
---@field channel "voice"|"chat"|"email"|"sms"|"web"
---@field matchers? {attribute: string, operator: string, value: any}[]
---@field pattern_rules? {type: "regex"|"cidr"|"prefix", field: string, pattern: string}[]
---@field target_group_id string

---A filter as the server has it: its definition and what the server owns.
---@class cxone.record: cxone.definition
---@field id string
---@field etag string?
---@field status string?  "DRAFT", "PENDING_ACTIVATION", "ACTIVE", "FAILED", "REJECTED"

---The road of a filter: checked, created, activated, changed, measured.
---
---```lua
---local record = tenant.filters:create {
---  name = "gold_chat", channel = "chat", target_group_id = "grp_chat",
---}
---tenant.filters:wait_active(record, { timeout = 30 })
---for filter in tenant.filters:list() do print(filter.id, filter.name, filter.status) end
---print(tenant.filters:export(record))
---print(tenant.filters:metrics(record, { window = 600 }).hit_count)
---tenant.filters:delete(tenant.filters:get(record.id))
---```
---@class cxone.filters
local filters = {}

---Checks a definition without any network. Raises "validation" with every
---problem in `err.errors`.
---@param definition cxone.definition|weir.filter.filter
---@return true
function filters:check(definition) end

---Checks here, then asks the server. Raises "validation"; the server's problems
---carry the script's lines where they can be known.
---@param definition cxone.definition|weir.filter.filter
---@return true
function filters:validate(definition) end

---Creates the filter. Sent again only after a 429 or a 503, by which the server
---says that it was not done; when the answer is lost the err's code is
---"ambiguous".
---@param definition cxone.definition|weir.filter.filter
---@return cxone.record
function filters:create(definition) end

---@param what string|cxone.record  id or record
---@return cxone.record
function filters:get(what) end

---Changes the filter. `what` is the record last seen (the base of the merge), or
---an id. Raises "conflict" with `err.conflicts` for a field that both changed.
---
---```lua
---local record = tenant.filters:create {
---  name = "gold_chat", channel = "chat", target_group_id = "grp_chat",
---}
---local new, info = tenant.filters:update(record, { description = "for gold customers" })
---print(info.attempts, #info.merged)
---```
---@param what string|cxone.record
---@param change table|fun(record: cxone.record): cxone.record?
---@param opts? {on_conflict?: weir.etag.on_conflict, attempts?: integer}
---@return cxone.record
---@return weir.etag.update_info
function filters:update(what, change, opts) end

---Deletes the filter, if it still is what the record says; given an id, its state
---is read first. Raises "conflict" when somebody changed it since.
---@param what string|cxone.record
function filters:delete(what) end

---@param what string|cxone.record
---@return string status
---@return string? reason
function filters:status(what) end

---@class cxone.wait_options
---@field interval? number  seconds between two looks; default 3
---@field timeout? number   seconds; default 60
---@field on_look? fun(word: string, info: table)

---Waits until the filter is active. Raises "failed" with the server's reason, or
---"timeout" with the last status; both carry `err.id`.
---@param what string|cxone.record
---@param opts? cxone.wait_options
---@return table answer  the last look
function filters:wait_active(what, opts) end

---@class cxone.deploy_options: cxone.wait_options
---@field on_failure? "delete"  removes the filter again when it does not become active
---@field resume? weir.err.Err|true  goes on where a deploy ended in this err; true: an earlier run

---Checks, validates, creates, and waits until it is active.
---
---The filter is created at most once. If the answer to the create is lost, it is
---looked for by its name (10 s, `dialect.lost`): one with the same definition is
---adopted, with a warning in the log. Otherwise, and where several have the
---name, the err is "ambiguous", with `err.name`, `err.ids` and `err.because`.
---That none has turned up is no proof: it may still arrive.
---
---Every err of a deploy has `err.name`, and `err.id` once that is known.
---
---`resume` goes on from any of them. Where that left open whether
---the filter was created, it is looked for again, and created again only if all
---filters could be listed and none has the name; should the first arrive after
---all, the second is deleted again and the first adopted.
---
---```lua
---local definition = { name = "gold_chat", channel = "chat", target_group_id = "grp_chat" }
---local ok, r = pcall(tenant.filters.deploy, tenant.filters, definition)
---if not ok then
---  weir.task.sleep(60)
---  r = tenant.filters:deploy(definition, { resume = r })
---end
---```
---@param definition cxone.definition|weir.filter.filter
---@param opts? cxone.deploy_options
---@return cxone.record
function filters:deploy(definition, opts) end

---The filter's state as YAML: the same bytes for the same definition, numbers as
---the server wrote them. `volatile = true` adds what the server changes itself.
---@param what string|cxone.record
---@param opts? {volatile?: boolean}
---@return string
function filters:export(what, opts) end

---@class cxone.metrics
---@field hit_count number
---@field throughput_rate number  hits a second
---@field match_ratio number      0 to 1
---@field series table[]?         the same by interval, with `time`

---@param what string|cxone.record
---@param opts? {window?: number, interval?: string}  seconds (3600); ISO 8601 duration ("PT5M")
---@return cxone.metrics
function filters:metrics(what, opts) end

---Iterates over all filters, page by page.
---@param opts? {page_size?: integer, max_pages?: integer, max_items?: integer}
---@return fun(): cxone.record?
function filters:list(opts) end

---Which filters feed which group.
---
---```lua
---local record = tenant.filters:create {
---  name = "gold_chat", channel = "chat", target_group_id = "grp_chat",
---}
---tenant.groups:assign("grp_chat", { record })
---for id in tenant.groups:members("grp_chat") do print(id) end
---```
---@class cxone.groups
local groups = {}

---Adds filters to the group.
---@param gid string
---@param what string|cxone.record|(string|cxone.record)[]
function groups:assign(gid, what) end

---Iterates over the ids of the group's filters.
---@param gid string
---@param opts? {page_size?: integer, max_pages?: integer, max_items?: integer}
---@return fun(): string?
function groups:members(gid, opts) end

---Who did what, newest first.
---
---```lua
---for entry in tenant.audit:entries { page_size = 50 } do
---  print(entry.time, entry.actor, entry.action, entry.filter_id)
---end
---```
---@class cxone.audit
local audit = {}

---Iterates over audit entries, of one filter or of all.
---@param opts? {filter_id?: string, page_size?: integer, max_pages?: integer, max_items?: integer}
---@return fun(): table?
function audit:entries(opts) end

return cxone
