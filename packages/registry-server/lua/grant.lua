-- Puts an instance on the roll.
-- ARGV 4 field, 5 lease id to use ('' = persistent), 6 nonce, 7 '1' = takeover, 8 body (JSON), 9 most instances of the service
-- Replies {'granted', lease, revision} | {'taken'} | {'full'}
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

local field, lease, nonce, takeover, body = ARGV[4], ARGV[5], ARGV[6], ARGV[7] == '1', ARGV[8]
local record = readRecord(field)
local why = 'registered'
local registeredAt = text(nowMs)

if record then
  local deadline = record.lease ~= '' and deadlineOf(record.lease)
  local isSame = nonce ~= '' and record.nonce == nonce and deadline and lease ~= '' and ttlOf(record.lease) == ttlOf(lease)
  if isSame then
    redis.call('ZADD', LEASES, 'XX', text(nowMs + ttlOf(record.lease)), record.lease)
    if record.body == body or isSameJson(decoded(record.body), decoded(body)) then
      clearDoubt(record.lease)
      return { 'granted', record.lease, readRecord(field).revision }
    end
    redis.call('SREM', DOUBTS, record.lease)
    record.doubt, record.doubtUntil, record.body = '', '0', body
    return { 'granted', record.lease, writeRecord(field, record, 'reregistered') }
  end
  local isLive = not record.isSpoilt and (record.lease == '' or (deadline and deadline > nowMs))
  if isLive and nonce ~= '' and nonce ~= record.nonce and not takeover and record.doubt ~= 'suspect' then
    return { 'taken' }
  end
  why = (isLive and record.lease ~= '' and (nonce == '' or nonce ~= record.nonce)) and 'superseded' or 'reregistered'
  endLease(record.lease, field)
else
  if tonumber(redis.call('HGET', COUNTS, serviceOf(field)) or '0') >= tonumber(ARGV[9]) then return { 'full' } end
  countInstance(field, 1)
end

if lease ~= '' then
  noteTtl(ttlOf(lease))
  startLease(lease, field, nowMs + ttlOf(lease))
end
redis.call('HDEL', TOMBSTONES, 'i:' .. field)
redis.call('ZREM', GRAVES, 'i:' .. field)
local revision = writeRecord(field, { lease = lease, nonce = nonce, doubt = '', doubtUntil = '0',
  registeredAt = registeredAt, body = body }, why)
return { 'granted', lease, revision }
