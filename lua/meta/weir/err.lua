---@meta weir.err

---What the world did wrong, as a value: every failed call of `weir` returns it
---as its second result, and `cxone` raises it. It prints as one readable line.
---
---```lua
---local err = require "weir.err"
---local ok, e = pcall(tenant.filters.get, tenant.filters, "flt_nowhere")
---if not ok and err.is(e, "not_found") then print("no such filter:", e) end
---```
---@class weir.err
local err = {}

---@alias weir.err.Code
---| "invalid"    # an argument the caller must correct
---| "memory"     # an allocation failed
---| "limit"      # a ceiling was reached; the message names it
---| "syntax"     # text is not valid JSON, YAML or regex
---| "config"     # a setting is missing or unusable (exit code 5)
---| "auth"       # credentials or token refused: 401 (5)
---| "permission" # not allowed: 403 (5)
---| "not_found"  # 404 or 410
---| "conflict"   # 409, 412, 428, or a merge conflict (3)
---| "validation" # 400 or 422, or a failed check (4)
---| "rate"       # still 429 after every attempt allowed (6)
---| "server"     # 5xx
---| "status"     # any other status that is not a success
---| "timeout"    # a deadline passed (6)
---| "transport"  # name, connection or TLS failed
---| "protocol"   # an answer the contract does not allow
---| "ambiguous"  # the call may or may not have been done
---| "cancelled"  # the task was asked to end
---| "failed"     # what was waited for has failed for good
---| "io"         # a file could not be read or written
---| "usage"      # the words of a command line are wrong (64)
---| "locked"     # another process has it; the message says which (7)
---| "denied"     # a permission that the run does not have; `hint` says how it is declared (5)

---@class weir.err.Err
---@field code weir.err.Code|string
---@field message string     one sentence
---@field hint? string       what to do about it
---@field status? integer    HTTP status
---@field method? string
---@field url? string        without query and credentials
---@field request_id? string the server's own name for the request
---@field attempts? integer  requests sent for this call
---@field sent? boolean      true where something of the request went out
---@field maybe_done? boolean true where a call that changes something may have been done
---@field because? weir.err.Code of "ambiguous": what was met instead of an answer
---@field cause? any         the error behind this one
---@field detail? any        particulars, as decoded JSON
---@field exit_code? integer of a script that ends with it, even interrupted; 1 to 125

---Makes an err; raise it with `error(e)`. Secrets the log knows of are taken
---out of its texts. Raises for an unknown field, or without code and message.
---@param fields weir.err.Err
---@return weir.err.Err
function err.new(fields) end

---True if `value` is an err, and of that code if one is given.
---@param value any
---@param code? weir.err.Code|string
---@return boolean
function err.is(value, code) end

return err
