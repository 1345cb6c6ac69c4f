--- weir.lazy: a module that is loaded when something of it is first asked for.
-- For what only a failure or a rare call needs: every script pays for reading
-- the modules that are loaded.

return function(name)
  return setmetatable({}, { __index = function(self, key)
    local value = require(name)[key]
    rawset(self, key, value)
    return value
  end })
end
