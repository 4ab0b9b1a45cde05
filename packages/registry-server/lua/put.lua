-- Writes a resource.
-- ARGV 4 key, 5 value, 6 ms that it stays ('0' = for good), 7 why
-- Replies {revision, untilMs}
local key, value, forMs = ARGV[4], ARGV[5], tonumber(ARGV[6])
local untilMs = forMs > 0 and text(nowMs + forMs) or '0'
local revision, prev = nextRevision()
local stored = table.concat({ revision, untilMs, value }, '|')
redis.call('HSET', RESOURCES, key, stored)
if forMs > 0 then redis.call('ZADD', EXPIRIES, untilMs, key) else redis.call('ZREM', EXPIRIES, key) end
redis.call('HDEL', TOMBSTONES, 'r:' .. key)
redis.call('ZREM', GRAVES, 'r:' .. key)
append(revision, prev, 'put', key, stored, ARGV[7])
return { revision, untilMs }
