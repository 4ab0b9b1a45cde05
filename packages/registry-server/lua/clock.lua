-- The store's clock: Redis TIME, so that no server's clock matters. Returns seconds and microseconds.
local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]), tonumber(time[2])
end

-- The run id of this Redis process; nil if the INFO command is not allowed.
local function runId()
  local info = redis.pcall('INFO', 'server')
  return type(info) == 'string' and string.match(info, 'run_id:(%w+)') or nil
end
