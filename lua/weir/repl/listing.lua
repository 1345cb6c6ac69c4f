--- Results that are made for a `for` loop: their first rows are what one wants
-- to see, and the rest when asked for.

local listing = {}

--- Whether the results look like what `for` takes: a function and more.
function listing.is(results)
  return results.n >= 3 and type(results[1]) == "function"
end

local Listing = {}
Listing.__index = Listing

--- Begins to read results as `for` would.
function listing.open(results)
  return setmetatable({
    step = results[1], state = results[2], control = results[3], closing = results[4],
  }, Listing)
end

--- Lets go of it. Harmless when it has been read to its end.
function Listing:close()
  local closing = self.closing
  self.step, self.closing = nil, nil
  local meta = debug.getmetatable(closing)
  local handler = type(meta) == "table" and rawget(meta, "__close")
  if handler then handler(closing, nil) end
end

--- At most `limit` more rows, and whether there may be others after them. At
-- the end, and when it fails, it is closed.
function Listing:take(limit)
  local rows = {}
  local ok, e = pcall(function()
    while self.step and #rows < limit do
      local values = table.pack(self.step(self.state, self.control))
      self.control = values[1]
      if self.control == nil then
        self:close()
      else
        rows[#rows + 1] = values.n > 1 and { table.unpack(values, 1, values.n) } or self.control
      end
    end
  end)
  if not ok then
    self:close()
    error(e, 0)
  end
  return rows, self.step ~= nil
end

return listing
