-- Takes from a replica's picture what is newer than record and tombstone.
-- ARGS afterRevision, afterMark: where the part before this one ended ('' = this is the first)
-- REST groups of four: kind, key, revision, rest
--   'i' instanceKey revision `lease|nonce|registeredAtMs|doubt|body`    'r' key revision `untilMs|claims|value`
--   'd' tombstone member ('i:<instanceKey>', 'x:<lease>' or 'r:<key>') revision ms that it stays
-- Replies {taken, epoch, revision, mark} of where it ended, or {'lost'} when the part before it is there no more
local taken = 0

local function isBuried(member, revision)
  local grave = redis.call('HGET', TOMBSTONES, member)
  return grave and (tonumber(grave) or 0) >= revision
end

local function restoreInstance(instanceKey, revision, rest)
  local existing = readRecord(instanceKey)
  if isBuried('i:' .. instanceKey, tonumber(revision)) then return end
  if existing and tonumber(existing.revision) >= tonumber(revision) then return end
  local lease, nonce, registeredAt, offered, body = string.match(rest, '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|(.*)$')
  local bare, sequence = string.match(nonce, '^([^#]*)#(%d+)$')
  if lease ~= '' and redis.call('HEXISTS', TOMBSTONES, 'x:' .. lease) == 1 then return end
  local isKnown = existing and existing.lease == lease
  local doubt = 'unconfirmed'
  -- Of a lease that the store knows, the news is what is offered: a hold that broke, or a doubt that was cleared.
  if lease == '' then doubt = ''
  elseif isKnown and offered ~= 'unreachable' and not (existing.doubt == 'unconfirmed' and offered == '') then
    doubt = offered
  end
  if existing and not isKnown then endLease(existing.lease, instanceKey) end
  if not existing then countInstance(instanceKey, 1) end
  if lease ~= '' and not isKnown then
    noteTtl(ttlOf(lease))
    startLease(lease, instanceKey, nowMs + ttlOf(lease))
  end
  if doubt ~= '' then redis.call('SADD', DOUBTS, lease) elseif lease ~= '' then redis.call('SREM', DOUBTS, lease) end
  writeRecord(instanceKey, { lease = lease, nonce = bare or nonce, sequence = tonumber(sequence or '0'), doubt = doubt, doubtUntil = '0',
    registeredAt = registeredAt, body = body }, 'restored', revision)
  taken = taken + 1
end

local function restoreResource(key, revision, rest)
  local existing = redis.call('HGET', RESOURCES, key)
  if isBuried('r:' .. key, tonumber(revision)) then return end
  if existing and tonumber(string.match(existing, '^(%d+)|') or '0') >= tonumber(revision) then return end
  local untilMs = string.match(rest, '^(%d+)|')
  if untilMs ~= '0' then
    if tonumber(untilMs) <= nowMs then return end
    redis.call('ZADD', EXPIRIES, untilMs, key)
  else
    redis.call('ZREM', EXPIRIES, key)
  end
  local stored = revision .. '|' .. rest
  releaseClaims(key, existing)
  for pool, number in string.gmatch(claimsOf(stored), '(%a)(%d+)') do redis.call('HSETNX', POOLS[pool], number, key) end
  redis.call('HSET', RESOURCES, key, stored)
  local own, prev = nextRevision()
  append(own, prev, 'put', key, stored, 'restored')
  taken = taken + 1
end

local function restoreTombstone(member, revision, forMs)
  if isBuried(member, tonumber(revision)) then return end
  local kind, key = string.sub(member, 1, 2), string.sub(member, 3)
  if kind == 'x:' then
    local instanceKey = redis.call('HGET', HOLDERS, key)
    local existing = instanceKey and readRecord(instanceKey)
    if existing and existing.lease == key then deleteRecord(instanceKey, existing, 'deregistered') end
  elseif kind == 'i:' then
    local existing = readRecord(key)
    if existing and tonumber(existing.revision) >= tonumber(revision) then return end
    if existing then deleteRecord(key, existing, 'deregistered') end
  else
    local existing = redis.call('HGET', RESOURCES, key)
    if existing and tonumber(string.match(existing, '^(%d+)|') or '0') >= tonumber(revision) then return end
    if existing then deleteResource(key, existing) end
  end
  -- With the revision offered, not that of this write: a picture in which it came back later must still win.
  bury(member, revision, tonumber(forMs))
  taken = taken + 1
end

if ARGS.afterRevision ~= '' and ARGS.afterRevision ~= '0' then
  local id = ARGS.afterRevision .. '-0'
  local entry = redis.call('XRANGE', LOG, id, id)[1]
  if not entry then return { 'lost' } end
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'mark' and entry[2][i + 1] ~= ARGS.afterMark then return { 'lost' } end
  end
end
for i = REST + 1, #ARGV, 4 do
  local kind = ARGV[i]
  if kind == 'i' then restoreInstance(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  elseif kind == 'r' then restoreResource(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  else restoreTombstone(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) end
end
return { taken, redis.call('HGET', META, 'epoch'), redis.call('HGET', META, 'last'), redis.call('HGET', META, 'mark') or '' }
