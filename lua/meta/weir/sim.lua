---@meta weir.sim

---The knobs of the simulator, for scripts that run with `--sim`: tests and
---demonstrations say here what shall go wrong. Without a simulator every
---function raises. What the simulator refuses is raised as an err with code
---"invalid" and the nearest right word.
---
---```lua
---local sim = require "weir.sim"
---sim.config { activation = { looks = 0 } }
---sim.fault { kind = "concurrent_edit", field = "description", value = "theirs" }
---sim.events { { channel = "voice" }, { channel = "chat" } }
---```
---@class weir.sim
---@field url string? origin of the simulator; nil when there is none
local sim = {}

---@alias weir.sim.kind
---| "rate"            # 429 with Retry-After: retry_after, date
---| "status"          # any error: status, message, retry_after, date
---| "invalid"         # 400 with a list of errors: path, message
---| "slow"            # the answer comes `seconds` later
---| "drop"            # connection closed, nothing done
---| "lost"            # done, but the answer is lost: at
---| "expired"         # 401: the token is worth nothing any more
---| "concurrent_edit" # somebody else edits just before an update: field, value, actor
---| "invalid_json"    # an answer that is no JSON: body
---| "truncate"        # an answer cut short in the middle
---| "endless_cursor"  # a listing whose next page is the same page
---| "redirect"        # to `location`, with `status`

---@class weir.sim.fault
---@field kind weir.sim.kind
---@field call? string         "create", "token", …, "any"; default: all but "token"
---@field method? string
---@field target? string       text that the path contains
---@field count? integer       how many times; default 1
---@field probability? number  chance of each request; then without end, unless counted
---@field after? integer       lets so many requests pass first
---@field retry_after? number  seconds
---@field date? boolean        Retry-After as a date
---@field status? integer
---@field message? string
---@field path? string         JSON pointer
---@field seconds? number
---@field at? "before"|"after_headers"|"mid_body"
---@field field? string        default "description"
---@field value? any
---@field actor? string        default "somebody.else"
---@field body? string
---@field location? string

---@class weir.sim.seen
---@field number integer
---@field method string
---@field path string
---@field status integer
---@field call? string        "create", "update", …
---@field client? string      the client id
---@field faults? string[]    kinds that fired
---@field request_id string

---Adds a fault or a list of them, all or none: tables, or texts as
---`weir sim --fault` takes them.
---@param fault weir.sim.fault|string|(weir.sim.fault|string)[]
---@return weir.sim.fault[] # as the simulator keeps them, with `fired`
function sim.fault(fault) end

---The faults that there are.
---@return weir.sim.fault[]
function sim.faults() end

---Takes all faults away.
function sim.clear_faults() end

---Posts events, for the metrics to count.
---@param events table one event, or a list of them
---@param seconds_ago? number when they happened; default: now
---@return {accepted: integer, bad: integer}
function sim.events(events, seconds_ago) end

---The last thousand requests, oldest first, without bodies and secrets.
---@return weir.sim.seen[]
function sim.log() end

---Changes settings, all or none of those given.
---
---```lua
---sim.config { conflict = 412, activation = { fail = "REJECTED", reason = "full" } }
---```
---@param settings? table nil: changes nothing
---@return table # all settings
function sim.config(settings) end

---Moves the simulator's clock, by which everything there goes but the
---lateness of answers; without an argument only reads it. Activations whose
---time has come by it are over.
---
---```lua
---sim.clock { mode = "manual", set = "2025-01-01T00:00:00Z" }
---sim.clock { advance = 90 }
---```
---@param change? {mode: "real"|"manual"?, set: string|number?, advance: string|number?} an instant; seconds or "PT90S"
---@return {mode: "real"|"manual", now: string, seconds: number}
function sim.clock(change) end

---What was done at the simulator, whatever became of its answers: `creates`,
---`updates`, `deletes`, `tokens`, `assignments`, `members_added`,
---`members_removed`, `activations`, `activations_failed`, `conflicts`,
---`weak_etags`, `events`, `bad_events`; `requests` and `requests_CALL`;
---`faults` and `faults_KIND`.
---@return table<string, integer>
function sim.state() end

---Everything as it was when the simulator started, the state file too; tokens
---are forgotten.
function sim.reset() end

return sim
