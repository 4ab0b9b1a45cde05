-- Takes what is newer in a replica's picture than record and tombstone.
-- ARGS afterRevision, afterDigest: where the previous part ended ('' = this is the first)
-- REST groups of four: kind, key, revision, rest
--   'i' instanceKey revision `lease|nonce|registeredAtMs|doubt|body`    'r' key revision `untilMs|claims|value`
--   'd' tombstone member ('i:<instanceKey>', 'x:<lease>' or 'r:<key>') revision, ms to keep it
-- Replies {taken, epoch, revision, digest} after this part, or {'lost'} when the previous part is no longer there
local taken = 0

local function hasTombstone(member, revision)
  local tombstone = redis.call('HGET', TOMBSTONES, member)
  return tombstone and (tonumber(tombstone) or 0) >= revision
end

local function restoreInstance(instanceKey, revision, rest)
  local existing = readRecord(instanceKey)
  if hasTombstone('i:' .. instanceKey, tonumber(revision)) then return end
  if existing and tonumber(existing.revision) >= tonumber(revision) then return end
  local lease, nonce, registeredAt, offered, body = string.match(rest, '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|(.*)$')
  local bare, sequence = string.match(nonce, '^([^#]*)#(%d+)$')
  if lease ~= '' and redis.call('HEXISTS', TOMBSTONES, 'x:' .. lease) == 1 then return end
  local isKnown = existing and existing.lease == lease
  local doubt = 'unconfirmed'
  -- For a lease that the store knows, the offer is the newer state: a hold broke, or a doubt was cleared.
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
  if hasTombstone('r:' .. key, tonumber(revision)) then return end
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
  if hasTombstone(member, tonumber(revision)) then return end
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
  -- With the offered revision, not that of this write: a picture where the entry came back later must still win.
  addTombstone(member, revision, tonumber(forMs))
  taken = taken + 1
end

if ARGS.afterRevision ~= '' and ARGS.afterRevision ~= '0' then
  local id = ARGS.afterRevision .. '-0'
  local entry = redis.call('XRANGE', LOG, id, id)[1]
  if not entry then return { 'lost' } end
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'digest' and entry[2][i + 1] ~= ARGS.afterDigest then return { 'lost' } end
  end
end
for i = REST + 1, #ARGV, 4 do
  local kind = ARGV[i]
  if kind == 'i' then restoreInstance(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  elseif kind == 'r' then restoreResource(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  else restoreTombstone(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) end
end
return { taken, redis.call('HGET', META, 'epoch'), redis.call('HGET', META, 'last'), redis.call('HGET', META, 'digest') or '' }
