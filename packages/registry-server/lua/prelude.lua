-- Prelude of every script: the clock, revisions, records, tombstones. script-head.ts writes these before it:
--   KEY     the keys of the partition, named as in keys.ts
--   LIMITS  the numbers of limits.ts
--   ARGS    the shared arguments (floor, epoch, logLength) and those of this script, all as text
--   REST    for scripts with a list of any length: its first entry is ARGV[REST + 1]
-- A record is `revision|lease|nonce|doubt|doubtUntilMs|registeredAtMs|body`. If the process numbers its writes, `#` and
-- the number of its last write follow the nonce. A resource is `revision|untilMs|claims|value`, with claims such as
-- `c2136997889,n30080`: the letter of the pool and the number.
local INSTANCES, HOLDERS, LEASES, RESOURCES = KEY.instances, KEY.holders, KEY.leases, KEY.resources
local TOMBSTONES, TOMBSTONE_EXPIRIES, LOG, META = KEY.tombstones, KEY.tombstoneExpiries, KEY.log, KEY.meta
local DOUBTS, HOLDS, COUNTS, GUARDS, EXPIRIES = KEY.doubts, KEY.holds, KEY.counts, KEY.guards, KEY.expiries
local POOLS = { c = KEY.clusterIps, n = KEY.nodePorts }

local seconds, micros = clock()
local nowMs = seconds * 1000 + math.floor(micros / 1000)
local nowUs = seconds * 1000000 + micros
local floor = tonumber(ARGS.floor)

-- Lua's tostring keeps 14 digits; revisions have 16.
local function text(number) return string.format('%.0f', number) end

-- Always write something: a store that accepts no writes must not answer from data that may be old. If there is no
-- epoch, a call without one fails and is repeated with one, so that an epoch is drawn only when needed.
if redis.call('HSETNX', META, 'epoch', ARGS.epoch) == 1 then
  if ARGS.epoch == '' then
    redis.call('HDEL', META, 'epoch')
    return redis.error_reply('NOEPOCH the store is empty')
  end
  redis.call('HSET', META, 'last', '0')
end

local function longestTtl() return tonumber(redis.call('HGET', META, 'longestTtl') or '0') or 0 end

local function noteTtl(ttlMs)
  if ttlMs > longestTtl() then redis.call('HSET', META, 'longestTtl', text(ttlMs)) end
end

-- Returns the next revision; `append` must follow with it.
local function nextRevision()
  local last = tonumber(redis.call('HGET', META, 'last'))
  return text(math.max(last + 1, nowUs, floor + 1)), text(last)
end

-- The digest is a digest of everything so far: two primaries may use the same revision for different writes.
local function append(revision, prev, op, key, value, why)
  local before = redis.call('HGET', META, 'digest') or ''
  local digest = string.sub(redis.sha1hex(table.concat({ before, revision, op, key, value }, ' ')), 1, 12)
  redis.call('XADD', LOG, 'MAXLEN', '~', ARGS.logLength, revision .. '-0', 'prev', prev, 'before', before, 'digest', digest,
    'at', text(nowMs), 'op', op, 'key', key, 'value', value, 'why', why)
  redis.call('HSET', META, 'last', revision, 'digest', digest)
end

-- A value that no script wrote is a record without a holder: it can be overwritten and removed, and blocks nothing.
local function readRecord(instanceKey)
  local value = redis.call('HGET', INSTANCES, instanceKey)
  if not value then return nil end
  local revision, lease, nonce, doubt, doubtUntil, registeredAt, body =
    string.match(value, '^(%d+)|([^|]*)|([^|]*)|(%a*)|(%d+)|(%d+)|(.*)$')
  if not revision then
    return { revision = '0', lease = '', nonce = '', sequence = 0, doubt = '', doubtUntil = '0', registeredAt = '0', body = '',
      isSpoilt = true }
  end
  local bare, sequence = string.match(nonce, '^([^#]*)#(%d+)$')
  return { revision = revision, lease = lease, nonce = bare or nonce, sequence = tonumber(sequence or '0'), doubt = doubt,
    doubtUntil = doubtUntil, registeredAt = registeredAt, body = body }
end

local function textOf(record)
  local nonce = record.sequence > 0 and record.nonce .. '#' .. text(record.sequence) or record.nonce
  return table.concat({ record.revision, record.lease, nonce, record.doubt, record.doubtUntil, record.registeredAt,
    record.body }, '|')
end

-- Stores a record without a log entry: nothing changed that watchers see.
local function keepRecord(instanceKey, record) redis.call('HSET', INSTANCES, instanceKey, textOf(record)) end

-- Writes a record and logs it. `kept` is the revision of its content, if it is not that of this write.
local function writeRecord(instanceKey, record, why, kept)
  local revision, prev = nextRevision()
  record.revision = kept or revision
  local value = textOf(record)
  redis.call('HSET', INSTANCES, instanceKey, value)
  append(revision, prev, 'set', instanceKey, value, why)
  return revision
end

local function serviceOf(instanceKey) return string.match(instanceKey, '^(.*)/[^/]*$') end

-- A lease that no script granted gets the default TTL, so that it does not break the script for other leases.
local function ttlOf(lease) return tonumber(string.match(lease, '^%d+%.(%d+)%.') or '10000') end

-- A JSON object or array, or nil for anything else.
local function decoded(json)
  local isJson, value = pcall(cjson.decode, json)
  if isJson and type(value) == 'table' then return value end
  return nil
end

local function deadlineOf(lease)
  local score = redis.call('ZSCORE', LEASES, lease)
  return score and tonumber(score)
end

local function addTombstone(member, value, forMs)
  redis.call('HSET', TOMBSTONES, member, value)
  redis.call('ZADD', TOMBSTONE_EXPIRIES, text(nowMs + forMs), member)
end

local function formerOf(instanceKey, nonce) return instanceKey .. '|' .. nonce end

-- Makes writes of this process with this number or a lower one change nothing.
local function addProcessTombstone(instanceKey, nonce, sequence)
  if nonce == '' or sequence == 0 then return end
  local member = 's:' .. formerOf(instanceKey, nonce)
  local known = tonumber(redis.call('HGET', TOMBSTONES, member) or '0') or 0
  addTombstone(member, text(math.max(known, sequence)), LIMITS.SENT_MS)
end

local function instanceTombstoneMs() return math.max(longestTtl(), LIMITS.INSTANCE_TOMBSTONE_MS) end

-- Ends a lease. Remembers its instanceKey, to tell a successor from lost data.
local function endLease(lease, instanceKey)
  if lease == '' then return end
  redis.call('ZREM', LEASES, lease)
  redis.call('HDEL', HOLDERS, lease)
  redis.call('SREM', DOUBTS, lease)
  redis.call('HDEL', HOLDS, lease)
  addTombstone('l:' .. lease, instanceKey, instanceTombstoneMs())
end

local function startLease(lease, instanceKey, deadlineMs)
  redis.call('ZADD', LEASES, text(deadlineMs), lease)
  redis.call('HSET', HOLDERS, lease, instanceKey)
  redis.call('HDEL', TOMBSTONES, 'l:' .. lease)
  redis.call('ZREM', TOMBSTONE_EXPIRIES, 'l:' .. lease)
end

-- Why a lease is missing: 'superseded' when its instanceKey has another holder, else 'unknown'.
local function missOf(lease)
  local instanceKey = redis.call('HGET', TOMBSTONES, 'l:' .. lease)
  if instanceKey and redis.call('HEXISTS', INSTANCES, instanceKey) == 1 then return 'superseded' end
  return 'unknown'
end

local function countInstance(instanceKey, by)
  local service = serviceOf(instanceKey)
  if redis.call('HINCRBY', COUNTS, service, by) <= 0 then
    redis.call('HDEL', COUNTS, service)
    redis.call('HDEL', GUARDS, service)
  end
end

-- An instance that left must not come back with a replica's picture, not even one that is newer for another reason: its
-- lease has ended. An instance that went silent may be alive in another primary's past; then it must renew.
local function addInstanceTombstones(instanceKey, lease, revision)
  addTombstone('i:' .. instanceKey, revision, instanceTombstoneMs())
  if lease ~= '' then addTombstone('x:' .. lease, revision, instanceTombstoneMs()) end
end

local function deleteRecord(instanceKey, record, why)
  redis.call('HDEL', INSTANCES, instanceKey)
  countInstance(instanceKey, -1)
  endLease(record.lease, instanceKey)
  local revision, prev = nextRevision()
  append(revision, prev, 'del', instanceKey, '', why)
  if why ~= 'expired' then addInstanceTombstones(instanceKey, record.lease, revision) end
  addProcessTombstone(instanceKey, record.nonce, record.sequence)
  return revision
end

-- A sign of life: clears the doubt, and watchers see it.
local function clearDoubt(lease)
  if redis.call('SREM', DOUBTS, lease) == 0 then return end
  local instanceKey = redis.call('HGET', HOLDERS, lease)
  local record = instanceKey and readRecord(instanceKey)
  if record and record.lease == lease and record.doubt ~= '' then
    record.doubt, record.doubtUntil = '', '0'
    writeRecord(instanceKey, record, 'recovered')
  end
end

local function claimsOf(resource) return resource and string.match(resource, '^%d+|%d+|([^|]*)|') or '' end

local function releaseClaims(key, resource)
  for pool, number in string.gmatch(claimsOf(resource), '(%a)(%d+)') do
    if redis.call('HGET', POOLS[pool], number) == key then redis.call('HDEL', POOLS[pool], number) end
  end
end

-- The timeline's name for the end of a resource.
local function endOf(key)
  if string.find(key, '^override/') then return 'override-removed' end
  return string.find(key, '^report/') and 'report-ended' or 'deleted'
end

-- Removes a resource and releases its numbers. `resource` is its stored text.
local function deleteResource(key, resource)
  redis.call('HDEL', RESOURCES, key)
  redis.call('ZREM', EXPIRIES, key)
  releaseClaims(key, resource)
  local revision, prev = nextRevision()
  append(revision, prev, 'rm', key, '', endOf(key))
  return revision
end
