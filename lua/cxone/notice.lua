--- Tells whoever listens which filters and groups pass: an interactive session
-- completes their names. Where nobody listens it costs nothing.

local notice = {}

local listener

--- From now on `fn(kind, what)` is called: "filter" and a record, "filters" and
-- an id, "groups" and a group's id. It must not raise. nil ends it.
function notice.listen(fn)
  listener = fn
end

--- Tells of one; returns it.
function notice.tell(kind, what)
  if listener then listener(kind, what) end
  return what
end

--- The iterator of a listing, telling of every item.
function notice.each(kind, step, state, control, closing)
  if not listener then return step, state, control, closing end
  return function(s, c)
    local item = step(s, c)
    if item ~= nil then notice.tell(kind, item) end
    return item
  end, state, control, closing
end

return notice
