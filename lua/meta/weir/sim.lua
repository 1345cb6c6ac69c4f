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
---| "rate"             # 429 with Retry-After
---| "status"           # any status (500), done=true after the work was done
---| "invalid"          # 400 with a list of errors
---| "expired"          # 401: the token is worth nothing any more
---| "redirect"         # a redirect (302): to=same path, to itself for ever, or elsewhere
---| "concurrent_edit"  # somebody else edits just before an update
---| "etag"             # the ETag in another form, or not there (absent)
---| "content_type"     # says to be something else (text/html)
---| "date"             # the Date of a server whose clock is off by so many seconds
---| "header_case"      # header names in lower case, or upper
---| "endless_cursor"   # a listing whose next page is the same page, for ever
---| "repeated_cursor"  # a listing that goes back to its first page
---| "empty_page"       # a page without items that is not the last
---| "slow"             # the answer comes late (1 s)
---| "stall"            # done, and then silence until the client gives up (3600 s)
---| "drip"             # the answer comes byte by byte (every 0.01 s)
---| "drop"             # connection closed, nothing done
---| "unread"           # connection closed before a large body is read
---| "reset"            # connection reset (RST), nothing done, or done=true
---| "lost"             # done, but the answer is lost
---| "truncate"         # the body is cut in half; Content-Length is too large
---| "idle_close"       # answered as usual; then the connection is closed, unannounced
---| "overlong"         # more body than Content-Length says: half of it, junk, a forged answer
---| "two_lengths"      # two Content-Lengths that differ
---| "bad_length"       # a Content-Length that is no number (-1)
---| "close_delimited"  # no length: the body ends with the connection; cut=true in its middle
---| "chunked"          # chunks of a few bytes (1), as they should be
---| "bad_chunk"        # chunks with a bad size, a bad end, or without the last one (end)
---| "early"            # 1xx answers before the answer (103, once)
---| "not_http"         # bytes that are no HTTP
---| "header_flood"     # a great many header lines (10000)
---| "huge_header"      # one header line of a great size (1000000 bytes)
---| "bad_header"       # a header line that is none
---| "invalid_json"     # an answer that is no JSON; or the body given
---| "odd_value"        # a member of the answer (id) with a value hard to read or of a wrong type
---| "duplicate_keys"   # a member of the answer (id) comes twice, with two values
---| "gzip"             # the answer in gzip, as it should be
---| "bad_gzip"         # says gzip; the crc is wrong, the data are, it is cut short, or plain
---| "gzip_bomb"        # a small answer in gzip that is 200 MB of JSON when unpacked

---Which requests it is for, how often it fires, and the keys of its kind;
---`weir sim --faults` shows which kind takes which.
---@class weir.sim.fault
---@field kind weir.sim.kind
---@field call? string         "create", "token", …, "any"; default: all but "token"
---@field method? string
---@field target? string       text that the path contains
---@field count? integer       how many times; default 1
---@field probability? number  chance of each request; then without end, unless counted
---@field p? number            short for probability
---@field every? integer       each n-th request
---@field after? integer       lets so many requests pass first
---@field done? boolean        the call is done before its answer is replaced
---@field at? "before"|"after_headers"|"mid_body" where an answer breaks off
---@field how? string          which of a kind's ways
---@field retry_after? number|string seconds, any text, or "none"
---@field date? boolean|"imf"|"rfc850"|"asctime" Retry-After as a date
---@field second? string       another Retry-After
---@field status? integer
---@field message? string
---@field path? string         JSON pointer
---@field seconds? number
---@field bytes? integer
---@field lines? integer
---@field times? integer
---@field field? string        of a concurrent edit; default "description"
---@field value? any           of a concurrent edit; what bad_length says; which odd value
---@field actor? string        default "somebody.else"
---@field member? string       of the answer; default "id"
---@field body? string
---@field location? string
---@field to? "elsewhere"|"same"|"loop"
---@field type? string         content type
---@field case? "lower"|"upper"
---@field cut? boolean

---@class weir.sim.seen
---@field number integer
---@field method string
---@field path string
---@field status integer
---@field call? string        "create", "update", …
---@field query? table<string, string> secrets redacted
---@field time string         by the simulator's clock
---@field delay? number       seconds that the answer was held back
---@field dropped? "before"|"after_headers"|"mid_body" where the answer broke off
---@field client? string      the client id
---@field token? string       which token was sent or issued: "tok_1"; never its value
---@field if_match? string
---@field user_agent? string
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
---weir.sim.config { conflict = 412, activation = { fail = "REJECTED", reason = "full" } }
---```
---@param settings? table nil: changes nothing
---@return table # all settings
function sim.config(settings) end

---@class weir.sim.clock
---@field mode? "real"|"manual"
---@field set? string|number     an instant: ISO 8601, or seconds since 1970
---@field advance? string|number seconds, or "PT90S"

---Moves the simulator's clock, by which everything there goes but the
---lateness of answers; without an argument only reads it. Activations whose
---time has come by it are over.
---
---```lua
---weir.sim.clock { mode = "manual", set = "2025-01-01T00:00:00Z" }
---weir.sim.clock { advance = 90 }
---```
---@param change? weir.sim.clock a switch first, then a place, then a move
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
