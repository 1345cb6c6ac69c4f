--- Every entry of the audit log, page by page.

local cxone = require "cxone"

local tenant = cxone.connect { limit = { rate = 1e9, burst = 1e9 } }
local entries = 0
for entry in tenant.audit:entries() do
  if entry.id then entries = entries + 1 end
end
print(entries)
