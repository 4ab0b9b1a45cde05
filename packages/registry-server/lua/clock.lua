-- The store's clock: Redis TIME, so that no server's clock matters. Gives seconds and microseconds.
local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]), tonumber(time[2])
end
