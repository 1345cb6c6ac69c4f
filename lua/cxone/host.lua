--- What the host must know of a run's tenant before the script runs: for what a
-- confined script may do with "tenant", and for calls that change nothing.

local config = require "cxone.config"
local dialect = require "cxone.dialect"

--- `{base_url =, token_url =, safe = {"POST https://…"}}`, the last the calls
-- that change nothing although they look so: of this tenant, and of no other
-- server that has the same path; nothing where the configuration names no
-- tenant. From now on the secrets of that configuration go to these addresses,
-- or to whoever asks for them by name.
return function()
  local base_url, token_url = config.pin()
  local safe = {}
  if base_url then
    safe[1] = "POST " .. string.gsub(base_url, "/+$", "") .. dialect.paths.validate
  end
  if token_url then safe[#safe + 1] = "POST " .. token_url end
  return { base_url = base_url, token_url = token_url, safe = safe }
end
