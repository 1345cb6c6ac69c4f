--- What of a tenant a run stands on: settings, connection, clock, token, scopes,
-- and one call that reads. Each step has the same deadline.

local client_of = require "cxone"
local clock = require "doctor.clock"
local config = require "cxone.config"
local err = require "weir.err"
local http = require "weir.http"
local task = require "weir.task"

local tenant_checks = {}

-- A clock that is further off is told of.
local MAX_SKEW = 60

-- Settings -----------------------------------------------------------------------

local from = {
  simulator = "the simulator's",
  dialect = "by default",
}

--- Who is at an address is nobody's business, nor is what else it carries.
local function address(url)
  return (url:gsub("^(%a[%w+.-]*://)[^/?#]*@", "%1"):gsub("[?#].*$", ""))
end

local secrets = { client_secret = true, access_key_secret = true }

local function check_setting(report, key, settings, sources, variable, missing)
  if settings[key] ~= nil then
    local shown = secrets[key] and "set" or address(settings[key])
    report:add(key, "ok", ("%s (%s)"):format(shown, from[sources[key]] or sources[key]))
  elseif missing[variable] then
    report:add(key, "fail", variable .. " is not set", nil, "config")
  end
end

--- The settings; nil if something is missing or cannot be used.
local function check_settings(report, facts)
  local surveyed, settings, sources, list = pcall(config.survey, nil, true)
  report:add("context", "ok", facts.context
    and ("%s (%s)"):format(facts.context, facts.chosen_by) or "none (" .. facts.chosen_by .. ")")
  if not surveyed then
    report:fail("configuration", settings)
    return nil
  end
  local missing = {}
  for _, name in ipairs(list) do missing[name] = true end
  for _, key in ipairs { "tenant", "client_id", "client_secret", "access_key_id",
    "access_key_secret", "base_url", "token_url" } do
    check_setting(report, key, settings, sources, settings.dialect.environment[key], missing)
  end
  if #list > 0 then
    report:add("configuration", "fail", "not complete: nothing was sent",
      ("set %s, or name a context (weir context); or try weir doctor --sim"):format(
        table.concat(list, ", ")), "config")
    return nil
  end
  local ok, resolved = pcall(config.resolve)
  if not ok then
    report:fail("configuration", resolved)
    return nil
  end
  return resolved
end

-- Steps --------------------------------------------------------------------------

--- fn() within the deadline: its results, or nil and the err.
local function step(seconds, fn)
  local results = table.pack(pcall(task.timeout, seconds, fn))
  if results[1] then return table.unpack(results, 2, results.n) end
  local e = results[2]
  if err.is(e) then return nil, e end
  return nil, err.new { code = "failed", message = tostring(e) }
end

--- Name, connection and TLS: any answer will do. Without a token, so that
-- nothing is shown to a wrong server.
local function check_connection(report, name, url, seconds)
  local response, e = step(seconds, function()
    return http.head(url, { timeout = seconds, connect_timeout = seconds, max_redirects = 0 })
  end)
  if not response then
    report:fail(name, e)
    return nil
  end
  local how = url:find("^https:") and "TLS, certificate trusted" or "plain HTTP"
  report:add(name, "ok", ("answers; %s; %.0f ms"):format(how, response.elapsed * 1000))
  return response
end

local function check_clock(report, response)
  local date = response and response.headers.date
  local server = date and clock.read(date)
  if not server then
    report:add("clock", "skip", not response and "no answer to read it from"
      or date and "the server's Date cannot be read" or "the server sends no Date")
    return
  end
  -- The answer was on its way for half the time, more or less.
  local skew = server - math.floor(os.time() - response.elapsed / 2 + 0.5)
  local detail = skew == 0 and "the same as the server's"
    or ("%d s %s the server's"):format(math.abs(skew), skew > 0 and "behind" or "ahead of")
  if math.abs(skew) <= MAX_SKEW then
    report:add("clock", "ok", detail)
  else
    report:add("clock", "warn", detail,
      "set this machine's clock (timedatectl); time windows and certificates depend on it")
  end
end

--- True if there is a token.
local function check_token(report, tenant, seconds)
  local token, e = step(seconds, function() return tenant.auth:token() end)
  if not token then
    report:fail("token", e)
    return false
  end
  local life = tenant.auth:life()
  report:add("token", "ok", life and ("granted, good for %.0f s"):format(life) or "granted")
  return true
end

local function words(text)
  local list = {}
  for word in (text or ""):gmatch("%S+") do
    list[#list + 1] = word
    list[word] = true
  end
  return list
end

local function check_scopes(report, tenant, settings)
  local asked, granted = words(settings.scope), tenant.auth:scope()
  if not granted then
    report:add("scopes", "ok", "asked for " .. settings.scope .. "; the answer takes none away")
    return
  end
  local lacking, has = {}, words(granted)
  for _, word in ipairs(asked) do
    if not has[word] then lacking[#lacking + 1] = word end
  end
  if #lacking == 0 then
    report:add("scopes", "ok", granted)
  else
    report:add("scopes", "warn", "not granted: " .. table.concat(lacking, " "),
      "ask the tenant's administrator to give them to this client")
  end
end

--- What the server says of its limits, in the order of the names.
local function limits_of(headers)
  local found = {}
  for name, value in pairs(headers) do
    if name:find("rate%-?limit") then found[#found + 1] = ("%s: %s"):format(name, value) end
  end
  table.sort(found)
  return found
end

local function check_read(report, tenant, seconds)
  local dialect = tenant.dialect
  local response, e = step(seconds, function()
    return tenant.client:get(dialect.paths.filters, {
      query = { [dialect.page.size_param] = 1 }, timeout = seconds,
    })
  end)
  if not response then
    local hint
    if e.code == "permission" then
      hint = ("the client needs the scope %s"):format(dialect.scopes.read)
    elseif e.code == "not_found" then
      hint = "the list of filters is elsewhere at this tenant: confirm its paths (cxone.dialect)"
    end
    report:fail("read", e, hint)
    return nil
  end
  local value, fault = response:json()
  local items = type(value) == "table" and value[dialect.page.filters.items]
  if type(items) ~= "table" then
    report:fail("read", fault or err.new { code = "protocol",
      message = "the list of filters is not in the answer", hint = "confirm the base URL" })
    return response
  end
  report:add("read", "ok", ("a page of the list of filters; %.0f ms"):format(
    response.elapsed * 1000))
  return response
end

local function check_limit(report, tenant, response)
  local said = limits_of(response.headers)
  if #said > 0 then
    report:add("rate_limit", "ok", table.concat(said, "; "))
  else
    report:add("rate_limit", "ok",
      ("the server names none; weir keeps to %g requests a second"):format(
        tenant.dialect.limit.rate))
  end
end

local function skip(report, names, why)
  for _, name in ipairs(names) do report:add(name, "skip", why) end
end

function tenant_checks.run(report, facts)
  local seconds = facts.timeout
  local settings = check_settings(report, facts)
  if not settings then
    skip(report, { "base_connection", "token_connection", "clock", "token", "scopes", "read",
      "rate_limit" }, "the configuration comes first")
    return
  end
  -- Once, so that what fails is shown and not waited out.
  local tenant = client_of.connect { retry = { attempts = 1 }, attempt_timeout = seconds,
    connect_timeout = seconds, timeout = seconds }
  local base = check_connection(report, "base_connection", settings.base_url, seconds)
  local token = check_connection(report, "token_connection", settings.token_url, seconds)
  check_clock(report, base or token)
  if not token then
    skip(report, { "token", "scopes", "read", "rate_limit" }, "no connection to the token URL")
    return
  end
  if not check_token(report, tenant, seconds) then
    skip(report, { "scopes", "read", "rate_limit" }, "no token")
    return
  end
  check_scopes(report, tenant, settings)
  if not base then
    skip(report, { "read", "rate_limit" }, "no connection to the base URL")
    return
  end
  local response = check_read(report, tenant, seconds)
  if response then
    check_limit(report, tenant, response)
  else
    skip(report, { "rate_limit" }, "no answer to read it from")
  end
end

return tenant_checks
