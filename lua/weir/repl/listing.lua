--- Results that are made for a `for` loop: their first rows are what one wants
-- to see, and the rest when asked for.

local listing = {}

--- Whether the results look like what `for` takes: a function and more.
function listing.is(results)
  return results.n >= 3 and type(results[1]) == "function"
end

local function close(value)
  local meta = debug.getmetatable(value)
  local handler = type(meta) == "table" and rawget(meta, "__close")
  if handler then handler(value, nil) end
end

--- At most `limit` rows, and a function that takes more, or nil if these were
-- all. What is taken is let go of at the end, and when it fails.
function listing.take(results, limit)
  local step, state, control, closing = results[1], results[2], results[3], results[4]
  local rows = {}
  local ok, e = pcall(function()
    while #rows < limit do
      local values = table.pack(step(state, control))
      control = values[1]
      if control == nil then
        step = nil
        break
      end
      rows[#rows + 1] = values.n > 1 and { table.unpack(values, 1, values.n) } or control
    end
  end)
  if not ok or not step then close(closing) end
  if not ok then error(e, 0) end
  if not step then return rows, nil end
  return rows, function(n)
    return listing.take({ n = 4, step, state, control, closing }, n)
  end
end

return listing
