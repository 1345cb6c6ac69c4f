---@meta weir.secret

---Secrets that can be handed on and not read: what a script holds says only
---its name, and `weir.auth` and `cxone.connect` take it wherever they take a
---secret as a string.
---
---The variables `CXONE_CLIENT_SECRET` and `CXONE_ACCESS_KEY_SECRET` are read
---once when weir starts, and taken out of the environment: `os.getenv` and
---the programs that a script starts do not see them. `secret.find` does.
---
---```lua
---local secret = require "weir.secret"
---local key = secret.find "CXONE_CLIENT_SECRET"
---print(key)  --> secret CXONE_CLIENT_SECRET
---```
---@class weir.secret
local secret = {}

---A secret; `tostring` gives its name.
---@class weir.secret.Secret

---The secret that weir has under that name, from the environment or from the
---context in use (which is asked now: its program is run, its file read); nil
---if there is none, nil and why if it cannot be had.
---@param name string
---@return weir.secret.Secret? secret
---@return weir.err? err
function secret.find(name) end

---A secret out of a string, such as what a password manager answered. It is
---hidden in all that the program writes from now on.
---@param text string  4 bytes or more, without NUL
---@param name? string what `tostring` calls it
---@return weir.secret.Secret
function secret.new(text, name) end

---True if `value` is a secret.
---@param value any
---@return boolean
function secret.is(value) end

return secret
