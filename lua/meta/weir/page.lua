---@meta weir.page

---Cursor listings, one item at a time, one page ahead at most.
---@class weir.page
local page = {}

---@class weir.page.options
---@field items string         member of a page with the list of items: `"filters"`
---@field query? table|string  further query parameters, without the cursor
---@field size? integer        items asked for in one page; default: the server's
---@field size_param? string   its name in the query; default `"page_size"`
---@field cursor_param? string the cursor's name in the query; default `"cursor"`
---@field next? string         member with the next cursor; default `"next_cursor"`
---@field max_pages? integer   ceiling; default 1,000,000
---@field max_items? integer   ceiling of all pages; default 100,000,000
---@field max_bytes? integer   ceiling of one page; default: the client's

---Iterates over a listing. While the items of one page are read the next page
---is fetched, and memory stays constant however long the listing is. Leaving
---the loop early, by `break`, `return` or an error, ends what is under way.
---
---A `for` loop has no place for `nil, err`: what goes wrong is **raised**, as
---the err object: `"protocol"` (the items are absent or no list; a cursor came
---a second time: it is named), `"limit"`, or what the call met.
---
---```lua
---local path = tenant.dialect.paths.filters
---for filter in weir.page.each(tenant.client, path, { items = "filters", size = 100 }) do
---  print(filter.id)
---end
---```
---@param client weir.client.Client
---@param path string
---@param opts weir.page.options
---@return fun(): any next
---@return nil
---@return nil
---@return any closing ends the listing when the loop is left
function page.each(client, path, opts) end

---All items of a listing at once; an empty one is `[]` as JSON, too.
---
---```lua
---local path = tenant.dialect.paths.filters
---local filters, err = weir.page.collect(tenant.client, path, { items = "filters" })
---```
---@param client weir.client.Client
---@param path string
---@param opts weir.page.options
---@return any[]? items
---@return weir.err.Err? err as `each` raises it
function page.collect(client, path, opts) end

return page
