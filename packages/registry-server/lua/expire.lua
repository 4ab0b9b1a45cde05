-- One sweep: evicts leases past their deadline, unless a pause, or how many are silent, suggests another cause.
-- ARGS guardMs
-- Replies {expired, guarded, graceUntilMs, '1' if more was due, '1' if the store was away or came back recently}
local guardMs, limit = tonumber(ARGS.guardMs), LIMITS.SWEEP_LIMIT

local function metaNumber(name) return tonumber(redis.call('HGET', META, name) or '0') or 0 end

-- Whether another process swept last: this one may have come back with an older dump.
local function hasRestarted()
  local run = runId()
  if not run then return false end
  local known = redis.call('HGET', META, 'runId')
  redis.call('HSET', META, 'runId', run)
  return known and known ~= run
end

-- While sweeps paused, leases could not be renewed either. A clock that jumped makes every deadline wrong.
local function grace()
  local lastSweep, longest = redis.call('HGET', META, 'lastSweepAt'), longestTtl()
  redis.call('HSET', META, 'lastSweepAt', text(nowMs))
  lastSweep = lastSweep and tonumber(lastSweep)
  if lastSweep and nowMs >= lastSweep and nowMs - lastSweep <= LIMITS.SWEEP_GAP_MS then return metaNumber('graceUntil') end
  local isOther = hasRestarted()
  if lastSweep and (isOther or nowMs - lastSweep > longest) then
    -- After so long nothing can be assumed: an instance that lives renews within its own TTL.
    redis.call('HSET', META, 'doubtFrom', text(nowMs), 'doubtCursor', '0', 'doubtedAt', text(nowMs), 'graceUntil', '0')
    return 0
  end
  local start, before = metaNumber('graceStart'), metaNumber('graceUntil')
  local isChained = start > 0 and start <= nowMs and nowMs - metaNumber('lastGapAt') <= longest + LIMITS.GRACE_CHAIN_MS
  if not isChained then start, before = nowMs, 0 end
  local pauseMs = (not lastSweep or nowMs < lastSweep) and longest or nowMs - lastSweep
  local lengthMs = math.min(pauseMs * 2, longest)
  local untilMs = math.min(math.max(nowMs + lengthMs, before), start + LIMITS.LONGEST_GRACE_MS)
  redis.call('HSET', META, 'graceStart', text(start), 'lastGapAt', text(nowMs), 'graceUntil', text(untilMs))
  for _, lease in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '(' .. text(nowMs + longest), '+inf')) do
    redis.call('ZADD', LEASES, 'XX', text(nowMs + ttlOf(lease)), lease)
  end
  return untilMs
end

local function removeEnded()
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', EXPIRIES, '-inf', text(nowMs), 'LIMIT', 0, 100)) do
    local resource = redis.call('HGET', RESOURCES, key)
    if resource then addTombstone('r:' .. key, deleteResource(key, resource), LIMITS.RESOURCE_TOMBSTONE_MS)
    else redis.call('ZREM', EXPIRIES, key) end
  end
  local forgotten = redis.call('ZRANGEBYSCORE', TOMBSTONE_EXPIRIES, '-inf', text(nowMs), 'LIMIT', 0, limit)
  for _, member in ipairs(forgotten) do
    redis.call('ZREM', TOMBSTONE_EXPIRIES, member)
    redis.call('HDEL', TOMBSTONES, member)
  end
  return #forgotten == limit
end

-- Marks the leases as unconfirmed that were not renewed since the store was found to have been away, one page per
-- sweep. Each lease has its own TTL from now on to renew. Returns whether some are left.
local function doubtSome()
  local from = metaNumber('doubtFrom')
  if from == 0 then return false end
  local cursor = redis.call('HGET', META, 'doubtCursor') or '0'
  local page = redis.call('HSCAN', HOLDERS, cursor, 'COUNT', limit)
  local leases = {}
  for i = 1, #page[2], 2 do leases[#leases + 1] = page[2][i] end
  table.sort(leases)
  for _, lease in ipairs(leases) do
    local deadline, instanceKey = deadlineOf(lease), redis.call('HGET', HOLDERS, lease)
    local record = instanceKey and readRecord(instanceKey)
    -- A lease renewed since then lies in this range; a later deadline comes from a clock that has jumped back.
    local isRenewed = deadline and deadline >= from + ttlOf(lease) and deadline <= nowMs + ttlOf(lease)
    if record and record.lease == lease and deadline and not isRenewed then
      redis.call('ZADD', LEASES, 'XX', text(nowMs + ttlOf(lease)), lease)
      redis.call('SADD', DOUBTS, lease)
      if record.doubt == '' then
        record.doubt, record.doubtUntil = 'unconfirmed', '0'
        writeRecord(instanceKey, record, 'unconfirmed')
      end
    end
  end
  if page[1] == '0' then
    redis.call('HDEL', META, 'doubtFrom', 'doubtCursor')
    return false
  end
  redis.call('HSET', META, 'doubtCursor', page[1])
  return true
end

local hasMoreTombstones = removeEnded()
local graceUntil = grace()
local doubtedAt = metaNumber('doubtedAt')
local isUncertain = doubtedAt > 0 and nowMs - doubtedAt < longestTtl() and '1' or '0'
if doubtSome() then return { 0, 0, '0', '1', isUncertain } end
if nowMs < graceUntil then return { 0, 0, text(graceUntil), hasMoreTombstones and '1' or '0', isUncertain } end

local due = redis.call('ZRANGEBYSCORE', LEASES, '-inf', text(nowMs), 'LIMIT', 0, LIMITS.SWEEP_COUNT_LIMIT)
local silent, victims = {}, {}
for i, lease in ipairs(due) do
  local instanceKey = redis.call('HGET', HOLDERS, lease)
  local record = instanceKey and readRecord(instanceKey)
  if record and record.lease == lease then
    victims[#victims + 1] = { lease = lease, instanceKey = instanceKey, record = record }
    if record.doubt == '' then silent[serviceOf(instanceKey)] = (silent[serviceOf(instanceKey)] or 0) + 1 end
  else
    endLease(lease, instanceKey or '')
  end
end

-- One window per service: when it began, the number of instances then, how many were lost, when the guard ends.
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
  if window.untilMs <= nowMs and window.size >= LIMITS.GUARD_FLOOR
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
  local window = record.doubt == '' and windowOf(serviceOf(victim.instanceKey), ttlOf(victim.lease))
  if window and window.untilMs > nowMs then
    record.doubt, record.doubtUntil = 'unreachable', text(window.untilMs)
    redis.call('ZADD', LEASES, 'XX', text(window.untilMs), victim.lease)
    redis.call('SADD', DOUBTS, victim.lease)
    writeRecord(victim.instanceKey, record, 'unreachable')
    guarded = guarded + 1
  else
    if window then window.lost = window.lost + 1 end
    deleteRecord(victim.instanceKey, record, 'expired')
    expired = expired + 1
  end
end
for service, window in pairs(windows) do
  if redis.call('HEXISTS', COUNTS, service) == 1 then
    redis.call('HSET', GUARDS, service, table.concat({ text(window.began), text(window.size), text(window.lost),
      text(window.untilMs) }, '|'))
  end
end
local hasMore = hasMoreTombstones or #victims > expired + guarded
return { expired, guarded, '0', hasMore and '1' or '0', isUncertain }
