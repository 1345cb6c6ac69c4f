--- Where a connection's settings come from: the script's options first, then
-- the environment, then the dialect. Under `--sim` the addresses are the
-- simulator's, so that nothing can reach a tenant.

local dialect = require "cxone.dialect"
local err = require "weir.err"
local options = require "weir.options"
local secret = require "weir.secret"
local text = require "weir.text"
local weir = require "weir"

local config = {}

--- The ceilings that a connection hands on, under one name everywhere: to its
-- client, and those of an exchange to its auth as well.
config.of_exchange = {
  "attempt_timeout", "connect_timeout", "first_byte_timeout", "stall_timeout", "min_speed",
  "max_header_bytes", "max_headers",
}
config.of_client = { "max_bytes", "max_redirects", "max_depth", "max_nodes" }

local known = {
  tenant = "string", client_id = "string", client_secret = "secret",
  access_key_id = "string", access_key_secret = "secret", token = "secret",
  base_url = "string", token_url = "string", scope = "string",
  limit = "table", retry = "table", timeout = "number",
  allow_plain_http = "boolean", dialect = "table", auth = "any",
}

for _, names in ipairs { config.of_exchange, config.of_client } do
  for _, name in ipairs(names) do known[name] = "number" end
end

--- A copy of `over` on top of `base`, table by table: a tenant that differs
-- names only what differs.
local function overlay(base, over)
  local out = {}
  for k, v in pairs(base) do out[k] = v end
  for k, v in pairs(over or {}) do
    local is_map = type(v) == "table" and type(out[k]) == "table" and #v == 0
    out[k] = is_map and overlay(out[k], v) or v
  end
  return out
end

--- An empty variable counts as one that is not set, as in curl and git. The
-- secret ones are no longer in the environment; the host keeps them.
local function env(name)
  local value = os.getenv(name)
  if value ~= "" and value ~= nil then return value end
  return secret.find(name)
end

--- The path part of a URL: the simulator serves the token endpoint there.
local function path_of(url)
  return (string.match(url, "^%a[%w+.-]*://[^/]*(/[^?#]*)")) or "/"
end

local function use_simulator(settings)
  settings.simulated = true
  settings.base_url = weir.sim_url
  settings.token_url = weir.sim_url .. path_of(settings.dialect.token_url)
  settings.tenant = settings.tenant or "simulator"
  settings.client_id = settings.client_id or "sim-client"
  settings.client_secret = settings.client_secret or "sim-client-secret"
end

local function list(names)
  if #names == 1 then return names[1] .. " is" end
  return table.concat(names, ", ", 1, #names - 1) .. " and " .. names[#names]
    .. " are"
end

--- Raises one error that names everything that is missing.
local function require_complete(settings)
  local needed = { "tenant" }
  if not settings.auth and not settings.token then
    needed = { "tenant", "client_id", "client_secret" }
    if settings.access_key_id or settings.access_key_secret then
      needed[#needed + 1] = "access_key_id"
      needed[#needed + 1] = "access_key_secret"
    end
  end
  local missing = {}
  for _, key in ipairs(needed) do
    if not settings[key] then missing[#missing + 1] = dialect.environment[key] end
  end
  if #missing == 0 then return end
  error(err.new {
    code = "config",
    message = "no tenant to connect to: " .. list(missing) .. " not set",
    hint = "set what is missing, or try the script without an account: "
      .. "weir run --sim " .. (arg and arg[0] or "SCRIPT"),
  }, 0)
end

--- An address that would send the secret in clear, or is none, is a fault of
-- the configuration, whoever gave it.
local function require_usable(settings)
  for _, key in ipairs { "base_url", "token_url" } do
    local ok, e = true, nil
    if not settings.allow_plain_http then ok, e = text.url_check(settings[key]) end
    if not ok then
      error(err.new {
        code = "config",
        message = string.format("%s (%s): %s", key, dialect.environment[key], e.message),
        hint = e.hint,
      }, 0)
    end
  end
end

function config.resolve(given)
  given = options.check("cxone.connect", given, known)
  local settings = { dialect = overlay(dialect, given.dialect) }
  for key in pairs(known) do
    if key ~= "dialect" then
      local name = dialect.environment[key]
      settings[key] = given[key]
      if settings[key] == nil and name then settings[key] = env(name) end
    end
  end
  if weir.sim_url then use_simulator(settings) end
  require_complete(settings)

  local d = settings.dialect
  settings.base_url = settings.base_url
    or string.gsub(d.base_url, "{tenant}", (string.gsub(settings.tenant, "%%", "%%%%")))
  settings.token_url = settings.token_url or d.token_url
  settings.scope = settings.scope or d.scope
  require_usable(settings)
  settings.limit = overlay(d.limit, settings.limit)
  settings.retry = overlay(d.retry, settings.retry)
  return settings
end

return config
