---@meta weir.http

---One HTTP request and its response; nothing is repeated, no redirect leaves
---the origin, no environment is read.
---
---```lua
---local http = require "weir.http"
---local response = assert(http.get(weir.sim_url .. "/_sim", {
---  headers = { Accept = "application/json" }, timeout = 5,
---}))
---if response.status == 200 then
---  print(assert(response:json()).counters.requests, response.elapsed)
---end
---```
---@class weir.http
local http = {}

---A name's value; an array repeats the name.
---@alias weir.http.values string|number|boolean|(string|number|boolean)[]

---The ceilings of an exchange, under the same names wherever they can be set.
---Each has an error of its own, that says its name and value and how to raise it.
---@class weir.http.limits
---@field connect_timeout? number     seconds for name, TCP and TLS; default 10
---@field first_byte_timeout? number  seconds until the answer begins; default 30
---@field stall_timeout? number       seconds without a byte while receiving; default 20
---@field min_speed? integer          bytes a second, over each `stall_timeout`; default 1; 0: none
---@field max_bytes? integer          of the body, decompressed; default 16 MiB
---@field max_header_bytes? integer   default 64 KiB
---@field max_headers? integer        lines; default 200
---@field max_redirects? integer      GET and HEAD within one origin; default 3; 0: none

---What every call takes. Only one of `body`, `json` and `form` may be there.
---@class weir.http.options: weir.http.limits
---@field query? table<string, weir.http.values>|string  sorted; a string: as it is
---@field headers? table<string, weir.http.values>
---@field body? string  bytes as they are
---@field json? any     encoded; Content-Type application/json
---@field form? table<string, weir.http.values>  sent as a form
---@field timeout? number             seconds for all of it; default 30
---@field once? boolean               at most once: sent on a connection of its own
---@field allow_plain_http? boolean   http:// beyond this machine, in clear

---@class weir.http.request: weir.http.options
---@field url string      absolute: https://, or http:// to loopback
---@field method? string  default GET, with a body POST

---@class weir.http.response
---@field status integer
---@field headers table<string, string>  any case; repeated: joined by ", "
---@field body string     decompressed
---@field url string      where the answer came from, after redirects
---@field elapsed number  seconds
---@field maybe_twice? boolean of a client's call that must be sent once: it was answered 503 before
local response = {}

---The body read as JSON; the options are those of `json.decode`.
---@param options? weir.json.decode_options
---@return any value  `nil` when the body is no JSON
---@return weir.err.Err? err  code `"syntax"` or `"limit"`
function response:json(options) end

---Sends a request and waits for its response; any status is a response. A
---wrong argument, header or URL raises.
---@param request weir.http.request
---@return weir.http.response? response
---@return weir.err.Err? err  code `"transport"`, `"timeout"`, `"limit"` or `"protocol"`
function http.request(request) end

---@param url string
---@param options? weir.http.options
---@return weir.http.response? response
---@return weir.err.Err? err  as of `http.request`
function http.get(url, options) end

---@param url string
---@param options? weir.http.options
---@return weir.http.response? response
---@return weir.err.Err? err  as of `http.request`
function http.head(url, options) end

---@param url string
---@param options? weir.http.options
---@return weir.http.response? response
---@return weir.err.Err? err  as of `http.request`
function http.post(url, options) end

---@param url string
---@param options? weir.http.options
---@return weir.http.response? response
---@return weir.err.Err? err  as of `http.request`
function http.put(url, options) end

---@param url string
---@param options? weir.http.options
---@return weir.http.response? response
---@return weir.err.Err? err  as of `http.request`
function http.delete(url, options) end

return http
