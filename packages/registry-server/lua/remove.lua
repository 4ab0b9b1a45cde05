-- Removes a resource.
-- ARGV 4 key, 5 ms that its tombstone stays, 6 why
-- Replies {'changed', revision} | {'missing'}
if redis.call('HDEL', RESOURCES, ARGV[4]) == 0 then
  -- A store that lost its memory must not be given back what somebody has removed meanwhile.
  bury('r:' .. ARGV[4], (nextRevision()), tonumber(ARGV[5]))
  return { 'missing' }
end
redis.call('ZREM', EXPIRIES, ARGV[4])
local revision, prev = nextRevision()
append(revision, prev, 'rm', ARGV[4], '', ARGV[6])
bury('r:' .. ARGV[4], revision, tonumber(ARGV[5]))
return { 'changed', revision }
