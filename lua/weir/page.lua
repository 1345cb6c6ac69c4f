--- weir.page: cursor listings, one item at a time, one page ahead at most.

local core = require "weir.core.page"
local json = require "weir.json"

local page = {}

--- Iterates over a listing: `for item in page.each(client, path, {items = …})`.
-- The next page is fetched while this one is read, and memory stays constant
-- however long the listing is. Leaving the loop early, in whatever way, ends
-- what is under way. A `for` loop has no place for `nil, err`, so what goes
-- wrong is raised as the err object.
function page.each(client, path, opts)
  local listing = core.open("page.each", client, path, opts)
  local function next_item()
    local item, e = core.next(listing)
    if e then error(e, 0) end
    return item
  end
  return next_item, nil, nil, listing
end

--- All items of a listing in one list, or nil and the err.
function page.collect(client, path, opts)
  local listing <close> = core.open("page.collect", client, path, opts)
  local list = json.array {}
  while true do
    local item, e = core.next(listing)
    if e then return nil, e end
    if item == nil then return list end
    list[#list + 1] = item
  end
end

return page
