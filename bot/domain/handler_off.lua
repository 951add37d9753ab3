-- Patchbell state patch: turn it off. The process's owner evaluates this; for everybody else it does nothing.
-- What was published stays readable as it was then, and is not kept up to date any more. The message that turned it on, or the
-- handler's own text evaluated once more, turns it on again.
StatePatchEnabled = false
if type(StatePatch) ~= "table" then return "StatePatch: it was never on here" end
return "StatePatch: off; what was published stays as it was"
