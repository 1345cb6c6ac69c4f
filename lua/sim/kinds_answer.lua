--- Faults that answer in place of the call, or change what its answer says.

local answer = require "sim.answer"
local keys = require "sim.keys"
local time = require "sim.time"

local kinds = {}

local function kind(name, about, own_keys, fields)
  fields = fields or {}
  fields.name, fields.about, fields.keys = name, about, own_keys
  kinds[#kinds + 1] = fields
end

-- ---- another answer ----

local function add_retry_after(fault, context, a, default)
  local given = fault.retry_after or default
  if given == nil or given == "none" then
    return
  end
  if fault.date then
    given = time.as(fault.date, context.now + (tonumber(given) or 1))
  elseif type(given) == "number" then
    given = ("%d"):format(math.ceil(given))
  end
  a.headers["Retry-After"] = fault.second and { given, fault.second } or given
end

-- Before the call or, with `done`, after it: then what it did is done, and
-- only its answer is another.
local function instead(make)
  return {
    before = function(fault, context)
      return not fault.done and make(fault, context) or nil
    end,
    spoil = function(fault, context, a)
      if not fault.done then
        return
      end
      for key in pairs(a) do
        a[key] = nil
      end
      for key, value in pairs(make(fault, context)) do
        a[key] = value
      end
    end,
  }
end

kind("rate", "429 with Retry-After", {
  retry_after = keys.retry_after, date = keys.date, second = keys.line, done = keys.flag,
}, instead(function(fault, context)
  local a = answer.problem(429, "too many requests")
  add_retry_after(fault, context, a, 1)
  return a
end))

kind("status", "any status (500), done=true after the work was done", {
  status = keys.integer(200, 599), message = keys.text, done = keys.flag,
  retry_after = keys.retry_after, date = keys.date, second = keys.line,
}, instead(function(fault, context)
  local status = fault.status or 500
  local a = answer.problem(status, fault.message or "simulated fault")
  if status == 204 or status == 304 then
    a.value = nil
  end
  add_retry_after(fault, context, a)
  return a
end))

kind("invalid", "400 with a list of errors", { path = keys.text, message = keys.text }, {
  before = function(fault)
    local path, message = fault.path or "", fault.message or "simulated fault"
    return answer.problem(400, "the filter is not valid",
      { { path = path, message = message } })
  end,
})

kind("expired", "401: the token is worth nothing any more", {}, {
  before = function(_, context)
    return context.sim.tokens:revoke(context)
  end,
})

kind("redirect", "a redirect (302): to=same path, to itself for ever, or elsewhere", {
  location = keys.line, status = keys.integer(300, 399),
  to = keys.word("elsewhere", "same", "loop"),
}, {
  before = function(fault, context)
    local to = fault.location
    local target = context.request.target
    if not to and fault.to == "same" then
      to = target .. (target:find("?", 1, true) and "&" or "?") .. "redirected=1"
    end
    to = to or (fault.to == "loop" and target) or "https://elsewhere.invalid/"
    return answer.json(fault.status or 302, nil, { Location = to })
  end,
})

kind("concurrent_edit", "somebody else edits just before an update", {
  field = keys.text, value = keys.any, actor = keys.text,
}, {
  call = "update",
  before = function(fault, context)
    return context.sim.filters:edit_by_other(context, fault)
  end,
})

-- ---- the answer's header fields ----

kind("etag", "the ETag in another form, or not there (absent)", {
  how = keys.word("absent", "weak", "unquoted", "header", "body", "wrong"),
}, {
  spoil = function(fault, _, a)
    local value = type(a.value) == "table" and a.value.etag
      or (type(a.headers.ETag) == "string" and a.headers.ETag:match('"(.*)"'))
    if not value then
      return
    end
    local header = { weak = 'W/"' .. value .. '"', unquoted = value, header = '"' .. value .. '"',
      wrong = '"0-of-nothing"' }
    local body = { body = value, wrong = "0-of-nothing" }
    local how = fault.how or "absent"
    a.headers.ETag = header[how]
    a.value.etag = body[how]
  end,
})

kind("content_type", "says to be something else (text/html)", { type = keys.line }, {
  spoil = function(fault, _, a)
    a.headers["Content-Type"] = fault.type or "text/html; charset=utf-8"
  end,
})

kind("date", "the Date of a server whose clock is off by so many seconds", {
  seconds = keys.number(-1e9, 1e9),
}, {
  spoil = function(fault, context, a)
    a.headers.Date = time.as("imf", context.now + (fault.seconds or -86400))
  end,
})

kind("header_case", "header names in lower case, or upper", {
  case = keys.word("lower", "upper"),
}, {
  spoil = function(fault, _, a)
    a.header_case = fault.case or "lower"
  end,
})

-- ---- listings ----

kind("endless_cursor", "a listing whose next page is the same page, for ever", {}, {
  endless = true,
  listing = true,
  spoil = function(_, context, a)
    context.sim.paging:repeat_page(context, a)
  end,
})

kind("repeated_cursor", "a listing that goes back to its first page", {}, {
  listing = true,
  spoil = function(_, context, a)
    context.sim.paging:start_over(context, a)
  end,
})

kind("empty_page", "a page without items that is not the last", {}, {
  listing = true,
  spoil = function(_, context, a)
    context.sim.paging:empty(context, a)
  end,
})

return kinds
