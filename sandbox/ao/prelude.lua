-- What a process of the sandbox finds when it starts: the parts of aos 2.0.x that handlers use, written anew for the
-- sandbox. Behaviour follows aos where a handler can see it: handlers are tried in order until one matches, `Handlers`
-- is looked up for each message, a handler runs in a coroutine, `Receive` waits, `ao.send` needs no target, Eval is the
-- owner's alone, and everything unhandled goes to the Inbox.
--
-- Called with what the host lends: encode and decode for JSON, and the budget of instructions for one message.

local encode, decode, INSTRUCTIONS = ...

local sethook, create, unpack = debug.sethook, coroutine.create, table.unpack
local STEP = 100000

-- Each coroutine has its own hook, so each gets one. Once the budget is spent every further instruction fails, which no
-- pcall can outlive.
local spent = 0
local tick
tick = function()
  spent = spent + STEP
  if spent > INSTRUCTIONS then
    sethook(tick, "", 1)
    error("the message used up its instructions", 0)
  end
end
coroutine.create = function(body)
  local co = create(body)
  sethook(co, tick, "", STEP)
  return co
end
coroutine.wrap = function(body)
  local co = coroutine.create(body)
  return function(...)
    local results = table.pack(coroutine.resume(co, ...))
    if not results[1] then error(results[2], 0) end
    return unpack(results, 2, results.n)
  end
end

debug, io, os.execute, os.exit, os.remove, os.rename, os.tmpname, os.getenv = nil, nil, nil, nil, nil, nil, nil, nil
package, dofile, loadfile, python = nil, nil, nil, nil

json = { encode = function(value) return encode(value) end, decode = function(text) return decode(text) end }
local modules = { json = json }
function require(name)
  return modules[name] or modules[(name:gsub("^%.", ""))] or error("module '" .. tostring(name) .. "' not found", 2)
end

Inbox = {}
local printed = {}

function print(...)
  local words = table.pack(...)
  for index = 1, words.n do
    words[index] = type(words[index]) == "table" and encode(words[index]) or tostring(words[index])
  end
  printed[#printed + 1] = table.concat(words, "\t")
end

-- ao -----------------------------------------------------------------------------------------------------------------

ao = { _version = "0.0.6", id = "", env = nil, reference = 0, outbox = { Output = {}, Messages = {}, Spawns = {}, Assignments = {} } }
modules.ao = ao

local ROOT_FIELDS = { Target = true, Data = true, Anchor = true, Tags = true, From = true, Owner = true }

function ao.clearOutbox()
  ao.outbox = { Output = {}, Messages = {}, Spawns = {}, Assignments = {} }
end

local function outgoing(msg, kind)
  ao.reference = ao.reference + 1
  local reference = tostring(ao.reference)
  local tags = {
    { name = "Data-Protocol", value = "ao" },
    { name = "Variant", value = "ao.TN.1" },
    { name = "Type", value = kind },
    { name = "Reference", value = reference },
  }
  for name, value in pairs(msg) do
    if not ROOT_FIELDS[name] then tags[#tags + 1] = { name = name, value = value } end
  end
  for name, value in pairs(msg.Tags or {}) do
    tags[#tags + 1] = type(value) == "table" and value.name and value or { name = name, value = value }
  end
  return { Target = msg.Target, Data = msg.Data, Anchor = ("0"):rep(32 - #reference) .. reference, Tags = tags }, reference
end

function ao.send(msg)
  assert(type(msg) == "table", "msg should be a table")
  local message, reference = outgoing(msg, "Message")
  table.insert(ao.outbox.Messages, message)
  message.receive = function(from)
    return Receive(function(answer)
      return answer.Tags["X-Reference"] == reference and (from == nil or answer.From == from)
    end)
  end
  return message
end

function ao.spawn(module, msg)
  local spawn = outgoing(msg or {}, "Process")
  table.insert(spawn.Tags, { name = "Module", value = module })
  table.insert(ao.outbox.Spawns, spawn)
  return spawn
end

function ao.assign(assignment) table.insert(ao.outbox.Assignments, assignment) end

function ao.isTrusted(msg)
  for _, tag in ipairs(ao.env.Process.Tags) do
    if tag.name == "Authority" and (msg.From == tag.value or msg.Owner == tag.value) then return true end
  end
  return false
end

Send = ao.send
Spawn = ao.spawn
Assign = ao.assign

-- Handlers -----------------------------------------------------------------------------------------------------------

Handlers = { _version = "0.0.5", list = {}, coroutines = {}, onceNonce = 0, utils = {} }
modules.handlers = Handlers
modules["handlers-utils"] = Handlers.utils
modules.utils = {}

function Handlers.utils.hasMatchingTag(name, value)
  return function(msg) return msg.Tags[name] == value end
end

function Handlers.utils.hasMatchingData(value)
  return function(msg) return msg.Data == value end
end

function Handlers.utils.reply(input)
  return function(msg)
    local answer = type(input) == "table" and input or { Data = input }
    msg.reply(answer)
  end
end

function Handlers.utils.continue(pattern)
  return function(msg)
    local match = modules.utils.matchesSpec(msg, pattern)
    if not match or match == 0 or match == "skip" then return match end
    return 1
  end
end

-- Tells whether a message fits a pattern: a function, an action's name, or a table of tags and fields.
function modules.utils.matchesSpec(msg, spec)
  if type(spec) == "function" then return spec(msg) end
  if type(spec) == "string" then return msg.Action == spec end
  for key, wanted in pairs(spec) do
    local value = msg[key] == nil and msg.Tags[key] or msg[key]
    if value == nil then return false end
    if type(wanted) == "function" then
      if not wanted(value, msg) then return false end
    elseif wanted ~= "_" and tostring(value) ~= tostring(wanted) and not tostring(value):match("^" .. tostring(wanted) .. "$") then
      return false
    end
  end
  return true
end

local function position(name)
  for index, handler in ipairs(Handlers.list) do
    if handler.name == name then return index end
  end
end

local function entry(...)
  local given = table.pack(...)
  local name, pattern, handle, limit
  if type(given[1]) == "string" and given.n >= 3 then
    name, pattern, handle, limit = given[1], given[2], given[3], given[4]
  elseif type(given[1]) == "string" then
    name, pattern, handle = given[1], function(msg) return msg.Action == given[1] end, given[2]
  else
    name, pattern, handle, limit = "_" .. tostring(given[1]), given[1], given[2], given[3]
  end
  assert(type(handle) == "function" or type(handle) == "table", "handle must be a function or resolver")
  return { name = name, pattern = pattern, handle = handle, maxRuns = limit }
end

local function place(handler, fresh)
  local index = position(handler.name)
  if index then Handlers.list[index] = handler else table.insert(Handlers.list, fresh, handler) end
  return #Handlers.list
end

function Handlers.append(...) return place(entry(...), #Handlers.list + 1) end
Handlers.add = Handlers.append
function Handlers.prepend(...) return place(entry(...), 1) end
function Handlers.once(...)
  local handler = entry(...)
  Handlers.onceNonce = Handlers.onceNonce + 1
  if select("#", ...) < 3 then handler.name = "_once_" .. Handlers.onceNonce end
  handler.maxRuns = 1
  return place(handler, 1)
end
function Handlers.remove(name)
  local index = position(name)
  if index then table.remove(Handlers.list, index) end
  return #Handlers.list
end

function Handlers.receive(pattern)
  local this = coroutine.running()
  Handlers.once(pattern, function(msg)
    local ok, problem = coroutine.resume(this, msg)
    if not ok then error(problem, 0) end
  end)
  return coroutine.yield({})
end
Receive = Handlers.receive

function Handlers.evaluate(msg, env)
  for _, handler in ipairs({ unpack(Handlers.list) }) do
    if position(handler.name) then
      local match = modules.utils.matchesSpec(msg, handler.pattern)
      if match == true or match == "break" then match = -1 end
      if match == "continue" then match = 1 end
      if match and match ~= 0 and match ~= "skip" then
        if handler.maxRuns then
          handler.maxRuns = handler.maxRuns - 1
          if handler.maxRuns < 1 then Handlers.remove(handler.name) end
        end
        local handle = handler.handle
        if type(handle) == "table" then
          for pattern, resolve in pairs(handle) do
            if modules.utils.matchesSpec(msg, pattern) then handle = resolve break end
          end
        end
        handle(msg)
        if match == -1 then return "handled" end
      end
    end
  end
  table.insert(Inbox, msg)
end

-- One message --------------------------------------------------------------------------------------------------------

local function evaluate(msg)
  local chunk, problem = load("return " .. msg.Data, "@stdin", "t")
  if not chunk then chunk, problem = load(msg.Data, "@stdin", "t") end
  if not chunk then error(problem, 0) end
  local value = chunk()
  local ok, data = pcall(encode, value)
  if type(value) ~= "table" or not ok then data = tostring(value) end
  ao.outbox.Output = { data = data, prompt = "aos> ", print = true }
end

local function evalPattern(msg) return msg.Action == "Eval" and msg.From == Owner end

local function normalize(msg)
  msg.TagArray, msg.Tags = msg.Tags, {}
  for _, tag in ipairs(msg.TagArray) do
    msg.Tags[tag.name] = tag.value
    if msg[tag.name] == nil then msg[tag.name] = tag.value end
  end
  msg.reply = function(answer)
    answer.Target = answer.Target or msg["Reply-To"] or msg.From
    answer["X-Reference"] = msg.Reference
    return ao.send(answer)
  end
  return msg
end

-- Gives {Messages, Spawns, Assignments, Output} or {Error}. `source` is the process's own Lua, run once at the start.
return function(msg, env, source)
  spent, printed = 0, {}
  if not ao.env then
    ao.env, ao.id, Owner = env, env.Process.Id, env.Process.Owner
    Handlers.add("_eval", evalPattern, evaluate)
  end
  ao.clearOutbox()
  if not source and msg.From ~= msg.Owner and not ao.isTrusted(msg) then
    return { Messages = {}, Spawns = {}, Assignments = {}, Output = { data = "Message is not trusted! From: " .. msg.From } }
  end
  local co = coroutine.create(function()
    normalize(msg)
    if source then return assert(load(source, "@process", "t"))() end
    return Handlers.evaluate(msg, env)
  end)
  local ok, problem = coroutine.resume(co)
  if not ok then
    return { Error = table.concat(printed, "\n") .. "\n\nerror:\n" .. tostring(problem) }
  end
  if #printed > 0 and not ao.outbox.Output.data then
    ao.outbox.Output = { data = table.concat(printed, "\n"), prompt = "aos> ", print = true }
  elseif #printed > 0 then
    ao.outbox.Output.data = table.concat(printed, "\n") .. "\n" .. ao.outbox.Output.data
  end
  for _, message in ipairs(ao.outbox.Messages) do message.receive = nil end
  return { Messages = ao.outbox.Messages, Spawns = ao.outbox.Spawns, Assignments = ao.outbox.Assignments, Output = ao.outbox.Output }
end
