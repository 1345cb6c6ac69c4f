--- cxone: the client that scripts use. `cxone.connect()` gives a tenant whose
-- filters, groups and audit log are there as methods; whatever the world does
-- wrong is raised as an `err`, so a script without a single `if` stops at the
-- first failure.

local auth = require "weir.auth"
local client = require "weir.client"
local config = require "cxone.config"
local tell_host = require "weir.core".tenant

local cxone = {}

-- What a tenant has, made when a script first asks for it: one that reads the
-- audit log does not pay for loading all that filters need.
local make = {
  filters = function(tenant) return require "cxone.filters".new(tenant) end,
  groups = function(tenant) return require "cxone.groups".new(tenant) end,
  audit = function(tenant) return require "cxone.audit".new(tenant) end,
  schema = function(tenant) return require "weir.filter".schema(tenant.dialect.filter) end,
}

local Tenant = { __name = "cxone.tenant" }

function Tenant:__index(key)
  if not make[key] then return nil end
  local made = make[key](self)
  rawset(self, key, made)
  return made
end

function Tenant:__tostring()
  return string.format("tenant %s at %s", self.name, self.base_url)
end

local function copy(to, from, names)
  for _, name in ipairs(names) do to[name] = from[name] end
  return to
end

local function make_auth(settings)
  if settings.auth then return settings.auth end
  if settings.token then return auth.bearer(settings.token) end
  local options = {
    token_url = settings.token_url,
    client_id = settings.client_id,
    client_secret = settings.client_secret,
    scope = settings.scope,
    fields = { tenant = settings.tenant },
    allow_plain_http = settings.allow_plain_http,
  }
  copy(options, settings, config.of_exchange)
  if settings.access_key_id then
    options.access_key_id = settings.access_key_id
    options.access_key_secret = settings.access_key_secret
    return auth.access_key(options)
  end
  return auth.client_credentials(options)
end

--- Connects to a tenant. What `options` leaves out comes from the environment
-- (`CXONE_TENANT`, `CXONE_CLIENT_ID`, `CXONE_CLIENT_SECRET`, …); under `--sim`
-- the embedded simulator answers, whatever the options say. Nothing is sent
-- before the first call.
function cxone.connect(options)
  local settings, origin, context = config.resolve(options)
  tell_host(settings.tenant, settings.base_url, origin)
  local tenant = setmetatable({
    name = settings.tenant,
    base_url = settings.base_url,
    simulated = settings.simulated,
    context = context,
    dialect = settings.dialect,
    auth = make_auth(settings),
  }, Tenant)
  local ceilings = copy(copy({}, settings, config.of_exchange), settings, config.of_client)
  tenant.client = client.new(copy(ceilings, {
    base_url = settings.base_url,
    auth = tenant.auth,
    retry = settings.retry,
    limit = settings.limit,
    timeout = settings.timeout,
    allow_plain_http = settings.allow_plain_http,
  }, { "base_url", "auth", "retry", "limit", "timeout", "allow_plain_http" }))
  -- A dialect of the script's own is judged here, where it was given.
  if options and options.dialect then tenant.schema = make.schema(tenant) end
  return tenant
end

return cxone
