--- What of this machine a run stands on: libraries, their known faults, the
-- variables that are obeyed.

local machine = {}

--- True if a coroutine that closes one that closes one … is stopped in time: 150
-- is beyond our bound and far from what crashes.
local function close_is_guarded()
  local co
  for _ = 1, 150 do
    local inner = co
    co = coroutine.create(function()
      local _ <close> = setmetatable({}, { __close = function()
        if inner then assert(coroutine.close(inner)) end
      end })
      coroutine.yield()
    end)
    coroutine.resume(co)
  end
  return not coroutine.close(co)
end

local function check_lua(report, facts)
  local guarded = close_is_guarded()
  if facts.close == "sound" then
    report:add("lua_close", "ok", "closing coroutines 20,000 deep is an error, as it should be")
  elseif guarded then
    report:add("lua_close", "ok",
      ("closing coroutines 20,000 deep %s in %s; here it is stopped at 100"):format(
        facts.close == "crash" and "crashes" or "could not be tried", facts.lua))
  else
    report:add("lua_close", "warn", "closing coroutines very deep can crash the process",
      "update Lua to 5.4.6 or newer")
  end
  if facts.constants == "sound" then
    report:add("lua_constants", "ok", "bit operations in chunks of many constants are right")
  elseif facts.constants == "crash" then
    report:add("lua_constants", "warn", "bit operations in chunks of over 255 constants go wrong",
      "update Lua to 5.4.6 or newer; until then put large constants of ~ | << into locals")
  else
    report:add("lua_constants", "skip", "could not be tried: no process, or no time")
  end
end

local function check_trust(report, facts)
  if not facts.ca_file then
    report:add("trust", "ok", facts.trust)
    return
  end
  local hint = "SSL_CERT_FILE names a file of PEM certificates that can be read; or unset it"
  local file, why = io.open(facts.ca_file, "rb")
  local text = file and file:read(1 << 20)
  if file then file:close() end
  if not file then
    report:add("trust", "fail", why, hint, "config")
  elseif not text or not text:find("-----BEGIN [%u ]*CERTIFICATE-----") then
    report:add("trust", "fail", facts.ca_file .. ": no certificate in PEM form in it", hint,
      "config")
  else
    report:add("trust", "ok", facts.ca_file .. " (SSL_CERT_FILE)")
  end
end

function machine.run(report, facts)
  report:add("weir", "ok", facts.version)
  report:add("libraries", "ok", facts.libraries)
  check_lua(report, facts)
  if facts.proxy == "set, but no URL" then
    report:add("proxy", "fail", "HTTPS_PROXY is set, and is no URL",
      "write it as http://host:port, or unset it", "config")
  else
    report:add("proxy", "ok", facts.proxy == "none" and "none"
      or ("%s; not for %s"):format(facts.proxy, facts.no_proxy))
  end
  check_trust(report, facts)
end

return machine
