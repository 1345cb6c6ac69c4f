---@meta weir.auth

---Where a bearer token comes from (RFC 6749). A token is kept, renewed 30 s
---before it ends (at half its life where that is under 60 s), and asked for
---once, however many tasks wait for it. Every secret and token is hidden in
---all that the program writes. A run that may change nothing takes tokens of its
---tenant alone, since a POST to anywhere else may be anything.
---
---```lua
---local auth, secret = require "weir.auth", require "weir.secret"
---local a = auth.client_credentials {
---  token_url = "https://login.example.com/token",
---  client_id = os.getenv "ID" or "my-id",
---  client_secret = secret.find "CXONE_CLIENT_SECRET" or "my-secret",
---  scope = "read write", fields = { tenant = "acme" },
---}
---local client = require "weir.client".new {
---  base_url = "https://api.example.com", auth = a,
---}
---```
---@class weir.auth
local auth = {}

---@class weir.auth.credentials: weir.http.limits
---@field token_url string https, or http to loopback
---@field client_id string
---@field client_secret string|weir.secret.Secret at least 4 bytes
---@field scope? string words parted by spaces; none is sent by default
---@field fields? table<string, string> further fields of the form, such as `tenant`
---@field attempt_timeout? number seconds for one token request; default 30
---@field allow_plain_http? boolean lets the secret go out unencrypted

---@class weir.auth.access_key: weir.auth.credentials
---@field access_key_id string sent as the user name
---@field access_key_secret string|weir.secret.Secret sent as the password; at least 4 bytes

---A source of tokens. `tostring` shows no secret.
---@class weir.auth.Auth
local Auth = {}

---The grant of RFC 6749 section 4.4; id and secret go in the form. Nothing is
---sent before the first token is needed. A wrong option raises.
---@param options weir.auth.credentials
---@return weir.auth.Auth
function auth.client_credentials(options) end

---The password grant of RFC 6749 section 4.3 with an access key; the client
---id and secret go as HTTP Basic.
---@param options weir.auth.access_key
---@return weir.auth.Auth
function auth.access_key(options) end

---A token that is given as it is, and cannot be renewed.
---@param token string|weir.secret.Secret 4 to 16,384 visible ASCII characters
---@return weir.auth.Auth
function auth.bearer(token) end

---A token that is valid now: at once from the cache, or after a wait. What
---passes (429, 5xx, a broken connection) is tried again; refused credentials
---are not.
---
---`err.code`: `"auth"` with the server's reason, `"rate"`, `"server"`,
---`"transport"`, `"timeout"`, `"protocol"` (an answer without a usable token).
---@return string? token
---@return weir.err.Err? err
function Auth:token() end

---Forgets the token, so that the next call takes a new one. No-op for
---`auth.bearer`.
function Auth:invalidate() end

---How long the token that is there now is good for, as the server has said.
---@return number? seconds `nil` where there is none yet, and for `auth.bearer`
function Auth:life() end

---The scope that the server granted with the token that is there now.
---@return string? words parted by spaces; `nil` where the answer named none
function Auth:scope() end

---Token requests sent so far.
---@return integer
function Auth:fetches() end

return auth
