--- Listings page by page, with cursors that say nothing to a client and that
-- a client cannot make up.

local answer = require "sim.answer"
local dialect = require "cxone.dialect"
local json = require "weir.json"
local random = require "sim.random"
local weir = require "weir"

local names = dialect.page

local paging = {}
paging.__index = paging

---@param sim table
function paging.new(sim)
  return setmetatable({ sim = sim }, paging)
end

-- A cursor is a position, a flag and their hash with the listing's name: so
-- one of another listing is as wrong as one that was made up. The flag: 1 for
-- an empty page; all others differ only so that no cursor comes twice.
local function write_cursor(self, listing, position, flag)
  local payload = ("%x.%d"):format(position, flag)
  local mark = random.hash(listing .. "\0" .. payload, self.sim.seed)
  return ("%s.%016x"):format(payload, mark)
end

local function read_cursor(self, listing, text)
  local position, flag = text:match("^(%x+)%.(%d+)%.%x+$")
  if not position or #position > 15 or #flag > 15 then
    return nil
  end
  position, flag = tonumber(position, 16), math.tointeger(tonumber(flag))
  if write_cursor(self, listing, position, flag) ~= text then
    return nil
  end
  return position, flag
end

local function read_size(self, context, default)
  local text = context.target.query[names.size_param]
  local size = text == nil and default
    or (text:find("^%d+$") and #text < 10 and math.tointeger(tonumber(text)))
  if not size or size < 1 or size > self.sim.config.page_max then
    return nil, ("%s: expected an integer, 1 to %d"):format(names.size_param,
      self.sim.config.page_max)
  end
  return size
end

local function cursor_end(self)
  local how = self.sim.config.cursor_end
  if how == "null" then
    return weir.null
  end
  return how == "empty" and "" or nil
end

---Answers one page.
---@param context table
---@param listing string name of the listing, with what it is about
---@param kind {items: string, size: integer} the dialect's entry for it
---@param following fun(position: integer): integer?, any the item after a position (0: the first)
---@return sim.Answer
function paging:answer(context, listing, kind, following)
  local size, message = read_size(self, context, kind.size)
  if not size then
    return answer.problem(400, message)
  end
  local cursor = context.target.query[names.cursor_param]
  local position, flag = 0, 0
  if cursor and cursor ~= "" then
    position, flag = read_cursor(self, listing, cursor)
    if not position then
      return answer.problem(400, ("%s: not one of this listing's"):format(names.cursor_param))
    end
  end
  context.page = { listing = listing, items = kind.items, start = position, flag = flag }
  local items = {}
  local at, item
  if flag ~= 1 then
    at, item = following(position)
    while at and #items < size do
      items[#items + 1] = item
      position = at
      at, item = following(position)
    end
  else
    at = following(position)
  end
  local next_flag = self.sim.config.empty_pages and flag ~= 1 and 1 or 0
  return answer.json(200, {
    [kind.items] = json.array(items),
    [names.next] = at and write_cursor(self, listing, position, next_flag)
      or cursor_end(self),
  })
end

local function point_to(self, context, a, position, flag)
  local page = context.page
  if a.status == 200 and page then
    a.value[names.next] = write_cursor(self, page.listing, position(page), flag(page))
    return page
  end
end

local function start(page) return page.start end
local function zero() return 0 end

---The fault "endless_cursor": the next page is this page again.
---@param context table
---@param a sim.Answer
function paging:repeat_page(context, a)
  point_to(self, context, a, start, zero)
end

---The fault "repeated_cursor": after this page comes the first.
---@param context table
---@param a sim.Answer
function paging:start_over(context, a)
  point_to(self, context, a, zero, zero)
end

---The fault "empty_page": nothing here; what should have been comes next.
---@param context table
---@param a sim.Answer
function paging:empty(context, a)
  local page = point_to(self, context, a, start, function(page)
    return math.max(page.flag, 1) + 1
  end)
  if page then
    a.value[page.items] = json.array {}
  end
end

return paging
