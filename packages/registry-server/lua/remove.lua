-- Removes a resource and releases what it has of the pools.
-- ARGV 4 key, 5 ms that its tombstone stays
-- Replies {'changed', revision} | {'missing'}
local key = ARGV[4]
local resource = redis.call('HGET', RESOURCES, key)
if not resource then
  -- A store that lost its memory must not be given back what somebody has removed meanwhile.
  bury('r:' .. key, (nextRevision()), tonumber(ARGV[5]))
  return { 'missing' }
end
local revision = deleteResource(key, resource)
bury('r:' .. key, revision, tonumber(ARGV[5]))
return { 'changed', revision }
