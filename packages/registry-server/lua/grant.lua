-- Puts an instance on the roll.
-- ARGS instanceKey, lease to use ('' = persistent), nonce, takeover ('1' or '0'), body (JSON), maxInstances of the
-- service, sequence: number of this write in its process (0 = not numbered)
-- Replies {'granted', lease, revision} | {'taken'} | {'full'} | {'late'}
local function isSameJson(a, b)
  if type(a) ~= 'table' or type(b) ~= 'table' then return a == b end
  for key, value in pairs(a) do
    if not isSameJson(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local instanceKey, lease, nonce, body = ARGS.instanceKey, ARGS.lease, ARGS.nonce, ARGS.body
local takeover, sequence = ARGS.takeover == '1', tonumber(ARGS.sequence)
local record = readRecord(instanceKey)
local why = 'registered'
local registeredAt = text(nowMs)

if sequence > 0 and nonce ~= '' then
  -- The process sent it before it left the id, or before another process took the id over; the network delayed it.
  local last = redis.call('HGET', TOMBSTONES, 's:' .. formerOf(instanceKey, nonce))
  if last and (tonumber(last) or 0) >= sequence then return { 'late' } end
end
if record then
  local deadline = record.lease ~= '' and deadlineOf(record.lease)
  local isHolder = nonce ~= '' and record.nonce == nonce and deadline and lease ~= ''
  if isHolder and sequence > 0 and sequence <= record.sequence then
    -- A repeated request shows that the process lives, an older one does not. Neither has new content.
    if sequence == record.sequence and record.doubt == '' then
      redis.call('ZADD', LEASES, 'XX', text(math.max(deadline, nowMs + ttlOf(record.lease))), record.lease)
    end
    return { 'granted', record.lease, record.revision }
  end
  if isHolder and ttlOf(record.lease) == ttlOf(lease) then
    redis.call('ZADD', LEASES, 'XX', text(nowMs + ttlOf(record.lease)), record.lease)
    local isSame = record.body == body or isSameJson(decoded(record.body), decoded(body))
    if isSame and record.doubt == '' and sequence == 0 then return { 'granted', record.lease, record.revision } end
    redis.call('SREM', DOUBTS, record.lease)
    local isRecovered = isSame and record.doubt ~= ''
    record.sequence = math.max(record.sequence, sequence)
    if isSame and record.doubt == '' then
      -- A new number alone is no change for watchers.
      keepRecord(instanceKey, record)
      return { 'granted', record.lease, record.revision }
    end
    record.doubt, record.doubtUntil, record.body = '', '0', body
    return { 'granted', record.lease, writeRecord(instanceKey, record, isRecovered and 'recovered' or 'reregistered') }
  end
  local isLive = not record.isSpoilt and (record.lease == '' or (deadline and deadline > nowMs))
  local isOther = nonce ~= '' and nonce ~= record.nonce
  -- A displaced process stays displaced: after a broken hold or a pause of the store, only others may take the id.
  local isFormer = isOther and redis.call('HEXISTS', TOMBSTONES, 'n:' .. formerOf(instanceKey, nonce)) == 1
  if isOther and not takeover and (isFormer or (isLive and record.doubt ~= 'suspect')) then return { 'taken' } end
  why = (isLive and record.lease ~= '' and (nonce == '' or isOther)) and 'superseded' or 'reregistered'
  endLease(record.lease, instanceKey)
  if record.nonce ~= nonce then
    if record.nonce ~= '' then addTombstone('n:' .. formerOf(instanceKey, record.nonce), '1', LIMITS.FORMER_MS) end
    addProcessTombstone(instanceKey, record.nonce, record.sequence)
  end
else
  if tonumber(redis.call('HGET', COUNTS, serviceOf(instanceKey)) or '0') >= tonumber(ARGS.maxInstances) then return { 'full' } end
  countInstance(instanceKey, 1)
end

if lease ~= '' then
  noteTtl(ttlOf(lease))
  startLease(lease, instanceKey, nowMs + ttlOf(lease))
end
redis.call('HDEL', TOMBSTONES, 'i:' .. instanceKey, 'n:' .. formerOf(instanceKey, nonce))
redis.call('ZREM', TOMBSTONE_EXPIRIES, 'i:' .. instanceKey, 'n:' .. formerOf(instanceKey, nonce))
local revision = writeRecord(instanceKey, { lease = lease, nonce = nonce, sequence = sequence, doubt = '', doubtUntil = '0',
  registeredAt = registeredAt, body = body }, why)
return { 'granted', lease, revision }
