--- Answers as bytes, for those that no honest HTTP server sends: lengths that
-- lie, chunks that break off, headers without end.

local wire = {}

---What a fault may ask of an answer's bytes.
---@class sim.Wire
---@field early integer[]? 1xx answers that come first
---@field whole boolean? the answer itself is written here; implied by all below
---@field text string? all that is sent, in place of an answer
---@field version string? "1.0"
---@field framing "chunked"|"close"|nil how the body ends; nil: by its length
---@field length (fun(bytes: integer): any)? what Content-Length says
---@field second_length (fun(bytes: integer): any)? what another one says
---@field chunk integer? bytes of a chunk
---@field chunk_fault string? see the kind bad_chunk
---@field lines string? header lines as they are, each with its CR LF
---@field extra string? what follows the body
---@field cut "before"|"after_headers"|"mid_body"|nil where it breaks off
---@field reset boolean? the connection ends by RST
---@field keep boolean? says nothing of the connection's end
---@field piece integer? bytes at a time
---@field interval number? seconds between them
---@field hold number? seconds from the last byte to the end

local reasons = {
  [100] = "Continue", [102] = "Processing", [103] = "Early Hints",
  [200] = "OK", [201] = "Created", [202] = "Accepted", [204] = "No Content",
  [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden",
  [404] = "Not Found", [409] = "Conflict", [412] = "Precondition Failed",
  [428] = "Precondition Required", [429] = "Too Many Requests",
  [500] = "Internal Server Error", [502] = "Bad Gateway",
  [503] = "Service Unavailable", [504] = "Gateway Timeout",
}

local function status_line(version, status)
  return ("HTTP/%s %d %s\r\n"):format(version, status, reasons[status] or "Status")
end

local function early_answers(list)
  local text = ""
  for _, status in ipairs(list or {}) do
    text = text .. status_line("1.1", status)
      .. (status == 103 and "Link: </style.css>; rel=preload\r\n" or "") .. "\r\n"
  end
  return text
end

local broken_chunks = {
  size = "zz\r\n", negative = "-5\r\n", huge = "FFFFFFFFFFFFFFFFF\r\n",
  -- It says 5 and holds 2; what should be its end is text.
  data = "5\r\nab\r\n0\r\n\r\n",
}

local function chunks(w, body)
  local size = w.chunk or math.max(1, #body)
  local list = {}
  for from = 1, #body, size do
    local piece = body:sub(from, from + size - 1)
    list[#list + 1] = ("%X\r\n%s\r\n"):format(#piece, piece)
  end
  if not w.chunk_fault then
    list[#list + 1] = "0\r\n\r\n"
  else
    list[#list + 1] = broken_chunks[w.chunk_fault] -- none for "end": it is not there
  end
  return table.concat(list)
end

local function head(w, a, headers, body)
  local lines = { status_line(w.version or "1.1", a.status) }
  for i = 1, #headers, 2 do
    lines[#lines + 1] = ("%s: %s\r\n"):format(headers[i], headers[i + 1])
  end
  if w.framing == "chunked" then
    lines[#lines + 1] = "Transfer-Encoding: chunked\r\n"
  elseif w.framing ~= "close" and a.status ~= 204 and a.status ~= 304 then
    lines[#lines + 1] = ("Content-Length: %s\r\n"):format(w.length and w.length(#body) or #body)
  end
  if w.second_length then
    lines[#lines + 1] = ("Content-Length: %s\r\n"):format(w.second_length(#body))
  end
  lines[#lines + 1] = w.lines or ""
  if not w.keep then
    lines[#lines + 1] = "Connection: close\r\n"
  end
  lines[#lines + 1] = "\r\n"
  return table.concat(lines)
end

local function whole(w, a, headers, body, no_body)
  if w.text then
    return w.text
  end
  local start = head(w, a, headers, body)
  local rest = w.framing == "chunked" and chunks(w, body) or body
  -- Without a body there is no middle of it to break off in.
  if w.cut == "before" or (w.cut and body == "") then
    return ""
  elseif w.cut == "after_headers" or no_body then
    return start
  elseif w.cut == "mid_body" then
    return start .. rest:sub(1, #rest // 2)
  end
  return start .. rest .. (w.extra or "")
end

---The fields of an answer that say what goes to the socket.
---@param a sim.Answer with `wire`
---@param headers string[] name, value, name, value …
---@param body string
---@param no_body boolean the request was HEAD
---@return {wire: string, next: string?, piece: integer?, interval: number?, hold: number?}
function wire.render(a, headers, body, no_body)
  local w = a.wire
  local only_early = w.early and next(w, next(w)) == nil
  return {
    wire = early_answers(w.early)
      .. (only_early and "" or whole(w, a, headers, body, no_body)),
    next = not only_early and (w.reset and "reset" or "close") or nil,
    piece = w.piece,
    interval = w.interval,
    hold = w.hold,
  }
end

return wire
