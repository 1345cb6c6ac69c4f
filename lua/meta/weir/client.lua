---@meta weir.client

---Calls to one server: base URL, tokens, retries and a rate limit. An error
---status is an `err` here (`weir.http` returns it as a response).
---
---```lua
---local client = require "weir.client"
---local c = client.new { base_url = tenant.base_url, auth = tenant.auth }
---local response, err = c:get(tenant.dialect.paths.filters, { query = { page_size = 10 } })
---if not response then error(err, 0) end
---for _, filter in ipairs(response:json().filters) do print(filter.name) end
---```
---@class weir.client
local client = {}

---@class weir.client.retry
---@field attempts? integer requests in all; default 4
---@field base? number seconds, the first ceiling of the backoff; default 0.5
---@field cap? number seconds, the longest single wait; default 20

---@class weir.client.limit
---@field rate? number requests a second; default 100
---@field burst? number requests at once after a rest; default: the rate

---What a client may be given; the limits are those of each attempt.
---@class weir.client.options: weir.http.limits
---@field base_url string origin, with a path before every call's own if wanted
---@field auth? weir.auth.Auth a token goes with every request; default: none
---@field retry? weir.client.retry
---@field limit? weir.client.limit|false false: no limit
---@field timeout? number seconds for a whole call with its waits; default 120
---@field attempt_timeout? number seconds for one request; default 30
---@field max_depth? integer of documents that listings, updates and polls read; default 128
---@field max_nodes? integer values in one of them; default 10,000,000
---@field allow_plain_http? boolean lets the token go out unencrypted

---@class weir.client.call
---@field query? table<string, any>|string
---@field headers? table<string, string> but `If-Match`, and `Authorization` beside an `auth`
---@field json? any the body, encoded
---@field body? string the body, as it is
---@field form? table<string, any> the body, form-encoded
---@field if_match? string a strong ETag; lets PUT and DELETE be repeated
---@field safe? boolean the call changes nothing although its method says so: it may be
---repeated. (A run that may change nothing takes only the dialect's word for that.)
---@field idempotent? boolean done twice it is as done once: it may be repeated, too
---@field discard? boolean the answer does not matter: the result is `true`
---@field timeout? number seconds, in place of the client's
---@field max_bytes? integer in place of the client's

---@class weir.client.stats
---@field requests integer sent, those that were repeated among them
---@field retries integer
---@field rate_limited integer answers 429

---A client. `tostring` shows its base URL.
---@class weir.client.Client
local Client = {}

---A wrong option raises. Nothing is sent.
---@param options weir.client.options
---@return weir.client.Client
function client.new(options) end

---Does a call. `path` begins with '/', its ids percent-encoded; '.' and '..'
---as segments, '?' and '#' are refused.
---
---429 and 503 are waited out as the server asks, for any call; a 429 holds
---every call of the client. 500, 502, 504 and broken connections are tried
---again for GET, HEAD, `safe` and `idempotent` calls, and PUT and DELETE with
---`if_match`. A 401 takes one new token. When most calls fail, none is tried
---again.
---
---`err.code`: `"auth"` 401, `"permission"` 403, `"not_found"` 404 410,
---`"conflict"` 409 412 428, `"validation"` 400 422 (`err.detail`: the server's
---`errors`), `"rate"` 429, `"server"` 5xx, `"status"` other; `"ambiguous"`:
---the call may or may not have been done, so look before sending it again
---(`err.because`: the code of what was met instead of an answer); `"timeout"`,
---`"transport"`, `"limit"`, `"protocol"`. Whatever the code, `err.maybe_done`
---is true if the call may have been done, by its last attempt or one before.
---@param method string
---@param path string
---@param options? weir.client.call
---@return weir.http.response? response status 2xx
---@return weir.err.Err? err
function Client:request(method, path, options) end

---@param path string
---@param options? weir.client.call
---@return weir.http.response? response
---@return weir.err.Err? err
function Client:get(path, options) end

---@param path string
---@param options? weir.client.call
---@return weir.http.response? response
---@return weir.err.Err? err
function Client:head(path, options) end

---@param path string
---@param options? weir.client.call
---@return weir.http.response? response
---@return weir.err.Err? err
function Client:post(path, options) end

---@param path string
---@param options? weir.client.call
---@return weir.http.response? response
---@return weir.err.Err? err
function Client:put(path, options) end

---@param path string
---@param options? weir.client.call
---@return weir.http.response? response
---@return weir.err.Err? err
function Client:delete(path, options) end

---What this client has sent so far.
---@return weir.client.stats
function Client:stats() end

return client
