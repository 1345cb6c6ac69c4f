--- Times as the API writes them: ISO 8601 in UTC, durations, HTTP dates.
-- Inside the simulator a time is a number of seconds since 1970.

local time = {}

---@param seconds number
---@return string # "2024-05-01T12:30:00.250Z"
function time.iso(seconds)
  local ms = math.floor(seconds * 1000 + 0.5)
  local date = os.date("!%Y-%m-%dT%H:%M:%S", ms // 1000)
  return string.format("%s.%03dZ", date, ms % 1000)
end

local days = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local months = {
  "Jan", "Feb", "Mar", "Apr", "May", "Jun",
  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
}

local long_days = {
  "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
}

-- The forms of RFC 9110 section 5.6.7, in English always.
local forms = {
  imf = function(d)
    return ("%s, %02d %s %d %02d:%02d:%02d GMT"):format(days[d.wday], d.day,
      months[d.month], d.year, d.hour, d.min, d.sec)
  end,
  rfc850 = function(d)
    return ("%s, %02d-%s-%02d %02d:%02d:%02d GMT"):format(long_days[d.wday], d.day,
      months[d.month], d.year % 100, d.hour, d.min, d.sec)
  end,
  asctime = function(d)
    return ("%s %s %2d %02d:%02d:%02d %d"):format(days[d.wday], months[d.month],
      d.day, d.hour, d.min, d.sec, d.year)
  end,
}

---@param form "imf"|"rfc850"|"asctime"
---@param seconds number
---@return string
function time.as(form, seconds)
  return forms[form](os.date("!*t", math.floor(seconds)))
end

---@param seconds number
---@return string # IMF-fixdate
function time.http_date(seconds)
  return time.as("imf", seconds)
end

-- Days since 1970-01-01 of a date of the Gregorian calendar; os.time() would
-- read it in local time.
local function day_number(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + year // 4 - year // 100 + year // 400
    + (153 * (month - 3) + 2) // 5 + day - 719469
end

local function month_length(year, month)
  if month == 2 then
    local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
    return leap and 29 or 28
  end
  return (month == 4 or month == 6 or month == 9 or month == 11) and 30 or 31
end

---@param text string "2024-05-01T12:30:00Z", fractions allowed
---@return number? seconds
function time.parse_iso(text)
  local year, month, day, hour, min, sec, fraction =
    text:match("^(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d):(%d%d):(%d%d)(%.?%d*)Z$")
  if not year or fraction == "." or fraction:find("^%d") then
    return nil
  end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  hour, min, sec = tonumber(hour), tonumber(min), tonumber(sec)
  if month < 1 or month > 12 or day < 1 or day > month_length(year, month)
    or hour > 23 or min > 59 or sec > 60 then
    return nil
  end
  return day_number(year, month, day) * 86400 + hour * 3600 + min * 60 + sec
    + (tonumber(fraction) or 0)
end

---@param text string "PT5M", "-PT3600S", "P1DT12H"; no months and years, which have no length
---@return number? seconds
function time.parse_duration(text)
  local sign, date, clock = text:match("^(-?)P([^T]*)T?(.*)$")
  if not sign or text:find("T$") then
    return nil
  end
  local total, parts = 0, 0
  local function take(rest, unit, length)
    local number, after = rest:match("^(%d+)" .. unit .. "(.*)$")
    if number and #number <= 9 then
      total, parts = total + tonumber(number) * length, parts + 1
      return after
    end
    return rest
  end
  date = take(date, "D", 86400)
  clock = take(take(take(clock, "H", 3600), "M", 60), "S", 1)
  if date ~= "" or clock ~= "" or parts == 0 then
    return nil
  end
  return sign == "-" and -total or total
end

return time
