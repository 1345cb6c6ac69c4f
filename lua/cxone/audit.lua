--- tenant.audit: who did what, as the server recorded it.

local options = require "weir.options"
local page = require "weir.page"

local Audit = {}
Audit.__index = Audit
Audit.__name = "cxone.audit"

local audit = {}

function audit.new(tenant)
  return setmetatable({ tenant = tenant }, Audit)
end

--- Iterates over audit entries, of one filter or of all.
function Audit:entries(opts)
  opts = options.check("audit:entries", opts,
    { filter_id = "string", page_size = "number", max_pages = "number", max_items = "number" })
  local d, overlay = self.tenant.dialect, rawget(self.tenant, "overlay")
  if overlay and opts.filter_id and overlay:has_created(opts.filter_id) then
    return function() end -- nobody has done anything to it
  end
  return page.each(self.tenant.client, d.paths.audit, {
    items = d.page.audit.items,
    query = { filter_id = opts.filter_id },
    size = opts.page_size or d.page.audit.size,
    size_param = d.page.size_param,
    max_pages = opts.max_pages, max_items = opts.max_items,
    cursor_param = d.page.cursor_param,
    next = d.page.next,
  })
end

return audit
