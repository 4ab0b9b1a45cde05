-- One sweep: evicts leases past their deadline, unless time or numbers say that the silence is not theirs.
-- ARGV 4 longest pause between sweeps ms, 5 longest grace ms, 6 guard ms, 7 guard floor, 8 most to evict, 9 most to count,
-- 10 pauses so near, besides the longest TTL, make a chain ms
-- Replies {expired, guarded, graceUntilMs, '1' if more was due}
local gapMs, longestGraceMs, guardMs, guardFloor = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local limit, chainMs = tonumber(ARGV[8]), tonumber(ARGV[10])

local function metaNumber(name) return tonumber(redis.call('HGET', META, name) or '0') or 0 end

-- Nobody could renew while nobody swept, and a clock that stepped makes every deadline wrong.
local function grace()
  local lastSweep, longest = redis.call('HGET', META, 'lastSweepAt'), longestTtl()
  redis.call('HSET', META, 'lastSweepAt', text(nowMs))
  lastSweep = lastSweep and tonumber(lastSweep)
  if lastSweep and nowMs >= lastSweep and nowMs - lastSweep <= gapMs then return metaNumber('graceUntil') end
  local start, before = metaNumber('graceStart'), metaNumber('graceUntil')
  local isChained = start > 0 and start <= nowMs and nowMs - metaNumber('lastGapAt') <= longest + chainMs
  if not isChained then start, before = nowMs, 0 end
  local pauseMs = (not lastSweep or nowMs < lastSweep) and longest or nowMs - lastSweep
  local lengthMs = math.min(pauseMs * 2, longest)
  local untilMs = math.min(math.max(nowMs + lengthMs, before), start + longestGraceMs)
  redis.call('HSET', META, 'graceStart', text(start), 'lastGapAt', text(nowMs), 'graceUntil', text(untilMs))
  for _, lease in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '(' .. text(nowMs + longest), '+inf')) do
    redis.call('ZADD', LEASES, 'XX', text(nowMs + ttlOf(lease)), lease)
  end
  return untilMs
end

local function removeEnded()
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', EXPIRIES, '-inf', text(nowMs), 'LIMIT', 0, 100)) do
    local resource = redis.call('HGET', RESOURCES, key)
    if resource then bury('r:' .. key, deleteResource(key, resource), 86400000)
    else redis.call('ZREM', EXPIRIES, key) end
  end
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', GRAVES, '-inf', text(nowMs), 'LIMIT', 0, 1000)) do
    redis.call('ZREM', GRAVES, member)
    redis.call('HDEL', TOMBSTONES, member)
  end
end

removeEnded()
local graceUntil = grace()
if nowMs < graceUntil then return { 0, 0, text(graceUntil), '0' } end

local due = redis.call('ZRANGEBYSCORE', LEASES, '-inf', text(nowMs), 'LIMIT', 0, tonumber(ARGV[9]))
local silent, victims = {}, {}
for i, lease in ipairs(due) do
  local field = redis.call('HGET', HOLDERS, lease)
  local record = field and readRecord(field)
  if record and record.lease == lease then
    victims[#victims + 1] = { lease = lease, field = field, record = record }
    if record.doubt == '' then silent[serviceOf(field)] = (silent[serviceOf(field)] or 0) + 1 end
  else
    endLease(lease, field or '')
  end
end

-- One window a service: when it began, how many there were, how many went, until when the guard holds.
local windows = {}
local function windowOf(service, ttlMs)
  if windows[service] then return windows[service] end
  local began, size, lost, untilMs = string.match(redis.call('HGET', GUARDS, service) or '', '^(%d+)|(%d+)|(%d+)|(%d+)$')
  local window = { began = tonumber(began or '0'), size = tonumber(size or '0'), lost = tonumber(lost or '0'),
    untilMs = tonumber(untilMs or '0') }
  if window.began == 0 or nowMs - window.began > ttlMs or nowMs < window.began then
    window.began, window.lost = nowMs, 0
    window.size = tonumber(redis.call('HGET', COUNTS, service) or '0')
  end
  if window.untilMs > nowMs + guardMs then window.untilMs = 0 end
  if window.untilMs <= nowMs and window.size >= guardFloor
    and (window.lost + (silent[service] or 0)) * 2 > window.size then
    window.untilMs = nowMs + guardMs
  end
  windows[service] = window
  return window
end

local expired, guarded = 0, 0
for _, victim in ipairs(victims) do
  if expired + guarded >= limit then break end
  local record = victim.record
  local window = record.doubt == '' and windowOf(serviceOf(victim.field), ttlOf(victim.lease))
  if window and window.untilMs > nowMs then
    record.doubt, record.doubtUntil = 'unreachable', text(window.untilMs)
    redis.call('ZADD', LEASES, 'XX', text(window.untilMs), victim.lease)
    redis.call('SADD', DOUBTS, victim.lease)
    writeRecord(victim.field, record, 'unreachable')
    guarded = guarded + 1
  else
    if window then window.lost = window.lost + 1 end
    deleteRecord(victim.field, record, 'expired')
    expired = expired + 1
  end
end
for service, window in pairs(windows) do
  if redis.call('HEXISTS', COUNTS, service) == 1 then
    redis.call('HSET', GUARDS, service, table.concat({ text(window.began), text(window.size), text(window.lost),
      text(window.untilMs) }, '|'))
  end
end
return { expired, guarded, '0', #victims > expired + guarded and '1' or '0' }
