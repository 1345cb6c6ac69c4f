--- The token endpoint (RFC 6749) and the check of each call's bearer token.

local answer = require "sim.answer"
local dialect = require "cxone.dialect"
local random = require "sim.random"
local target = require "sim.target"

local tokens = {}
tokens.__index = tokens

---@param sim table
function tokens.new(sim)
  return setmetatable({
    sim = sim,
    list = {},
    issued = 0,
    swept = sim.clock:now(),
  }, tokens)
end

-- A token's text comes from the seed and its number, so that no file has to
-- hold one.
local function text_of(self, number)
  return "sim-" .. random.stream(self.sim.seed, "token " .. number).hex(40)
end

-- What the log calls it.
local function id_of(number)
  return ("tok_%d"):format(number)
end

local function forget(self, text)
  local token = self.list[text]
  if token then
    self.list[text] = nil
    self.sim.state:drop("token", token.number)
  end
end

---Takes over what was in the file.
---@param items table<integer, table>
---@param issued integer
function tokens:restore(items, issued)
  self.issued = issued
  for number, token in pairs(items) do
    self.list[text_of(self, number)] = token
  end
end

local function refuse(status, code, description)
  return answer.json(status, { error = code, error_description = description },
    status == 401 and { ["WWW-Authenticate"] = 'Basic realm="token"' } or nil)
end

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function decode_base64(text)
  local bits, n, out = 0, 0, {}
  for c in text:gsub("=*$", ""):gmatch(".") do
    local value = alphabet:find(c, 1, true)
    if not value then
      return nil
    end
    bits, n = (bits << 6 | value - 1) & 0xFFFFFF, n + 6
    if n >= 8 then
      n = n - 8
      out[#out + 1] = string.char(bits >> n & 0xFF)
    end
  end
  return table.concat(out)
end

-- The client's id and secret: by HTTP Basic (each part form-encoded, RFC 6749
-- section 2.3.1) or in the form, but not both.
local function credentials(header, form)
  if not header then
    return form.client_id, form.client_secret
  end
  local encoded = header:match("^[Bb][Aa][Ss][Ii][Cc] +(%S+)$")
  local id, secret = (encoded and decode_base64(encoded) or ""):match("^([^:]*):(.*)$")
  if not id or form.client_secret then
    return nil
  end
  return target.decode((id:gsub("+", " "))), target.decode((secret:gsub("+", " ")))
end

local function is_bad(self, secret)
  for _, bad in ipairs(self.sim.config.bad_secrets) do
    if bad == secret then
      return true
    end
  end
  return false
end

local grants = {}

function grants.client_credentials(_, form)
  if (form.tenant or "") == "" then
    return refuse(400, "invalid_request", "tenant is missing")
  end
end

-- The access key stands as user name and password; the client proves itself
-- by HTTP Basic, as CXone documents it.
function grants.password(self, form, header)
  if not header then
    return refuse(401, "invalid_client", "expected HTTP Basic client authentication")
  elseif (form.username or "") == "" or (form.password or "") == "" then
    return refuse(400, "invalid_request", "username or password is missing")
  elseif is_bad(self, form.password) then
    return refuse(400, "invalid_grant", "the access key was refused")
  end
end

local function read_form(request)
  local kind = (request.headers["content-type"] or ""):lower()
  if not kind:find("^application/x%-www%-form%-urlencoded") then
    return nil, "expected application/x-www-form-urlencoded"
  end
  return target.form(request.body)
end

-- Forgets tokens long dead, so that a client with short lives can run for
-- days.
local function sweep(self, now)
  if now - self.swept < 60 then
    return
  end
  for text, token in pairs(self.list) do
    if token.expires < now - 60 then
      forget(self, text)
    end
  end
  self.swept = now
end

local function issue(self, context, client, scope)
  local life = self.sim.config.token_life
  local number = self.issued + 1
  self.issued = number
  local text = text_of(self, number)
  local token = {
    number = number, client = client, scopes = {}, expires = context.now + life,
  }
  for word in scope:gmatch("%S+") do
    token.scopes[word] = true
  end
  self.list[text] = token
  self.sim.state:put("token", number, token)
  context.token = id_of(number)
  self.sim:count("tokens")
  local value = { access_token = text, token_type = "Bearer", scope = scope }
  local how = self.sim.config.expires_in
  if how ~= "absent" then
    local whole = math.tointeger(life) or math.tointeger(life // 1)
    value.expires_in = how == "string" and tostring(whole)
      or (whole == life and whole or life)
  end
  return answer.json(200, value, { Pragma = "no-cache" })
end

---The call "token".
function tokens:grant(context)
  local request = context.request
  local header = request.headers.authorization
  local form, message = read_form(request)
  if not form then
    return refuse(400, "invalid_request", message)
  end
  local grant = grants[form.grant_type or ""]
  if not grant then
    return refuse(400, "unsupported_grant_type",
      "expected client_credentials or password")
  end
  local id, secret = credentials(header, form)
  if (id or "") == "" or (secret or "") == "" or is_bad(self, secret) then
    return refuse(401, "invalid_client", "the client id or its secret is not right")
  end
  context.client = id
  sweep(self, context.now)
  return grant(self, form, header)
    or issue(self, context, id, form.scope or dialect.scope)
end

local function unauthorized(message, code)
  local a = answer.problem(401, message)
  a.headers["WWW-Authenticate"] = code and ('Bearer error="%s"'):format(code)
    or "Bearer"
  return a
end

local function bearer(context)
  return (context.request.headers.authorization or "")
    :match("^[Bb][Ee][Aa][Rr][Ee][Rr] +(%S+)$")
end

---Checks the token of a call; nil when it may go on.
---@return sim.Answer?
function tokens:check(context)
  local text = bearer(context)
  if not text then
    return unauthorized("a bearer token is missing")
  end
  local token = self.list[text]
  if not token then
    return unauthorized("the token is unknown", "invalid_token")
  elseif token.expires <= context.now then
    return unauthorized("the token has expired", "invalid_token")
  end
  context.client, context.token = token.client, id_of(token.number)
  local scope = context.call.scope
  if not token.scopes[scope] then
    local a = answer.problem(403, ("the token lacks the scope '%s'"):format(scope))
    a.headers["WWW-Authenticate"] = ('Bearer error="insufficient_scope", scope="%s"')
      :format(scope)
    return a
  end
end

---The fault "expired": the token of this request is worth nothing any more.
---@return sim.Answer
function tokens:revoke(context)
  forget(self, bearer(context))
  return unauthorized("the token has expired", "invalid_token")
end

return tokens
