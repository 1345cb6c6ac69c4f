--- Lists of records as a table that fits the terminal; where it cannot, one
-- record below the other.

local quote = require "weir.repl.quote"
local text = require "weir.text"

local grid = {}

local GAP = 2
local MIN_COLUMN = 10  -- a column is never cut below this
local MAX_COLUMNS = 16 -- more fields than this are read one below the other

-- What one looks for first.
local first = { id = 1, name = 2, status = 3, channel = 4, time = 1, path = 1, message = 9 }

--- All fields of the rows: the usual ones first, then by name.
function grid.fields(rows)
  local seen, fields = {}, {}
  for _, row in ipairs(rows) do
    for key in next, row do
      if not seen[key] then
        seen[key] = true
        fields[#fields + 1] = key
      end
    end
  end
  table.sort(fields, function(a, b)
    local ra, rb = first[a] or 5, first[b] or 5
    if ra ~= rb then return ra < rb end
    return a < b
  end)
  return fields
end

--- `content` cut to `width` columns, with a mark where something is missing.
function grid.fit(content, width)
  if text.width(content) <= width then return content end
  if width < 1 then return "" end
  return (text.cut(content, width - 1)) .. "…"
end

local function pad(content, painted, width, right)
  local space = string.rep(" ", width - text.width(content))
  return right and space .. painted or painted .. space
end

--- The columns' widths within `total`; nil where they would be too narrow.
local function widths_of(cells, fields, total)
  local widths, sum = {}, GAP * (#fields - 1)
  for c, field in ipairs(fields) do
    local width = text.width(quote.line(field))
    for _, row in ipairs(cells) do
      width = math.max(width, row[c].width)
    end
    widths[c] = width
    sum = sum + width
  end
  while sum > total do
    local widest = 1
    for c = 2, #widths do
      if widths[c] > widths[widest] then widest = c end
    end
    local least = MIN_COLUMN
    if widths[widest] <= least then return nil end
    local cut = math.min(sum - total, widths[widest] - least)
    -- Not all at once, so that several long columns share the loss.
    cut = math.min(cut, math.max(1, widths[widest] // 8))
    widths[widest] = widths[widest] - cut
    sum = sum - cut
  end
  return widths
end

local function horizontal(shower, cells, fields, widths)
  local lines, heads = {}, {}
  local numeric = {}
  for c, field in ipairs(fields) do
    numeric[c] = true
    for _, row in ipairs(cells) do
      if row[c].content ~= "" and row[c].kind ~= "number" then numeric[c] = false end
    end
    local head = grid.fit(quote.line(field), widths[c])
    heads[c] = pad(head, shower.style:paint("head", head), widths[c], numeric[c])
  end
  lines[1] = (string.gsub(table.concat(heads, string.rep(" ", GAP)), "%s+$", ""))
  for _, row in ipairs(cells) do
    local line = {}
    for c in ipairs(fields) do
      local content = grid.fit(row[c].content, widths[c])
      line[c] = pad(content, shower:paint_cell(row[c], content), widths[c], numeric[c])
    end
    lines[#lines + 1] = (string.gsub(table.concat(line, string.rep(" ", GAP)), " +$", ""))
  end
  return lines
end

local function vertical(shower, cells, fields, total)
  local lines, width = {}, 0
  for _, field in ipairs(fields) do width = math.max(width, text.width(quote.line(field))) end
  width = math.min(width, 30)
  for r, row in ipairs(cells) do
    lines[#lines + 1] = shower.style:paint("dim", string.format("── %d ", row.index or r)
      .. string.rep("─", math.max(0, math.min(total, 40) - 4 - #tostring(row.index or r))))
    for c, field in ipairs(fields) do
      local cell = row[c]
      if cell.content ~= "" then
        local name = grid.fit(quote.line(field), width)
        local content = grid.fit(cell.content, math.max(8, total - width - 2))
        lines[#lines + 1] = pad(name, shower.style:paint("key", name), width)
          .. "  " .. shower:paint_cell(cell, content)
      end
    end
  end
  return lines
end

--- Lines that show the records. `shower` makes and paints cells (repl.show),
-- `total` is the terminal's width.
function grid.lines(shower, rows, total, path)
  local fields = grid.fields(rows)
  local cells = {}
  for r, row in ipairs(rows) do
    cells[r] = {}
    for c, field in ipairs(fields) do
      local at = string.format("%s[%d].%s", path or "", r, field)
      cells[r][c] = shower:cell(rawget(row, field), at)
      cells[r][c].width = text.width(cells[r][c].content)
    end
  end
  local widths = #fields <= MAX_COLUMNS and widths_of(cells, fields, total)
  if widths then return horizontal(shower, cells, fields, widths) end
  return vertical(shower, cells, fields, total)
end


return grid
