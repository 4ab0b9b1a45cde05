-- Numbers a new hold on a lease and renews the lease. The previous hold no longer counts.
-- ARGS lease
-- Replies {'held', number} | {'unknown'} | {'superseded'}
local lease = ARGS.lease
if not deadlineOf(lease) then return { missOf(lease) } end
redis.call('ZADD', LEASES, 'XX', text(nowMs + ttlOf(lease)), lease)
clearDoubt(lease)
-- From the clock, so that no number is used again after the store lost its data.
local hold = text(math.max((tonumber(redis.call('HGET', HOLDS, lease) or '0') or 0) + 1, nowUs))
redis.call('HSET', HOLDS, lease, hold)
return { 'held', hold }
