-- Prelude of every script: the clock, revisions, records, tombstones. Before it stand, written by script-head.ts:
--   KEY     the keys of the partition, by the names of keys.ts
--   LIMITS  the numbers of limits.ts
--   ARGS    what all scripts are given (floor, epoch, logLength) and what this one is, all as text
--   REST    where in ARGV a list of any length begins, for scripts that are given one: its first is ARGV[REST + 1]
-- A record is `revision|lease|nonce|doubt|doubtUntilMs|registeredAtMs|body`, its nonce followed by `#` and the number of the
-- last write of that process where it numbers them; a resource `revision|untilMs|claims|value`,
-- its claims `c2136997889,n30080`: letter of the pool and number.
local INSTANCES, HOLDERS, LEASES, RESOURCES = KEY.instances, KEY.holders, KEY.leases, KEY.resources
local TOMBSTONES, GRAVES, LOG, META = KEY.tombstones, KEY.graves, KEY.log, KEY.meta
local DOUBTS, HOLDS, COUNTS, GUARDS, EXPIRIES = KEY.doubts, KEY.holds, KEY.counts, KEY.guards, KEY.expiries
local POOLS = { c = KEY.clusterIps, n = KEY.nodePorts }

local seconds, micros = clock()
local nowMs = seconds * 1000 + math.floor(micros / 1000)
local nowUs = seconds * 1000000 + micros
local floor = tonumber(ARGS.floor)

-- Lua's tostring keeps 14 digits; revisions have 16.
local function text(number) return string.format('%.0f', number) end

-- A write in any case: a store that takes none must not answer from what may be old. Where there is no epoch, a call
-- without one is to be made again with one: it is drawn only where it is needed.
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

-- Takes the next revision; `append` must follow with it.
local function nextRevision()
  local last = tonumber(redis.call('HGET', META, 'last'))
  return text(math.max(last + 1, nowUs, floor + 1)), text(last)
end

-- The mark is a digest of everything up to here: two primaries may take the same revision, and differ in what it is.
local function append(revision, prev, op, key, value, why)
  local before = redis.call('HGET', META, 'mark') or ''
  local mark = string.sub(redis.sha1hex(table.concat({ before, revision, op, key, value }, ' ')), 1, 12)
  redis.call('XADD', LOG, 'MAXLEN', '~', ARGS.logLength, revision .. '-0', 'prev', prev, 'before', before, 'mark', mark,
    'at', text(nowMs), 'op', op, 'key', key, 'value', value, 'why', why)
  redis.call('HSET', META, 'last', revision, 'mark', mark)
end

-- What no script wrote is a record that nobody holds: it can be written over and taken off, and stops nothing.
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

-- Stores a record of which nothing changed that anybody watches.
local function keepRecord(instanceKey, record) redis.call('HSET', INSTANCES, instanceKey, textOf(record)) end

-- Writes a record and logs it. `kept` is the revision of its content, when it is not that of this write.
local function writeRecord(instanceKey, record, why, kept)
  local revision, prev = nextRevision()
  record.revision = kept or revision
  local value = textOf(record)
  redis.call('HSET', INSTANCES, instanceKey, value)
  append(revision, prev, 'set', instanceKey, value, why)
  return revision
end

local function serviceOf(instanceKey) return string.match(instanceKey, '^(.*)/[^/]*$') end

-- A lease that no script granted has the default TTL: it must not stop the others.
local function ttlOf(lease) return tonumber(string.match(lease, '^%d+%.(%d+)%.') or '10000') end

-- A JSON object, or nil where something else was written.
local function decoded(json)
  local isJson, value = pcall(cjson.decode, json)
  if isJson and type(value) == 'table' then return value end
  return nil
end

local function deadlineOf(lease)
  local score = redis.call('ZSCORE', LEASES, lease)
  return score and tonumber(score)
end

local function bury(member, value, forMs)
  redis.call('HSET', TOMBSTONES, member, value)
  redis.call('ZADD', GRAVES, text(nowMs + forMs), member)
end

local function formerOf(instanceKey, nonce) return instanceKey .. '|' .. nonce end

-- What a process sent under this number or an earlier one changes nothing any more.
local function buryProcess(instanceKey, nonce, sequence)
  if nonce == '' or sequence == 0 then return end
  local member = 's:' .. formerOf(instanceKey, nonce)
  local known = tonumber(redis.call('HGET', TOMBSTONES, member) or '0') or 0
  bury(member, text(math.max(known, sequence)), LIMITS.SENT_MS)
end

local function instanceGraveMs() return math.max(longestTtl(), LIMITS.INSTANCE_TOMBSTONE_MS) end

-- Ends a lease; that it was this instanceKey's is remembered, to tell a successor from a loss of memory.
local function endLease(lease, instanceKey)
  if lease == '' then return end
  redis.call('ZREM', LEASES, lease)
  redis.call('HDEL', HOLDERS, lease)
  redis.call('SREM', DOUBTS, lease)
  redis.call('HDEL', HOLDS, lease)
  bury('l:' .. lease, instanceKey, instanceGraveMs())
end

local function startLease(lease, instanceKey, deadlineMs)
  redis.call('ZADD', LEASES, text(deadlineMs), lease)
  redis.call('HSET', HOLDERS, lease, instanceKey)
  redis.call('HDEL', TOMBSTONES, 'l:' .. lease)
  redis.call('ZREM', GRAVES, 'l:' .. lease)
end

-- Why a lease is not there: 'superseded' when its instanceKey has another holder, else 'unknown'.
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

-- Who leaves does not come back with anybody's picture, not even one that is newer for another reason: its lease is
-- over for good. Who fell silent may live on in another primary's past, and is asked for a sign of life then.
local function buryInstance(instanceKey, lease, revision)
  bury('i:' .. instanceKey, revision, instanceGraveMs())
  if lease ~= '' then bury('x:' .. lease, revision, instanceGraveMs()) end
end

local function deleteRecord(instanceKey, record, why)
  redis.call('HDEL', INSTANCES, instanceKey)
  countInstance(instanceKey, -1)
  endLease(record.lease, instanceKey)
  local revision, prev = nextRevision()
  append(revision, prev, 'del', instanceKey, '', why)
  if why ~= 'expired' then buryInstance(instanceKey, record.lease, revision) end
  buryProcess(instanceKey, record.nonce, record.sequence)
  return revision
end

-- A sign of life: the doubt goes, and whoever watches sees it.
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

-- What the timeline calls the end of a resource.
local function endOf(key)
  if string.find(key, '^override/') then return 'override-removed' end
  return string.find(key, '^report/') and 'report-ended' or 'deleted'
end

-- Takes a resource away, and what it has of the pools. `resource` is its stored text.
local function deleteResource(key, resource)
  redis.call('HDEL', RESOURCES, key)
  redis.call('ZREM', EXPIRIES, key)
  releaseClaims(key, resource)
  local revision, prev = nextRevision()
  append(revision, prev, 'rm', key, '', endOf(key))
  return revision
end
