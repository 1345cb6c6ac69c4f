--- One token.

local cxone = require "cxone"

print(#assert(cxone.connect().auth:token()))
