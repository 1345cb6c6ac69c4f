-- Routing: filters feed a group; members come page by page.

local cxone = require "cxone"
local definitions = require "definitions"

local tenant = cxone.connect()
local gold = tenant.filters:deploy(definitions.gold_chat, { interval = 0.2 })
local mail = tenant.filters:deploy(definitions.office_mail, { interval = 0.2 })

tenant.groups:assign("grp_reporting", { gold, mail })

local n = 0
for id in tenant.groups:members("grp_reporting", { page_size = 1 }) do
  n = n + 1
  print(n, id, tenant.filters:get(id).name)
end
