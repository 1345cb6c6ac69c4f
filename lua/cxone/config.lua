--- Where a connection's settings come from: the script's options first, then
-- the environment, then the dialect. Under `--sim` the addresses are the
-- simulator's, so that nothing can reach a tenant.

local dialect = require "cxone.dialect"
local core = require "weir.core"
local err = require "weir.err"
local options = require "weir.options"
local require_env = require "weir.core.needs".env
local text = require "weir.text"
local weir = require "weir"

local config = {}

-- The variables that are read without asking what the script may see. A copy,
-- since a script reaches the dialect through what it is connected to.
local variables = {}
for key, name in pairs(dialect.environment) do variables[key] = name end

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

--- What the host knows under a variable's name, from the environment or from a
-- context, and where from. A secret that is only looked at is not fetched.
local function known_to_host(name, look)
  local value, origin = core.setting(name)
  if value ~= nil or not origin or look then return value or origin and "", origin end
  local fetched, e = core.secret(name)
  if e then error(e, 0) end
  return fetched, origin
end

--- The path part of a URL: the simulator serves the token endpoint there.
local function path_of(url)
  return (string.match(url, "^%a[%w+.-]*://[^/]*(/[^?#]*)")) or "/"
end

local function use_simulator(settings, sources)
  settings.simulated = true
  settings.base_url = weir.sim_url
  settings.token_url = weir.sim_url .. path_of(settings.dialect.token_url)
  sources.base_url, sources.token_url = "simulator", "simulator"
  for key, value in pairs { tenant = "simulator", client_id = "sim-client",
    client_secret = "sim-client-secret" } do
    if settings[key] == nil then settings[key], sources[key] = value, "simulator" end
  end
end

local function list(names)
  if #names == 1 then return names[1] .. " is" end
  return table.concat(names, ", ", 1, #names - 1) .. " and " .. names[#names]
    .. " are"
end

--- The variables that are missing.
local function missing_of(settings)
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
    if not settings[key] then missing[#missing + 1] = variables[key] end
  end
  return missing
end

--- Raises one error that names everything that is missing.
local function require_complete(missing)
  if #missing == 0 then return end
  error(err.new {
    code = "config",
    message = "no tenant to connect to: " .. list(missing) .. " not set",
    hint = "set what is missing, keep the tenant under a name (weir context add), or try the "
      .. "script without an account: weir run --sim " .. (arg and arg[0] or "SCRIPT"),
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
        message = string.format("%s (%s): %s", key, variables[key], e.message),
        hint = e.hint,
      }, 0)
    end
  end
end

--- What a connection would be made of, complete or not: the settings; where
-- each came from ("option", the name of a variable, "context prod", "simulator",
-- "dialect"); and the variables that are missing, without which there are no
-- addresses. With `look` secrets are not fetched: "" stands for one that is there.
function config.survey(given, look)
  given = options.check("cxone.connect", given, known)
  local settings, sources = { dialect = overlay(dialect, given.dialect) }, {}
  for key in pairs(known) do
    if key ~= "dialect" then
      local name = variables[key]
      settings[key] = given[key]
      if settings[key] ~= nil then
        sources[key] = "option"
      elseif name then
        settings[key], sources[key] = known_to_host(name, look)
      end
    end
  end
  if weir.sim_url then use_simulator(settings, sources) end
  local missing = missing_of(settings)
  if #missing > 0 then return settings, sources, missing end

  local d = settings.dialect
  local from_dialect = {
    base_url = string.gsub(d.base_url, "{tenant}", (string.gsub(settings.tenant, "%%", "%%%%"))),
    token_url = d.token_url,
    scope = d.scope,
  }
  for key, value in pairs(from_dialect) do
    if not settings[key] then settings[key], sources[key] = value, "dialect" end
  end
  return settings, sources, missing
end

-- Where the configuration leads, once the host has asked (of a confined run).
local pinned

--- The addresses of the tenant that the configuration names, or nil. From now
-- on its secrets are for these; whoever connects to others needs to be granted
-- each by its name.
function config.pin()
  local settings = config.survey({ token = "whatever" }, true)
  pinned = { base_url = settings.base_url, token_url = settings.token_url }
  return pinned.base_url, pinned.token_url
end

local function require_granted(settings, sources)
  if not pinned or settings.base_url == pinned.base_url
    and settings.token_url == pinned.token_url then
    return
  end
  for _, key in ipairs { "client_secret", "access_key_secret" } do
    -- From a variable or from a context, but not the script's own.
    if sources[key] and sources[key] ~= "option" and sources[key] ~= "simulator" then
      require_env(variables[key])
    end
  end
end

local origins = { option = "the script", simulator = "the simulator" }

--- Where the tenant came from, in words; second, the context.
local function origin_of(sources)
  local source = sources.tenant
  local context = string.match(source, "^context (.*)")
  return origins[source] or context and source or "the environment", context
end

--- What a connection is made of; raises what is wrong with it. Second, where
-- its tenant came from, in words; third, the context, if it was one.
function config.resolve(given)
  local settings, sources, missing = config.survey(given)
  require_complete(missing)
  require_usable(settings)
  require_granted(settings, sources)
  settings.limit = overlay(settings.dialect.limit, settings.limit)
  settings.retry = overlay(settings.dialect.retry, settings.retry)
  return settings, origin_of(sources)
end

return config
