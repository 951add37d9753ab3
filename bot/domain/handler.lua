-- Patchbell state patch, version @VERSION@. For processes that run aos 2.0.x (not hyper-aos).
-- From Patchbell, a Discord bot that helps communities show their processes' state: `python -m bot handler` prints this
-- text, and anybody may read, change and share it (MIT licence).
--
-- What it does: it shows the globals named below to everyone, through HyperBEAM's patch@1.0 device. When the owner evaluates
-- it, it publishes them at once; from then on each message that changes one of them publishes what changed, and nothing
-- else. It moves no tokens, sends nothing to anybody, and takes orders from the process's owner alone.
--
-- To publish everything again: send Action = @ACTION@. To turn it off: StatePatchEnabled = false. To show what is in no
-- global: declare it with get = function() return … end in the place of names.
--
-- A key with more than StatePatch.most entries, or that takes more than StatePatch.instructions to look through, would make
-- every message slow: it is followed no more, and the reason can be read at statepatch/stopped/<its path>. Instructions of
-- Lua, not seconds, because every compute unit must come to the same result. After a change of the limits, or of the table,
-- @ACTION@ tries again.
--
-- How values appear: numbers that JSON cannot carry exactly, booleans and objects with __tostring as text; lists as lists;
-- other integer keys as text. What has no JSON form (functions, cycles, NaN, broken UTF-8) is left out, and so are empty
-- tables, because publishing an empty table wipes the key. patch@1.0 merges, so an entry that goes away is
-- overwritten: amounts by "0", everything else by "__ao-unset__", which newer nodes take as "delete". A global that is not
-- there at all leaves what was published before.

if type(Handlers) ~= "table" or not Handlers.evaluate or not Handlers.prepend or type(ao) ~= "table" or not ao.send then
  return "StatePatch: nothing was changed, because this is no aos 2.0.x process"
end

if type(StatePatch) ~= "table" or type(StatePatch.sent) ~= "table" then StatePatch = { sent = {} } end
StatePatch.version = @VERSION@
StatePatch.most, StatePatch.instructions = 20000, 5000000
StatePatch.stopped = StatePatch.stopped or {} -- path → why it is not followed
StatePatch.again = {} -- path → true where something went wrong: what was sent of it may not be all
StatePatch.declared = {
@DECLARED@
}

-- After an Eval without a value aos's own print fails, and would fail the whole message with it.
function StatePatch.tell(words)
  if not pcall(print, words) and HANDLER_PRINT_LOGS then table.insert(HANDLER_PRINT_LOGS, words) end
end

do
  local DEVICE, UNSET = "patch@1.0", "__ao-unset__"
  local DEEPEST, EXACT = 16, 99999999999999 -- aos's JSON writes 14 digits
  local TOO_MANY, TOO_SLOW = {}, {}
  local sizes = setmetatable({}, { __mode = "k" }) -- published object → how many entries it has
  local update

  local function text(value)
    return utf8.len(value) and value or nil
  end

  local function number(value)
    if value ~= value or value == math.huge or value == -math.huge then return nil end
    if math.type(value) == "integer" and (value > EXACT or value < -EXACT) then return tostring(value) end
    return value
  end

  local function scalar(value)
    local kind = type(value)
    if kind == "string" then return text(value) end
    if kind == "number" then return number(value) end
    if kind == "boolean" then return tostring(value) end
    local meta = kind == "table" and getmetatable(value)
    return type(meta) == "table" and meta.__tostring and text(tostring(value)) or nil
  end

  local function name_of(key, value)
    if type(key) == "string" then return key ~= "" and text(key) or nil end
    local name = math.type(key) == "integer" and tostring(key) or nil
    return name and value[name] == nil and name or nil
  end

  local function is_object(value)
    return type(value) == "table" and value[1] == nil
  end

  local function is_list(value)
    if value[1] == nil then return false end
    local count = 0
    for _ in pairs(value) do
      count = count + 1
      if count > StatePatch.most then error(TOO_MANY, 0) end
    end
    return count == #value
  end

  local function same(one, other)
    if type(one) ~= "table" or type(other) ~= "table" then return one == other end
    for key, value in pairs(one) do
      if not same(value, other[key]) then return false end
    end
    for key in pairs(other) do
      if one[key] == nil then return false end
    end
    return true
  end

  local function tombstone(value)
    return type(value) ~= "table" and tonumber(value) and "0" or UNSET
  end

  -- A list is published whole. One that holds something without a JSON form is no list.
  local function update_list(value, sent, everything, around)
    local now = {}
    for index = 1, #value do
      around.left = around.left - 1
      if around.left < 0 then error(TOO_MANY, 0) end
      now[index] = update(value[index], nil, true, around)
      if now[index] == nil then return nil end
    end
    return now, (everything or not same(now, sent)) and now or nil
  end

  -- Changes `sent` in place: a copy for each message would cost more than all the rest. What went away is searched for only
  -- where the number of entries says that something did.
  local function update_object(value, sent, everything, around)
    local now, changed = is_object(sent) and sent or {}, {}
    local left, live, size = around.left, 0, sizes[now] or now ~= sent and 0 or -math.huge
    for key, inner in pairs(value) do
      left = left - 1
      if left < 0 then error(TOO_MANY, 0) end
      if not everything and inner == now[key] then
        live = live + 1
      else
        local name = name_of(key, value)
        if name then
          local before = now[name]
          around.left = left
          now[name], changed[name] = update(inner, before, everything, around)
          left = around.left
          if now[name] ~= nil then live = live + 1 end
          if now[name] == nil and before ~= nil then changed[name], size = tombstone(before), size - 1 end
          if now[name] ~= nil and before == nil then size = size + 1 end
        end
      end
    end
    around.left = left
    if size ~= live then
      for name, before in pairs(now) do
        if value[name] == nil and value[math.tointeger(name)] == nil then
          now[name], changed[name] = nil, tombstone(before)
        end
      end
    end
    sizes[now] = live
    if now ~= sent and live == 0 then return nil end
    return now, next(changed) ~= nil and changed or nil
  end

  -- Gives what is published of a value from now on (nil: nothing), and what a merge needs to get there from `sent` (nil: it
  -- is there already, unless everything is wanted).
  update = function(value, sent, everything, around)
    local plain = scalar(value)
    if plain ~= nil then return plain, (everything or plain ~= sent) and plain or nil end
    if type(value) ~= "table" or around[value] or around.depth >= DEEPEST then return nil end
    around[value], around.depth = true, around.depth + 1
    local now, changed
    if is_list(value) then now, changed = update_list(value, sent, everything, around) end
    if now == nil then now, changed = update_object(value, sent, everything, around) end
    around[value], around.depth = nil, around.depth - 1
    return now, changed
  end

  local function read(names)
    local value = _G
    for _, name in ipairs(names) do
      if type(value) ~= "table" then return nil end
      value = value[name]
    end
    return value
  end

  local function put(message, path, value)
    for index = 1, #path - 1 do
      message[path[index]] = message[path[index]] or {}
      message = message[path[index]]
    end
    message[path[#path]] = value
  end

  local function send(message)
    local ok, problem = pcall(ao.send, message)
    if ok then return end
    StatePatch.sent = {} -- nobody knows what arrived: the next time everything goes out again
    error(problem, 0)
  end

  local function look(entry, before, everything)
    local value = entry.get and entry.get()
    if not entry.get then value = read(entry.names) end
    local now, changed = update(value, before, everything, { depth = 0, left = StatePatch.most })
    if now == nil and before ~= nil and value ~= nil then changed = tombstone(before) end
    return value ~= nil, now, changed
  end

  local function with_patience(work, ...)
    if type(debug) ~= "table" or not debug.sethook then return pcall(work, ...) end
    local hook, mask, count = debug.gethook()
    debug.sethook(function() error(TOO_SLOW, 0) end, "", StatePatch.instructions)
    local results = table.pack(pcall(work, ...))
    debug.sethook(hook, mask, count)
    return table.unpack(results, 1, results.n)
  end

  -- One key that cannot be looked through holds nothing else up: past a limit it is left alone from then on, after any other
  -- fault all of it goes out the next time.
  local function give_up(name, problem)
    sizes = setmetatable({}, { __mode = "k" })
    if problem == TOO_MANY then
      StatePatch.stopped[name] = ("more than %d entries"):format(StatePatch.most)
    elseif problem == TOO_SLOW then
      StatePatch.stopped[name] = ("more than %d instructions"):format(StatePatch.instructions)
    else
      StatePatch.again[name] = true
    end
    local why = StatePatch.stopped[name] or type(problem) == "string" and problem or type(problem)
    StatePatch.tell("StatePatch: " .. name .. " is not followed: " .. why)
  end

  -- Sends one patch message with what changed, or with everything. Gives the published paths, and the globals that have
  -- nothing to show.
  function StatePatch.publish(everything)
    local message, published, empty, stopped = { device = DEVICE }, {}, {}, StatePatch.stopped
    if everything then StatePatch.stopped = {} end
    for _, entry in ipairs(StatePatch.declared) do
      local name, reason = table.concat(entry.path, "/"), { "statepatch", "stopped", table.unpack(entry.path) }
      if not StatePatch.stopped[name] then
        local before, all = StatePatch.sent[name], everything or StatePatch.again[name]
        local ok, there, now, changed = with_patience(look, entry, before, all)
        if ok then
          StatePatch.again[name] = nil
          if now ~= nil or there then StatePatch.sent[name] = now end
          if now == nil or type(now) == "table" and next(now) == nil then
            empty[#empty + 1] = entry.get and name or table.concat(entry.names, ".")
          end
          if changed ~= nil then
            put(message, entry.path, changed)
            published[#published + 1] = name
          end
        else
          give_up(name, there)
        end
        if StatePatch.stopped[name] then
          put(message, reason, StatePatch.stopped[name])
        elseif stopped[name] then
          put(message, reason, UNSET)
        end
      end
    end
    if next(message, next(message)) ~= nil then send(message) end -- there is more in it than the device
    return published, empty
  end

  -- Publishes everything and says in one line what came of it.
  function StatePatch.announce()
    StatePatchEnabled = true
    local published, empty = StatePatch.publish(true)
    local words = #published > 0 and "published " .. table.concat(published, ", ") or "nothing published"
    if #empty > 0 then words = words .. "; missing or empty: " .. table.concat(empty, ", ") end
    for _, entry in ipairs(StatePatch.declared) do
      local name = table.concat(entry.path, "/")
      local why = StatePatch.stopped[name]
      if why then words = ("%s; not followed: %s (%s)"):format(words, name, why) end
    end
    return "StatePatch: " .. words
  end
end

do
  local function publish()
    if not StatePatch or not StatePatchEnabled then return end
    local ok, problem = pcall(StatePatch.publish)
    if not ok then pcall(StatePatch.tell, "StatePatch: " .. (type(problem) == "string" and problem or type(problem))) end
  end

  -- aos looks Handlers.evaluate up for every message, so wrapping it covers every handler, later ones and Eval too. When a
  -- handler fails nothing is published: the next message that works does it. A fault in here never fails a message.
  if Handlers.evaluate ~= StatePatch.evaluate then
    local evaluate = Handlers.evaluate
    StatePatch.evaluate = function(msg, env)
      local results = table.pack(evaluate(msg, env))
      publish()
      return table.unpack(results, 1, results.n)
    end
    Handlers.evaluate = StatePatch.evaluate
  end

  -- A handler that waits for an answer leaves Handlers.evaluate in the middle: what it changed so far is published before.
  if Handlers.receive and Handlers.receive ~= StatePatch.receive then
    local receive, everywhere = Handlers.receive, Receive == Handlers.receive
    StatePatch.receive = function(...)
      publish()
      return receive(...)
    end
    Handlers.receive = StatePatch.receive
    if everywhere then Receive = StatePatch.receive end
  end
end

-- In front of the others, so that no handler for everything can take it. For a message that a wallet signed, msg.From is the
-- wallet; for one that the process sends to itself it is ao.id.
Handlers.remove("@ACTION@")
Handlers.prepend("@ACTION@", Handlers.utils.hasMatchingTag("Action", "@ACTION@"), function(msg)
  if StatePatch and (msg.From == Owner or msg.From == ao.id) then StatePatch.tell(StatePatch.announce()) end
end)

return StatePatch.announce()
