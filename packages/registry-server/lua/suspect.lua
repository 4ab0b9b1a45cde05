-- The connection of a hold closed without a goodbye. The hold stays the current one until another replaces it, so that
-- a second look finds an instance whose doubt was cleared by a heartbeat sent before the hold broke.
-- ARGS lease, hold, isSecondLook ('1' or '0'): a heartbeat arrived in between; leaves time for the next one
-- Replies 1 if it was the current hold, else 0
local lease = ARGS.lease
if redis.call('HGET', HOLDS, lease) ~= ARGS.hold then return 0 end
local instanceKey = redis.call('HGET', HOLDERS, lease)
local record = instanceKey and readRecord(instanceKey)
local deadline = deadlineOf(lease)
if not record or record.lease ~= lease or not deadline then return 0 end
local heartbeatMs = ARGS.isSecondLook == '1' and ttlOf(lease) / 3 or 0
redis.call('ZADD', LEASES, 'XX', text(math.min(deadline, nowMs + LIMITS.SUSPECT_MS + heartbeatMs)), lease)
redis.call('SADD', DOUBTS, lease)
if record.doubt ~= 'suspect' then
  record.doubt, record.doubtUntil = 'suspect', '0'
  writeRecord(instanceKey, record, 'suspected')
end
return 1
